"""Tables of experiments as Markdown: numbers in points with their interval, marks, nothing where nothing is known."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.experiment.tables import ResultTable, points, with_interval


@pytest.mark.parametrize(
    ("value", "sign", "text"),
    [(0.8254, False, "82.5"), (-0.0345, True, "−3.5"), (0.07, True, "+7.0"), (-0.0001, True, "0.0"), (0, False, "0.0")],
)
def test_fractions_are_written_in_points(value: float, sign: bool, text: str) -> None:
    """One digit, a true minus, and none before a zero."""
    assert points(value, sign=sign) == text


def test_an_interval_stands_beside_its_number() -> None:
    """Where there is one; a number that is not defined is a dash."""
    assert with_interval({"f1": 0.5, "low": 0.4, "high": 0.61}) == "50.0 (40.0 to 61.0)"
    assert with_interval({"f1": 0.5, "low": None, "high": None}) == "50.0"
    assert with_interval({"f1": None, "low": None, "high": None}) == "–"
    assert with_interval({"difference": -0.1, "low": -0.2, "high": 0.0}, "difference") == "−10.0 (−20.0 to 0.0)"


def test_rows_go_down_and_columns_across() -> None:
    """In the order of the frame; a combination that was not measured is a dash, a marked cell has a dagger."""
    frame = pd.DataFrame(
        {
            "trained on": ["b", "b", "a|c"],
            "tested on": ["y", "x", "x"],
            "f1": [0.1, 0.2, 0.3],
            "low": [None, 0.1, None],
            "high": [None, 0.3, None],
            "new": [True, False, False],
        }
    )
    table = ResultTable(
        id="t", title="Title", frame=frame, rows="trained on", columns="tested on", mark="new", notes=("One.", "Two.")
    )
    assert table.to_markdown() == (
        "**Title**\n\n"
        "| trained on | y | x |\n| --- | ---: | ---: |\n| b | 10.0 † | 20.0 (10.0 to 30.0) |\n| a\\|c | – | 30.0 |\n\n"
        "- One.\n- Two.\n"
    )
