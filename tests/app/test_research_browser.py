"""The research tabs in a real browser: cells, failures, map, runs and links, driven as a researcher drives them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from analysis.panels.errors import failures_of
from analysis.run.folder import EvaluationRun
from analysis.scores.confusion import Confusion
from tests.app.browsing import IN_BROWSER, PATIENCE, enter, find_names, watched_page
from tests.app.research_run import DATA

pytestmark = IN_BROWSER
expect.set_options(timeout=PATIENCE)
TITLES = {"errors": "Errors", "embedding": "Embedding", "modality": "Modality"}


def part(page: Page, tab: str, name: str) -> Locator:
    """Bring a part into view and wait until it is drawn."""
    found = page.locator(f"#wb-{tab}-{name}")
    found.scroll_into_view_if_needed()
    expect(found).not_to_contain_text("Reading the run")
    expect(found).not_to_have_attribute("aria-busy", "true")
    return found


@pytest.mark.parametrize("tab", list(TITLES))
def test_a_tab_opens_and_is_in_the_address(browser: Browser, page: Page, runs_url: str, tab: str) -> None:
    """A click on a tab shows its first panel with a figure, and the link to it restores it."""
    first = {"errors": "scores", "embedding": "map", "modality": "modality"}[tab]
    page.goto(f"{runs_url}?run=tiny")
    page.get_by_role("tab", name=TITLES[tab]).click()
    expect(part(page, tab, first).locator(".wb-figure svg.main-svg").first).to_be_visible()
    assert f"tab={tab}" in page.url
    buttons = page.locator(".modebar-btn").evaluate_all("buttons => buttons.map(b => b.dataset.title)")
    assert "Download plot as a PNG" in buttons
    assert not [title for title in buttons if "Share" in title]  # that would send the chart to plotly's server
    with watched_page(browser) as (again, _):
        again.goto(page.url)
        expect(part(again, tab, first).locator(".wb-figure svg.main-svg").first).to_be_visible()


def test_a_confusion_cell_opens_its_sentences(page: Page, runs_url: str, runs: Path) -> None:
    """A click on a cell lists as many sentences as it counts, by keyboard too; the cell is in the address."""
    answers = EvaluationRun.open(runs / "tiny").answers()
    counts = Confusion.build(answers).counts()
    cells = ((row, column, int(counts.loc[row, column])) for row in counts.index for column in counts.columns)
    row, column, n = max(cells, key=lambda cell: cell[2])
    page.goto(f"{runs_url}?tab=errors&run=tiny")
    cell = part(page, "errors", "confusion").locator("button.wb-cell").filter(has_text=re.compile(f"^{n:,}$")).first
    cell.focus()
    page.keyboard.press("Enter")
    found = page.locator("#wb-errors-cell")
    expect(found.locator("h4")).to_contain_text(f"{n} entit")
    expect(found.locator(".wb-item").first).to_be_visible()
    assert f"cell={row}%2C{column}" in page.url
    expect(page.locator('#wb-errors-confusion [aria-pressed="true"]')).to_have_text(f"{n:,}")


def test_a_failure_opens_the_inspector(page: Page, runs_url: str, runs: Path) -> None:
    """A click on a failure shows gold over prediction, neighbours, and the model's marginals; Escape closes it."""
    failures = failures_of(EvaluationRun.open(runs / "tiny"))
    page.goto(f"{runs_url}?tab=errors&run=tiny")
    table = part(page, "errors", "failures")
    expect(table.get_by_role("status")).to_contain_text(f"{len(failures):,} error")
    table.locator(".wb-error").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".wb-line-name").filter(has_text="gold")).to_be_visible()
    expect(dialog.locator(".wb-marginals tbody tr").first).to_be_visible()
    expect(dialog.locator(".wb-near").first).to_be_visible()
    assert f"row={failures['sentence_id'].iloc[0]}" in page.url
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert "row=" not in page.url


def test_failures_are_filtered_sorted_and_saved(page: Page, runs_url: str, runs: Path, tmp_path: Path) -> None:
    """A filter typed and a header clicked change the rows; CSV saves what passes the filter."""
    failures = failures_of(EvaluationRun.open(runs / "hand"))
    page.goto(f"{runs_url}?tab=errors&run=hand")
    table = part(page, "errors", "failures")
    table.get_by_label("Column").select_option("error")
    table.get_by_label("Value").fill("missed")
    table.get_by_role("button", name="Add filter").click()
    expect(table.get_by_role("status")).to_contain_text("1 error of 6")
    with page.expect_download() as started:
        table.get_by_role("button", name="CSV").click()
    started.value.save_as(tmp_path / "failures.csv")
    assert pd.read_csv(tmp_path / "failures.csv")["error"].tolist() == ["missed"]
    table.get_by_role("button", name="Remove the filter").click()
    expect(table.get_by_role("status")).to_have_text(f"{len(failures)} errors")
    table.get_by_role("button", name="loss").click()
    expect(table.locator('th[aria-sort="descending"]')).to_contain_text("loss")


