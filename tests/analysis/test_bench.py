"""``python -m tests.bench --tabs``: it asks what visitors ask, of as many rows as it says."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from analysis.panels.errors import failures_of
from analysis.run.folder import EvaluationRun
from analysis.scores.query import Filter, select
from analysis.views.research.tabs import TABS
from tests.bench import print_tabs
from tests.bench.command import bench
from tests.bench.tabs import FILTERS, SORTED_BY, bench_table, bench_tabs, write_errors

pytestmark = pytest.mark.slow  # measures time

ONE_TAB = {"embedding": TABS["embedding"][:1]}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> EvaluationRun:
    """Write a run of some hundred errors."""
    return EvaluationRun.open(write_errors(tmp_path_factory.mktemp("runs") / "many", 300))


def test_the_table_has_as_many_rows_as_asked_for(many: EvaluationRun) -> None:
    """And every error stands in a sentence of its own number, so that a click opens the right one."""
    table = failures_of(many, "matched")
    assert 300 <= len(table) < 600
    assert len(np.unique(many.answers("matched").sentences["sentence_id"])) == len(many.answers("matched"))


@pytest.mark.parametrize("condition", FILTERS, ids=lambda f: f"{f.column} {f.operator}")
def test_each_filter_keeps_some_rows_and_not_all(many: EvaluationRun, condition: Filter) -> None:
    """A filter that keeps all or nothing would cost less than a visitor's."""
    table = failures_of(many, "matched")
    assert 0 < len(select(table, [condition])) < len(table)


def test_every_way_of_asking_is_timed() -> None:
    """Each column up and down, each filter with an order and without; the table is built once."""
    timed = bench_table(100, rounds=2)
    counts = {name: timing.n for name, timing in timed.items() if name != "rows"}
    assert counts["sort"] == 2 * 2 * len(SORTED_BY)
    assert counts["filter"] == counts["sort and filter"] == 2 * len(FILTERS)
    assert counts["build"] == 1
    assert all(timing.median > 0 for name, timing in timed.items() if name != "rows")


def test_a_tab_seen_again_is_not_drawn_again() -> None:
    """What was drawn is kept."""
    (timings,) = bench_tabs(rounds=2, tabs=ONE_TAB).values()
    assert timings["again"].median < timings["all parts"].median


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_command_prints_it(monkeypatch: pytest.MonkeyPatch, options: list[str]) -> None:
    """As a table for people or as JSON, with the size of the table and the ratios."""
    monkeypatch.setattr(print_tabs, "bench_tabs", partial(bench_tabs, tabs=ONE_TAB))
    app = typer.Typer()
    app.command()(bench)
    done = CliRunner().invoke(app, ["--tabs", "--rows", "100", "--rounds", "1", *options])
    assert done.exit_code == 0, done.output
    if options:
        printed = json.loads(done.output)
        assert printed["rows"] >= 100 and set(printed["ratios"]) == {"page", "sort", "filter", "sort and filter"}
        assert printed["tabs"]["embedding"]["again"]["n"] == 1
    else:
        assert "failure table: sort and filter" in done.output and "embedding: first part" in done.output


def test_a_made_run_says_where_it_is_from(many: EvaluationRun) -> None:
    """Nobody should take it for an evaluation."""
    assert many.provenance["command"] == "python -m tests.bench --tabs"
    assert Path(many.folder).name == "many"
