"""Named slices: a filter under a name with a line about it, found again in the report; hostile names and files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from analysis.panels.kept_slices import kept_slices
from analysis.panels.scores import scores_of
from analysis.report.document import collect
from analysis.report.html import render
from analysis.report.tables import write_csv
from analysis.run.folder import EvaluationRun
from analysis.scores import kept_slices as module
from analysis.scores.kept_slices import SLICES, KeptSlice, forget_slice, keep_slice, read_slices
from analysis.scores.query import Filter
from mmner_core.errors import InputError
from tests.analysis.report_run import EVIL, model_run

MISSED = (Filter(column="error", operator="is", value="missed"),)


@pytest.fixture
def run(tmp_path: Path) -> EvaluationRun:
    """Write a run."""
    return model_run(tmp_path)


def kept(name: str, filters: tuple[Filter, ...] = MISSED, **facts: str) -> KeptSlice:
    """Make a slice."""
    return KeptSlice(name=name, filters=filters, **{"language": "", "condition": "", "note": ""} | facts)


def test_a_slice_is_found_again_with_its_errors(run: EvaluationRun) -> None:
    """Its number of errors is that of the filter, its share is of the errors of its language and condition."""
    keep_slice(run, kept("  overlooked  ", note="look at  these", by="ada"))
    keep_slice(run, kept("German ones", language="de", condition="blank"))
    found = read_slices(EvaluationRun.open(run.folder))
    assert list(found) == ["overlooked", "German ones"]
    assert (found["overlooked"].note, found["overlooked"].by) == ("look at these", "ada") and found["overlooked"].at
    table = kept_slices(run).table.set_index("slice")
    assert table.loc["overlooked", "filter"] == "error is missed"
    assert 0 < table.loc["overlooked", "errors"] <= table.loc["overlooked", "n_sentences"] * 2
    assert table.loc["German ones", "condition"] == "blank" and 0 <= table.loc["German ones", "share"] <= 1


def test_a_name_takes_the_last_content_and_can_be_forgotten(run: EvaluationRun) -> None:
    """What was kept before stays in the file."""
    keep_slice(run, kept("a"))
    keep_slice(run, kept("a", filters=(), note="all"))
    assert read_slices(run)["a"].filters == ()
    forget_slice(run, "a", by="bo")
    assert read_slices(run) == {}
    assert [json.loads(line)["name"] for line in (run.folder / SLICES).read_text().splitlines()] == ["a"] * 3
    with pytest.raises(InputError, match="no slice 'a'"):
        forget_slice(run, "a")


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\u202eb", "a\0b"])
def test_a_name_must_be_one(run: EvaluationRun, name: str) -> None:
    """Of some length, and all of it to be seen."""
    with pytest.raises(InputError, match="needs a name"):
        keep_slice(run, kept(name))
    assert not (run.folder / SLICES).exists()


def test_there_is_an_end_to_them(run: EvaluationRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """A menu of thousands is none."""
    monkeypatch.setattr(module, "MAX_SLICES", 1)
    keep_slice(run, kept("a"))
    keep_slice(run, kept("a"))
    with pytest.raises(InputError, match="remove one first"):
        keep_slice(run, kept("b"))


def test_a_slice_that_does_not_fit_takes_no_panel_with_it(run: EvaluationRun) -> None:
    """Of a condition or a column that the run does not have: the row says so."""
    keep_slice(run, kept("fog", condition="fog"))
    keep_slice(run, kept("other", filters=(Filter(column="colour", operator="is", value="red"),)))
    table = kept_slices(run).table.set_index("slice")
    assert "no image condition 'fog'" in table.loc["fog", "problem"]
    assert "no column 'colour'" in table.loc["other", "problem"]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        '{"name": 5}',
        '{"name": "a", "filters": 7}',
        '{"name": "a", "filters": [["x"]]}',
        '{"name": "a", "filters": [["text", "like", "x"]]}',
        '{"name": "a", "note": {}}',
    ],
)
def test_a_damaged_file_is_named_with_its_line(run: EvaluationRun, line: str) -> None:
    """The panel says so; the others are there."""
    (run.folder / SLICES).write_text(line)
    with pytest.raises(InputError, match=r"slices\.jsonl:1"):
        read_slices(run)
    assert "slices.jsonl:1" in " ".join(kept_slices(run).notes)


def test_report_and_csv_hold_names_and_notes_as_text(run: EvaluationRun, tmp_path: Path) -> None:
    """Neither markup nor formula."""
    keep_slice(run, kept(EVIL, note="=HYPERLINK(1)", by=EVIL))
    document = collect(run, only="kept-slices")
    page = render(document)
    assert EVIL not in page and "&lt;script&gt;document.title" in page
    write_csv(document, tmp_path / "tables")
    assert "'=HYPERLINK(1)" in (tmp_path / "tables" / "kept-slices.csv").read_text()


def test_a_slice_has_the_f1_of_all_entities_that_its_filters_fit(run: EvaluationRun) -> None:
    """Right ones too: of a language and a type the F1 that the score table has; from the filter of either side."""
    french = (Filter(column="language", operator="is", value="fr"),)
    keep_slice(run, kept("French", filters=french))
    for side in ("gold", "predicted"):
        keep_slice(run, kept(side, filters=(Filter(column=f"{side}_type", operator="is", value="PER"),), language="fr"))
    table, expected = kept_slices(run).table.set_index("slice"), scores_of(run).set_index(["language", "type"])
    columns = ["f1", "n_gold", "n_predicted"]
    assert table.loc["French", columns].tolist() == expected.loc[("fr", "all"), columns].tolist()
    for side in ("gold", "predicted"):
        assert table.loc[side, columns].tolist() == expected.loc[("fr", "PER"), columns].tolist()
    assert table.loc["French", "low"] < table.loc["French", "f1"] < table.loc["French", "high"]


@pytest.mark.parametrize(
    ("columns", "told"), [(("error",), "“error is missed” fits errors only"), (("gold_type", "predicted_type"), "both")]
)
def test_a_slice_that_looks_at_the_outcome_has_no_f1(run: EvaluationRun, columns: tuple[str, ...], told: str) -> None:
    """It says why, in the table and in the list."""
    keep_slice(
        run, kept("chosen", filters=tuple(Filter(column=name, operator="is", value="missed") for name in columns))
    )
    row = kept_slices(run).table.iloc[0]
    assert np.isnan(row["f1"]) and told in row["about_f1"]
