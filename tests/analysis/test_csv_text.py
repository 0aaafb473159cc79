"""CSV that a spreadsheet opens without running anything that a user wrote."""

import io

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from analysis.run.csv_text import csv_text


def test_formulas_become_text() -> None:
    """A text that a spreadsheet would run gets an apostrophe, in cells, categories and headings; numbers stay."""
    texts = ["=1+1", "+x", "-x", "@x", "\t=x", "\uff1dx", "plain", ""]
    table = pd.DataFrame({"=type": texts, "category": pd.Categorical(texts), "number": [-1.5, 2, 3, 4, 5, 6, 7, None]})
    read = pd.read_csv(io.StringIO(csv_text(table)), keep_default_na=False)
    expected = [f"'{text}" for text in texts[:6]] + texts[6:]
    assert list(read.columns) == ["'=type", "category", "number"]
    assert read["'=type"].tolist() == read["category"].tolist() == expected
    assert read["number"].tolist()[:3] == ["-1.5", "2.0", "3.0"] and read["number"].tolist()[-1] == ""


@given(st.text())
def test_no_cell_begins_like_a_formula(text: str) -> None:
    """Whatever the text, its cell begins with something harmless and ends as the text does."""
    cell = pd.read_csv(io.StringIO(csv_text(pd.DataFrame({"text": [text, "x"]}))), keep_default_na=False)["text"][0]
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell in (text, f"'{text}") or "\r" in text