def test_run_and_language_change_what_is_shown(page: Page, runs_url: str) -> None:
    """Another run and one language alone give other numbers; what was picked in the old run is dropped."""
    page.goto(f"{runs_url}?tab=errors&run=hand&cell=PER,ORG")
    expect(part(page, "errors", "cell").locator("h4")).to_contain_text("3 entities in 2 sentences")
    page.locator('#wb-errors-controls [data-state="language"]').select_option("en")
    expect(part(page, "errors", "confusion").locator("h3")).to_have_text("Confusion matrix: English")
    expect(page.locator("#wb-errors-cell")).to_have_text("")
    page.locator('#wb-errors-controls [data-state="run"]').select_option("tiny")
    expect(page.locator("#wb-errors-controls")).to_contain_text("sentences of test")
    expect(part(page, "errors", "scores")).to_contain_text("data/tiny")
    assert "wb-run=tiny" in page.url and "cell=" not in page.url


def test_a_turned_page_survives_a_reload(browser: Browser, runs_url: str) -> None:
    """What the page puts into its address bears a prefix, each of it, and the second page is there after a reload."""
    with watched_page(browser) as (page, watch):
        page.goto(f"{runs_url}?__theme=light&utm=x")
        page.get_by_role("tab", name="Errors").click()
        page.locator('#wb-errors-controls [data-state="run"]').select_option("long")
        pager = part(page, "errors", "failures").locator(".wb-pager")
        pager.get_by_role("button", name="Next").click()
        expect(pager).to_contain_text("Page 2 of 3")
        names = {name for name, _ in parse_qsl(urlsplit(page.url).query)}
        assert names == {"__theme", "utm", "wb-tab", "wb-run", "wb-page"}  # gradio's own, a stranger's, and ours
        page.reload()
        expect(part(page, "errors", "failures").locator(".wb-pager")).to_contain_text("Page 2 of 3")
        # A reload cuts off what the page waits for, and it says so; what the server answers is what counts.
        assert [error for error in watch.errors if error[0].isdigit()] == []


def test_a_link_from_before_the_prefix_restores_the_view(page: Page, runs_url: str) -> None:
    """Its names, gradio's ``page`` among them, are read, and give way to ours once something changes."""
    response = page.goto(f"{runs_url}?tab=errors&run=long&page=3&wb-sort=-loss&example=1")
    assert response is not None and response.status == 200
    pager = part(page, "errors", "failures").locator(".wb-pager")
    expect(pager).to_contain_text("Page 3 of 3")
    pager.get_by_role("button", name="Previous").click()
    expect(pager).to_contain_text("Page 2 of 3")
    state = {"wb-example": "1", "wb-tab": "errors", "wb-run": "long", "wb-sort": "-loss", "wb-page": "2"}
    assert dict(parse_qsl(urlsplit(page.url).query)) == state


def test_two_runs_are_compared(page: Page, runs_url: str) -> None:
    """A second run brings the panels that compare; a run over other sentences is told in a sentence."""
    page.goto(f"{runs_url}?tab=errors&run=tiny&other=hand")
    page.locator("#wb-errors-differences").scroll_into_view_if_needed()
    expect(page.locator("#wb-errors-differences")).to_contain_text("compare runs over the same split")


def test_a_link_restores_the_view(page: Page, runs_url: str) -> None:
    """Run, language, cell, filter and inspected sentence all come from the address."""
    filters = json.dumps([["error", "is", "wrong type"]])
    page.goto(f"{runs_url}?tab=errors&run=hand&language=de&cell=PER,ORG&row=5&filters={filters}")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Sentence 5")
    dialog.get_by_role("button", name="Close").click()
    expect(part(page, "errors", "cell").locator("h4")).to_contain_text("2 entities in 1 sentence")
    expect(part(page, "errors", "failures").get_by_role("status")).to_contain_text("2 errors of 6")
    expect(page.locator('#wb-errors-controls [data-state="language"]')).to_have_value("de")


