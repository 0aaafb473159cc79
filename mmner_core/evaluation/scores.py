"""Entity scores by seqeval: strict IOB2 (the headline) and lenient (what the authors' code reports)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict


class PRF(TypedDict):
    """Precision, recall and F1 as fractions, and the number of gold entities."""

    precision: float
    recall: float
    f1: float
    support: int


def score(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], *, strict: bool = True) -> dict[str, PRF]:
    """Return the scores per type and, as "micro", over all entities.

    Args:
        gold: tags of each sentence.
        predicted: as many tags for each.
        strict: seqeval's strict mode (IOB2, an orphan ``I-`` is no entity), or its lenient default.
    """
    from seqeval.metrics import classification_report
    from seqeval.scheme import IOB2

    mode: dict[str, Any] = {"mode": "strict", "scheme": IOB2} if strict else {}
    if not any(tag != "O" for tags in (*gold, *predicted) for tag in tags):
        return {"micro": PRF(precision=0.0, recall=0.0, f1=0.0, support=0)}
    report = classification_report(list(gold), list(predicted), output_dict=True, zero_division=0, **mode)
    return {
        name.removesuffix(" avg"): PRF(
            precision=float(row["precision"]),
            recall=float(row["recall"]),
            f1=float(row["f1-score"]),
            support=int(row["support"]),
        )
        for name, row in report.items()
        if name not in ("macro avg", "weighted avg")
    }
