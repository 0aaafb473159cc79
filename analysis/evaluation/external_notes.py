"""Notes on another system's tags that readers of its scores need: orphans, IOB1, types without gold names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mmner_core.data.type_names import count_types, how_to_rename, suggest

if TYPE_CHECKING:
    from analysis.run.evaluation_set import EvaluationSet
    from mmner_core.data import Example, ReadReport


def external_notes(data: EvaluationSet, predicted: Sequence[Example], report: ReadReport) -> tuple[str, ...]:
    """Return one sentence on each.

    Args:
        data: the gold sentences.
        predicted: the same sentences as the other system tagged them.
        report: what was met when the predictions were read.
    """
    repaired = data.facts.get("repaired_gold_tags", 0)
    notes = [
        f"{report.repaired_tags:,} orphan I- tags of the predictions: the strict score counts no name there, as "
        "seqeval does; the lenient one reads them as B- (repaired)."
        if report.repaired_tags
        else "",
        f"The predictions are in IOB1 ({', '.join(report.iob1_files)}) and were converted to IOB2."
        if report.iob1_files
        else "",
        f"{repaired:,} orphan I- tags of the gold data were read as B- (repaired)." if repaired else "",
        unknown_types(count_types(data.examples), count_types(predicted)),
    ]
    return tuple(filter(None, notes))


def unknown_types(known: Mapping[str, int], found: Mapping[str, int]) -> str:
    """Name the predicted types that no gold name has, and how to rename them; empty where there is none.

    Args:
        known: the gold types, with how many names each has.
        found: the predicted ones likewise.
    """
    unknown = [name for name in found if name not in known]
    if not unknown:
        return ""
    counted = ", ".join(f"{name} ({found[name]:,})" for name in unknown)
    note = f"No gold name is of the type {counted}: no such prediction can be right"
    meant = suggest(unknown, list(known))
    return f"{note}; {how_to_rename(list(meant), list(known))}." if meant else f"{note}."
