"""``--serving``: what grouping the waiting requests brings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmner_core.cli.output import make_table, print_json, print_out
from tests.bench.serving import run_serving_bench

NAMES = {"text": "text", "photo": "text and photo"}


def print_serving_bench(checkpoint: Path, *, requests: int, batch_size: int, json: bool) -> None:
    """Measure and print.

    Raises:
        InputError: if the checkpoint cannot be used.
    """
    result = run_serving_bench(checkpoint, requests=requests, batch_size=batch_size)
    if json:
        print_json(result)
    else:
        _print(result)


def _print(result: dict[str, Any]) -> None:
    columns = ["What", "Alone per s", "Grouped per s", "Ratio", "Alone p95 ms", "Grouped p95 ms"]
    rows = [
        (
            NAMES[kind],
            f"{found['one_at_a_time']['per_second']:.1f}",
            f"{found['grouped']['per_second']:.1f}",
            f"{found['ratio']:.2f}",
            f"{1000 * found['one_at_a_time']['seconds']['p95']:.0f}",
            f"{1000 * found['grouped']['seconds']['p95']:.0f}",
        )
        for kind, found in result["kinds"].items()
    ]
    sentences = []
    for kind, found in result["kinds"].items():
        told = found["differences"]
        sentences.append(
            f"{NAMES[kind].capitalize()}: {told['equal']} of {told['answers']} answers equal to the last bit, "
            f"{told['other_names']} with other names; confidences differ by at most "
            f"{told['largest_confidence_difference']:.4f}."
        )
    print_out(
        make_table(columns, rows),
        *sentences,
        f"{result['visitors']} visitors who wait for each answer; groups of at most {result['batch_size']}; "
        f"checkpoint {result['checkpoint']}.",
    )
