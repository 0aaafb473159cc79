"""Build tiny predictions tables for the tests of this folder."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from analysis.run.answers import Answers
from analysis.run.schema import COLUMNS, SCHEMA
from analysis.run.spans import read_spans


def small_table(
    rows: Sequence[tuple[str, str, str]], *, condition: str = "matched", model: bool = True, **columns: object
) -> pa.Table:
    """Build one condition from (words, gold, tags), each written with spaces; ``columns`` replace whole columns.

    With ``model``, every predicted entity gets probability 0.9 (its span's second type MISC 0.05), every gold one
    0.9 if it was found and else 0.1, each sentence loss = its number and cosine 0.5.
    """
    n = len(rows)
    words, gold, tags = ([cell.split() for cell in column] for column in zip(*rows, strict=True))
    data: dict[str, object] = {
        "sentence_id": list(range(n)),
        "where": [f"test.txt:{i + 1}" for i in range(n)],
        "language": ["en"] * n,
        "source": ["test"] * n,
        "kind": [""] * n,
        "words": words,
        "gold": gold,
        "image_id": [f"photo{i}" for i in range(n)],
        "image_path": [f"photo{i}.jpg" for i in range(n)],
        "condition": [condition] * n,
        "tags": tags,
    }
    if model:
        data |= _model_columns(gold, tags)
    data |= columns
    fields = [field for field in SCHEMA if field.name in COLUMNS or field.name in data]
    return pa.table({field.name: data[field.name] for field in fields}, schema=pa.schema(fields))


def small_answers(rows: Sequence[tuple[str, str, str]], **options: object) -> Answers:
    """Read what :func:`small_table` builds."""
    return Answers.from_table(small_table(rows, **options))


def _model_columns(gold: list, tags: list) -> dict[str, object]:
    sides = []
    for spans in read_spans(gold, tags):
        bounds = spans.bounds()
        sides.append([spans.take(np.arange(a, b)).entities() for a, b in zip(bounds, bounds[1:], strict=False)])
    return {
        "entities": [
            [
                {"start": e.start, "end": e.end, "type": e.type, "confidence": 0.9}
                | {"runner_up_type": "MISC", "runner_up_confidence": 0.05}
                for e in found
            ]
            for found in sides[1]
        ],
        "gold_span_confidence": [[0.9 if e in p else 0.1 for e in g] for g, p in zip(*sides, strict=True)],
        "loss": [float(i) for i in range(len(gold))],
        "cosine": [0.5] * len(gold),
        "attention_entropy": [[1.0] * len(found) for found in sides[1]],
    }
