"""``--tabs``: how long the research tabs take."""

from __future__ import annotations

from typing import Any

from mmner_core.cli.output import make_table, print_json, print_out
from tests.bench.tabs import bench_table, bench_tabs, ratios
from tests.bench.timing import CallTimes


def print_tabs(rows: int, *, rounds: int, json: bool) -> None:
    """Measure and print how long it takes to switch to a tab, and to page through a failure table of many rows."""
    table = bench_table(rows, rounds=rounds)
    tabs = bench_tabs(rounds=rounds)
    times = ratios(table)
    size = table.pop("rows")
    if json:
        seconds: dict[str, Any] = {name: timing.to_json() for name, timing in table.items()}
        drawn = {tab: {name: timing.to_json() for name, timing in kinds.items()} for tab, kinds in tabs.items()}
        print_json({"rows": size, "table": seconds, "ratios": times, "tabs": drawn})
        return

    def lines(kinds: dict[str, CallTimes], what: str) -> list[tuple[str, str, str, int]]:
        return [(f"{what}: {n}", f"{1000 * t.median:,.0f}", f"{1000 * t.p95:,.0f}", t.n) for n, t in kinds.items()]

    rows_of_all = [line for tab, kinds in tabs.items() for line in lines(kinds, tab)] + lines(table, "failure table")
    print_out(
        make_table(["What", "Median ms", "95th percentile ms", "Calls"], rows_of_all),
        f"The failure table has {size:,} rows; written whole as JSON it takes "
        + ", ".join(f"{ratio:.1f} times as long as a {kind}" for kind, ratio in times.items())
        + ".",
    )
