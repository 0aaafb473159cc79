"""The slider over the names: which run says what a threshold is worth, and what it hides in the page."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
import pytest
from gradio_client import Client
from playwright.sync_api import Page, expect

from analysis.evaluation.writer import write_run
from analysis.views.research.library import RunLibrary
from analysis.views.tag.least_confidence import LeastConfidence
from mmner_core.errors import InputError
from tests.analysis.small_run import small_table
from tests.app.browsing import PATIENCE, enter, find_names
from tests.app.research_run import EVIL

ROWS = [("Ada saw Rome", "B-PER O B-LOC", "B-PER O B-ORG"), ("Bo saw Lima", "B-PER O B-LOC", "B-PER O B-LOC")]
TEXT = "who else loves Jordan, Phoenix, Victoria and Sofia? Eileen Collins of NASA does"  # four that may be a person
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> RunLibrary:
    """Write two runs: of a model, with and without photos, in a language of a bad name; and of another system."""
    folder = tmp_path_factory.mktemp("runs")
    language = {"language": ["en", EVIL]}
    alone = small_table([(words, gold, gold) for words, gold, _ in ROWS], condition="none", **language)
    tables = pa.concat_tables([small_table(ROWS, **language), alone])
    made_by = {"checkpoint": {"digest": "feed"}, "split": "test", "data": {"path": "/home/somebody/data"}}
    write_run(folder / "ours", tables, metrics={}, provenance=made_by)
    write_run(folder / "theirs", small_table(ROWS, model=False), metrics={}, provenance={"split": "test"})
    return RunLibrary([folder])


def step(html: str, least: str) -> str:
    """Return the sentence of one step of the slider."""
    found = re.search(rf'data-at="{least}" hidden><p>(.*?)</p>', html)
    assert found is not None
    return found[1]


def test_the_run_of_the_model_that_answered_is_asked(library: RunLibrary) -> None:
    """In the answer's language and with or without photos as it was; all names of the run are 0.9 sure."""
    worth = LeastConfidence(library)
    asked = {"digest": "feed", "language": "en", "photo": True}
    html = worth.html(asked)
    assert step(html, "0.90").startswith("English: precision 0.50 (")
    assert step(html, "0.90").endswith("recall 0.50; 2 of 2 names kept, 2 annotated.")
    assert step(html, "0.95") == "English: 0 of 2 names kept, 2 annotated, so none is found."
    assert "run ours: 2 sentences (with their photos) of test, data" in html and "another model" not in html
    assert "precision 1.00" in step(worth.html(asked | {"photo": False}), "0.50")
    assert step(worth.html(asked | {"language": "fr"}), "0.50").startswith("all languages: precision 0.75")
    assert "<script" not in html and "somebody" not in html


def test_the_chosen_run_is_told_to_be_of_another_model(library: RunLibrary) -> None:
    """Numbers of another model are shown, and said to be; a model without a run gets the first there is."""
    worth = LeastConfidence(library)
    assert "another model (feed)" in worth.html({"run": "ours", "digest": "beef"})
    assert "Measured in the run demo" in worth.html({"digest": "beef"})


@pytest.mark.parametrize("asked", [{"run": "nope"}, {"run": "theirs"}, {"run": 5}, {"digest": ["x"]}])
def test_what_cannot_be_said_is_one_sentence(library: RunLibrary, asked: dict[str, Any]) -> None:
    """No such run, no probabilities, or no text at all."""
    html = LeastConfidence(library).html(asked)
    assert html.startswith('<p class="wb-fine">What a threshold is worth is not known here: ') and html.count("<") == 2


def test_programs_ask_for_any_threshold(library: RunLibrary, url: str) -> None:
    """The counts belong to the scores; the call is there for programs, and refuses what is no confidence."""
    found = LeastConfidence(library).scores(0.9, "ours")
    assert (found["run"], found["condition"], found["rule"]) == ("ours", "matched", "lenient")
    first = found["languages"][0]
    assert (first["language"], first["kept"], first["right"], first["gold"], first["precision"]) == (
        "all",
        4,
        3,
        4,
        0.75,
    )
    for least in ("0.5", True, -0.1, 1.1, float("nan"), None):
        with pytest.raises(InputError, match="from 0 to 1"):
            LeastConfidence(library).scores(least)
    reply = Client(url, verbose=False, analytics_enabled=False).predict(0.6, api_name="/threshold")
    assert reply["run"] == "demo" and {row["language"] for row in reply["languages"]} >= {"all", "en", "de", "fr", "es"}


@pytest.mark.browser
def test_names_are_hidden_in_the_page(page: Page, shipped_url: str) -> None:
    """The slider turns doubtful names into plain text and drops their rows; it holds for the next question, too."""
    page.goto(shipped_url)
    enter(page, TEXT, None)
    find_names(page)
    slider, told = page.locator(".wb-least input"), page.locator(".wb-least-hidden")
    marks, rows = page.locator("#wb-result [role=button].wb-mark"), page.locator("#wb-result .wb-row:visible")
    n = marks.count()
    expect(told).to_have_text("All names are shown.")
    expect(page.locator(".wb-least [data-at='0.00'] > p")).to_contain_text("English: precision")
    slider.focus()
    slider.press("End")
    sure = [float(value) >= 0.95 for value in page.locator(".wb-mark").evaluate_all(
        "marks => marks.map(mark => mark.dataset.confidence)")]  # fmt: skip
    expect(marks).to_have_count(sum(sure))
    expect(rows).to_have_count(sum(sure))
    assert sum(sure) < n == len(sure)
    expect(told).to_contain_text(f"{n - sum(sure)} of {n} names hidden")
    expect(page.locator(".wb-least [data-at='0.95'] > p")).to_be_visible()
    expect(page.locator(".wb-least [data-at='0.00'] > p")).to_be_hidden()
    enter(page, f"{TEXT} Again.", None)
    find_names(page)
    expect(told).to_contain_text("names hidden")
    slider.press("Home")
    expect(marks).to_have_count(page.locator(".wb-mark").count())
    expect(marks.first).to_have_attribute("aria-label", re.compile("confidence"))
