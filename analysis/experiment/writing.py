"""Writes the results of an experiment: Parquet per table, one JSON record, one page of Markdown, the heat map."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.evaluation.provenance import recorded_environment
from analysis.experiment.grid import ArmResult, Grid
from analysis.experiment.intervals import WHAT_IS_RESAMPLED
from analysis.panels.wording import counted
from analysis.report.files import write_text
from analysis.run.json_rows import to_records
from mmner_core.runtime.atomic import atomic_write

if TYPE_CHECKING:
    from analysis.experiment.tables import ResultTable
    from mmner_core.training.config import DataSource

_WIDTH = 120
HEADER = f"""# Experiments

What the readers of the paper ask for, each by one command that can be stopped and given again; a model that two
experiments want is trained once. Every model begins with the pretrained encoders, or with the checkpoint that its page
names; it is chosen by the validation split and scored on the test split: strict F1 in points, with 95 % intervals in
brackets.

{fill(WHAT_IS_RESAMPLED, _WIDTH)}
A difference is taken on the same sentences and seed by seed. The encoders' weights are looked for in the folder that
the environment variable `MMNER_WEIGHTS` names.
"""


def write_experiment(
    folder: Path, name: str, question: str, grid: Grid, outcomes: Sequence[ArmResult], tables: Sequence[ResultTable]
) -> None:
    """Write the tables of an experiment, replacing those of a run with fewer seeds.

    Raises:
        InputError: if the folder cannot be written to.
    """
    record = _record(name, question, grid, outcomes, tables)
    for table in tables:
        _write_parquet(folder / f"{table.id}.parquet", table, record["settings"])
        if table.mark:
            from analysis.figures import figure_page, transfer_matrix

            figure = transfer_matrix(table.frame, table.rows, table.columns, table.mark)
            write_text(folder / f"{table.id}.html", figure_page(figure))
    write_text(folder / "experiment.json", json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    write_text(folder / "page.md", _page(record, tables))


def joined_pages(file: Path, pages: Sequence[Path]) -> None:
    """Write the existing pages into one file, under one header."""
    found = [page.read_text(encoding="utf-8") for page in pages if page.is_file()]
    write_text(file, "\n".join([HEADER, *found]))


def _record(
    name: str, question: str, grid: Grid, outcomes: Sequence[ArmResult], tables: Sequence[ResultTable]
) -> dict[str, Any]:
    cells = [
        {
            "variant": outcome.arm.name,
            "changes": outcome.arm.changes,
            **cell.facts,
            "runs": [str(run.folder.relative_to(grid.settings.runs)) for run in runs if run.folder is not None],
        }
        for outcome in outcomes
        for cell, runs in zip(outcome.cells, outcome.runs, strict=True)
    ]
    tested = [run.provenance["data"] for run in outcomes[0].runs[0]]
    return {
        "experiment": name,
        "question": question,
        "command": grid.settings.command,
        "seeds": [cell.cell.seed for cell in outcomes[0].cells],
        "seeds_asked": list(grid.seeds),
        "settings": {
            **grid.settings.to_json(),
            "train": ", ".join(_named(source) for source in grid.base.training.train),
            "epochs": grid.base.training.epochs,
        },
        "tested": tested,
        "cells": cells,
        "tables": {table.id: {"title": table.title, "rows": to_records(table.frame)} for table in tables},
        **recorded_environment(),
    }


def _write_parquet(file: Path, table: ResultTable, settings: dict[str, Any]) -> None:
    arrow = pa.Table.from_pandas(table.frame, preserve_index=False)
    facts = {b"title": table.title.encode(), b"settings": json.dumps(settings).encode()}
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(file) as part:
        pq.write_table(arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **facts}), part)


def _page(record: dict[str, Any], tables: Sequence[ResultTable]) -> str:
    settings, cells = record["settings"], record["cells"]
    seconds = sum(cell["seconds"] for cell in cells)
    sizes = sorted({cell["train_sentences"] for cell in cells})
    reads = sorted({cell["sentences_read"] for cell in cells})
    steps = sorted({cell["steps"] for cell in cells})
    seeds, asked = record["seeds"], record["seeds_asked"]
    to_come = [str(seed) for seed in asked if seed not in seeds]
    unfinished = f" (to come: {', '.join(to_come)})" if to_come else ""
    facts = [
        f"- Preset `{settings['preset']}`{_begun(settings['init'])}, seeds {', '.join(map(str, seeds))}{unfinished}, "
        f"{counted(settings['epochs'], 'epoch')}, the best on validation kept{_layers(settings['top_layers'])}.",
        f"- Training data: `{settings['train']}` (`=N`: the first N sentences of each language; none: all): "
        f"{_span(sizes)} sentences, {_span(reads)} read in {_span(steps)} steps, per cell.",
        f"- Validation: the same data sets, {_limit(settings['valid_limit'])}. "
        f"Test data: {'; '.join(_tested(part) for part in record['tested'])}.",
        f"- {counted(len(cells), 'cell')}, trained and written in {seconds / 60:.0f} minutes in all, those shared with "
        "other experiments counted in each.",
    ]
    return "\n".join(
        [
            f"## {record['experiment']}\n",
            f"{record['question']}\n",
            f"```\n{record['command']}\n```\n",
            *facts,
            "",
            *(table.to_markdown() for table in tables),
        ]
    )


def _named(source: DataSource) -> str:
    return source.path + (f"={source.limit}" if source.limit is not None else "")


def _layers(top: int | None) -> str:
    return "" if top is None else f"; of the text encoder only the last {counted(top, 'layer')} learn"


def _tested(data: dict[str, Any]) -> str:
    parts = ", ".join(f"{path} ({split})" for path, split in data["splits"].items())
    return f"{parts}, {data['sentences']:,} sentences"


def _limit(limit: int | None) -> str:
    return "all of it" if limit is None else f"the first {limit} sentences of each language"


def _span(values: Sequence[int]) -> str:
    return f"{values[0]:,}" if len(values) == 1 else f"{values[0]:,} to {values[-1]:,}"


def _begun(init: str | None) -> str:
    return "" if init is None else f" from the checkpoint `{init}`"
