"""The command: many visitors at once against the app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmner_core.cli.options import Checkpoint, Json
from mmner_core.cli.output import make_table, print_json, print_out
from mmner_core.errors import InputError
from mmner_core.runtime.repository import SHIPPED

if TYPE_CHECKING:
    from rich.table import Table


def load_test(
    attacks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ATTACK]...",
            help="With --hostile: which attacks; an unknown name tells them all.",
            show_default="all, in turn",
        ),
    ] = None,
    visitors: Annotated[int, typer.Option(min=1, max=1000, help="Visitors at once.")] = 50,
    seconds: Annotated[float, typer.Option(min=1, help="For how long they ask.")] = 300,
    think: Annotated[float, typer.Option(min=0.1, help="Mean seconds between an answer and the next question.")] = 5,
    photos: Annotated[float, typer.Option(min=0, max=1, help="Share of questions with a photo.")] = 0.5,
    checkpoint: Checkpoint = SHIPPED,
    url: Annotated[
        str | None, typer.Option(help="Address of a running app.", show_default="the app is started, and stopped")
    ] = None,
    kill: Annotated[bool, typer.Option("--kill", help="Kill the app (-9) in the middle and start it again.")] = False,
    hostile: Annotated[
        bool, typer.Option("--hostile", help="Let one visitor attack the app meanwhile; only on this machine.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of what is asked and when.")] = 19,
    json: Json = False,
) -> None:
    """Let visitors ask the app for minutes; exit with 1 on an error, a lost answer or growing memory.

    With --hostile also where another visitor's attack has them wait for long, or refused.
    """
    from tests.load.attacks.table import choose_attacks
    from tests.load.run import LoadPlan, run_against, run_with_own_app

    if attacks and not hostile:
        raise InputError(f"What shall {attacks[0]!r} be? Attacks are named after --hostile.")
    plan = LoadPlan(
        visitors=visitors,
        seconds=seconds,
        think=think,
        photo_share=photos,
        kill=kill,
        seed=seed,
        attacks=choose_attacks(attacks or ()) if hostile else (),
    )
    report = run_against(plan, url) if url else run_with_own_app(plan, checkpoint.absolute())
    record = report.to_json()
    if json:
        print_json(record)
    else:
        _print(record)
    if record["problems"]:
        raise typer.Exit(1)


def _print(record: dict[str, Any]) -> None:
    columns = ["Kind", "Answers", "Median ms", "95th percentile ms", "99th", "Longest"]
    rows = [
        (kind, f"{quantiles['n']:,}", *(f"{1000 * quantiles[q]:,.0f}" for q in ("p50", "p95", "p99", "max")))
        for kind, quantiles in record["latency"].items()
        if quantiles
    ]
    fates = ", ".join(f"{record[fate]:,} {fate}" for fate in ("answered", "busy", "error", "lost", "interrupted"))
    print_out(
        make_table(columns, rows),
        *([_attack_table(record["attacks"])] if "attacks" in record else []),
        f"{record['visitors']} visitors, {record['seconds']:.0f} s: {record['requests']:,} requests "
        f"({record['requests_per_second']:.1f} answered per second): {fates}.",
        *(f"Told to come back: {sentence}" for sentence in record["busy_sentences"]),
        _memory_sentence(record["memory"]),
        *([_kill_sentence(record["kill"])] if record["kill"] else []),
        *record["problems"],
        "Passed." if record["passed"] else "Not passed.",
    )


def _attack_table(attacks: dict[str, dict[str, Any]]) -> Table:
    columns = [
        "Attack",
        "Requests",
        "Answered with",
        "Others' median ms",
        "95th",
        "Answered",
        "Refused",
        "Lost",
        "Error",
    ]
    rows = []
    for name, row in attacks.items():
        waited = [f"{1000 * row['others'][q]:,.0f}" if row["others"] else "" for q in ("p50", "p95")]
        answers = ", ".join(f"{status} × {count:,}" for status, count in row["answers"].items())
        fates = [f"{row[fate]:,}" for fate in ("answered", "busy", "lost", "error")]
        rows.append((name, f"{row['requests']:,}", answers, *waited, *fates))
    return make_table(columns, rows)


def _memory_sentence(memory: dict[str, Any]) -> str:
    if memory["ratio"] is None:
        return "Memory was not measured: the app runs elsewhere, or the test was too short."
    tenth = max(1, len(memory["curve"]) // 10)
    curve = ", ".join(f"{size:.0f}" for _, size in memory["curve"][::tenth])
    return (
        f"Memory: {memory['after_warm_up_mb']:.0f} MB after warm-up, {memory['end_mb']:.0f} MB at the end, "
        f"ratio {memory['ratio']:.3f}; over time: {curve} MB."
    )


def _kill_sentence(kill: dict[str, Any]) -> str:
    return (
        f"Killed after {kill['at']:.0f} s; {kill['back_after']:.1f} s later it answered again; "
        f"{len(kill['left_behind'])} files left behind."
    )