def test_the_map_is_coloured_picked_and_searched(page: Page, runs_url: str) -> None:
    """Types are what it opens with; a picked point lists its sentence; words find sentences from the keyboard."""
    page.goto(f"{runs_url}?tab=embedding&run=tiny")
    legend = part(page, "embedding", "map").locator(".legendtext")
    expect(legend.first).to_have_text("LOC")
    page.locator('#wb-embedding-map [data-state="colour"]').select_option("language")
    expect(legend.first).to_have_text("de")
    assert {"en", "de"} <= set(legend.all_text_contents())
    page.locator("#wb-embedding-map .wb-figure .scatterlayer .point").first.click(force=True)
    picked = page.locator("#wb-embedding-picked")
    expect(picked.locator("h4")).to_contain_text("1 point, 1 sentence")
    search = page.get_by_label("Find a sentence")
    search.fill("zzzz")
    search.press("Enter")
    expect(picked.locator("h4")).to_contain_text("0 sentences")
    assert "find=zzzz" in page.url and "pick=" not in page.url


def test_a_point_shows_its_photo(page: Page, runs_url: str) -> None:
    """The photo comes while the pointer rests on a point, within the map and clear of the pointer, and goes with it."""
    page.goto(f"{runs_url}?tab=embedding&run=tiny")
    drawn = part(page, "embedding", "map")
    expect(drawn.locator(".legendtext").first).to_be_visible()
    photo = drawn.locator(".wb-hover")
    expect(photo).to_be_hidden()
    drawn.locator('.scatterlayer .point[d*="H"]').first.hover(force=True)  # a photo's square
    expect(photo.locator("img")).to_be_visible()
    box, figure = photo.bounding_box(), drawn.locator(".wb-figure").bounding_box()
    assert box is not None and figure is not None
    assert figure["x"] <= box["x"] and box["x"] + box["width"] <= figure["x"] + figure["width"]
    assert figure["y"] <= box["y"] and box["y"] + box["height"] <= figure["y"] + figure["height"]
    drawn.locator("h3").hover()
    expect(photo).to_be_hidden()
    assert "point=" not in page.url


def test_a_text_finds_photos(page: Page, runs_url: str) -> None:
    """A text typed and entered lists the nearest photos, and is in the address; a run of another model says why not."""
    page.goto(f"{runs_url}?tab=embedding&run=tiny")
    field = part(page, "embedding", "search").get_by_label("Text to find photos by")
    field.fill("Amazon in Bilbao")
    field.press("Enter")
    found = page.locator("#wb-embedding-found")
    expect(found.get_by_role("status")).to_contain_text("nearest to “Amazon in Bilbao”")
    expect(found.locator(".wb-item img").first).to_be_visible()
    expect(found.locator(".wb-item-note").first).to_contain_text("cosine")
    assert "wb-ask=Amazon" in page.url
    found.get_by_role("button", name="Inspect sentence").first.click()
    expect(page.get_by_role("dialog").locator(".wb-lines-large")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator('#wb-embedding-controls [data-state="run"]').select_option("hand")
    expect(part(page, "embedding", "found").get_by_role("alert")).to_contain_text("made by another system")
    expect(field).to_have_value("Amazon in Bilbao")


def test_the_visitors_pair_is_placed_on_the_map(page: Page, runs_url: str) -> None:
    """A pair tagged in the first tab gets its place; without one the page says what to do."""
    page.goto(f"{runs_url}?run=tiny")
    page.get_by_role("tab", name="Embedding").click()
    part(page, "embedding", "map")
    page.get_by_role("button", name="Place my pair").click()
    expect(page.locator("[data-own-place]")).to_contain_text("Tag a sentence")
    page.get_by_role("tab", name="Tag").click()
    enter(page, "Ada in Berlin", next((DATA / "images").glob("*.jpg")))
    find_names(page)
    page.get_by_role("tab", name="Embedding").click()
    page.get_by_role("button", name="Place my pair").click()
    expect(page.locator("[data-own-place]")).to_contain_text("text at")
    expect(page.locator("#wb-embedding-map .textpoint").first).to_have_text("your text")


def test_a_gallery_card_opens_the_inspector(page: Page, runs_url: str) -> None:
    """A pair that its image helped or hurt is one click from the inspector."""
    page.goto(f"{runs_url}?tab=modality&run=tiny")
    part(page, "modality", "hurt").locator(".wb-gallery-card").first.click()
    expect(page.get_by_role("dialog").locator(".wb-lines-large")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("tab", list(TITLES))
def test_tabs_fit_a_phone(browser: Browser, runs_url: str, tab: str, scheme: str) -> None:
    """Nothing runs out of the side of a narrow screen, and figures take the colours of the scheme."""
    with watched_page(browser, width=390, scheme="dark" if scheme == "dark" else "light") as (page, watch):
        page.goto(f"{runs_url}?tab={tab}&run=tiny")
        figure = page.locator(".wb-figure[data-drawn]:visible").first
        expect(figure).to_have_attribute("data-drawn", scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert watch.outside == []
        assert watch.errors == []
