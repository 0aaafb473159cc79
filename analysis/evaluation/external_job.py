"""Writes a run folder from another system's output, with every view that needs no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from analysis.evaluation import summary
from analysis.evaluation.external_notes import external_notes
from analysis.evaluation.provenance import recorded_environment
from analysis.evaluation.train_data import lexicon_of, train_examples, train_facts
from analysis.evaluation.writer import refuse_existing, write_run
from analysis.run.external import paired_tags, predictions_table
from analysis.run.folder import EvaluationRun
from mmner_core.data.type_names import TypeNames
from mmner_core.evaluation.evaluate import first_of_each_language, read_split
from mmner_core.runtime.digests import file_digest

if TYPE_CHECKING:
    from analysis.run.evaluation_set import EvaluationSet


def evaluate_predictions(
    data: EvaluationSet,
    predictions: Path,
    out: Path,
    *,
    command: str,
    limit: int | None = None,
    train: Sequence[Path] = (),
    overwrite: bool = False,
    names: TypeNames | None = None,
) -> tuple[str, ...]:
    """Write the run of another system.

    Args:
        data: all sentences of the split.
        predictions: the same sentences with that system's tags, in the same order: a file, or a folder laid out like
            the data.
        out: the folder to write.
        command: for the provenance.
        limit: only the first so many sentences of each language.
        train: training data, to tell seen names from new ones and to count leakage.
        overwrite: whether a run that lies there already gives way.
        names: what types are to be called, in the data and the predictions alike; None: as they are.

    Returns:
        What a reader of the scores should know, one sentence each: orphan tags, types that no gold name has.

    Raises:
        InputError: if the folder exists, the predictions are about other sentences, or a type to be renamed is in
            neither.
    """
    refuse_existing(out, overwrite=overwrite)
    split = data.facts["split"] if predictions.is_dir() else None
    predicted, report, _ = read_split(predictions, None, data.facts["language"], split)
    names = names or TypeNames()
    names.check(data.examples, predicted)
    data = replace(data, examples=tuple(names.rename(data.examples)))
    predicted = names.rename(predicted)
    tags = paired_tags(data.examples, predicted, report.iob1_files)
    notes = external_notes(data, predicted, report)
    rows = first_of_each_language(data.examples, limit)
    chosen, tags = data.take(rows), [tags[i] for i in rows]
    table = predictions_table(chosen.examples, tags, kinds=chosen.kinds)
    table = table.set_column(table.schema.get_field_index("source"), "source", pa.array(chosen.sources, pa.string()))
    run = EvaluationRun.from_table(table, name=out.name)
    metrics = {"sentences": len(chosen), "conditions": run.conditions} | summary.scores(run)
    if train:
        metrics |= summary.leakage_metrics(train_examples(train), chosen.examples)
    provenance = {
        "command": command,
        "data": chosen.to_json(),
        "predictions": {
            "path": str(predictions),
            "read": report.summary(),
            "repaired_tags": report.repaired_tags,
            "map": dict(names.names),
            "notes": list(notes),
            "digest": file_digest(predictions) if predictions.is_file() else None,
        },
        **train_facts(train),
        **recorded_environment(),
    }
    lexicon = lexicon_of(train, run)
    write_run(out, table, metrics=metrics, provenance=provenance, lexicon=lexicon, overwrite=overwrite)
    return notes
