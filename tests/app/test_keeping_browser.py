"""The inspector in a real browser: correct the gold, keep a slice, edit and ask again, see the Shapley shares."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Locator, Page, expect

from tests.app.browsing import IN_BROWSER, PATIENCE, watched_page
from tests.app.research_run import EVIL
from tests.app.serving import serving

pytestmark = IN_BROWSER
expect.set_options(timeout=PATIENCE)


def inspector(page: Page, url: str) -> Locator:
    """Open a link to a sentence, and wait for the inspector."""
    page.goto(url)
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("#wb-errors-inspect .wb-line-name").first).to_have_text("gold")
    return dialog


def part(page: Page, name: str) -> Locator:
    """Bring a part of the Errors tab into view."""
    found = page.locator(f"#wb-errors-{name}")
    found.scroll_into_view_if_needed()
    expect(found).not_to_contain_text("Reading the run")
    return found


def test_the_gold_of_a_sentence_is_corrected_and_withdrawn(page: Page, runs_url: str, runs: Path) -> None:
    """The prediction is filled in, one tag changed, a note with markup written: all of it shows at once, and after."""
    dialog = inspector(page, f"{runs_url}?wb-tab=errors&wb-run=kept&wb-row=1")
    dialog.get_by_text("The gold is wrong").click()
    form = dialog.locator("form[data-save=correction]")
    form.get_by_role("button", name="Fill in the prediction").click()
    expect(form.locator("select").first).to_have_value("B-ORG")
    form.get_by_label("lives").select_option("B-LOC")
    form.get_by_label("Why").fill(EVIL)
    form.get_by_role("button", name="Keep the correction").press("Enter")
    expect(dialog.locator(".wb-line-name").filter(has_text="corrected")).to_be_visible()
    expect(dialog.locator("#wb-errors-correct")).to_contain_text(EVIL)
    kept = json.loads((runs / "kept" / "corrections.jsonl").read_text())
    assert (kept["tags"], kept["note"], kept["by"]) == (["B-ORG", "B-LOC"], EVIL, "")
    page.keyboard.press("Escape")
    expect(part(page, "corrections")).to_contain_text("[ORG Ada] [LOC lives]")
    expect(part(page, "corrected-scores")).to_contain_text("1 corrected sentence")
    with page.expect_download() as download:
        part(page, "corrections").get_by_role("button", name="corrected (1 sentence)").click()
    assert download.value.suggested_filename == "test.corrected.conll"
    assert "Ada B-ORG\nlives B-LOC\n" in Path(download.value.path()).read_text()
    assert page.title() == "2M-NER Workbench"
    dialog = inspector(page, f"{runs_url}?wb-tab=errors&wb-run=kept&wb-row=1")
    dialog.get_by_role("button", name="Withdraw the correction").click()
    expect(dialog.locator(".wb-line-name").filter(has_text="corrected")).to_have_count(0)


def test_a_filter_is_kept_under_a_name_and_found_in_the_menus(page: Page, runs_url: str) -> None:
    """Kept with a line, chosen from the drop-down after another visit, and removed."""
    filters = json.dumps([["error", "is", "missed"]])
    page.goto(f"{runs_url}?wb-tab=errors&wb-run=kept&wb-filters={filters}")
    kept = part(page, "kept-slices")
    kept.get_by_label("Keep it as").fill(EVIL)
    kept.get_by_label("A line about it").fill("look <b>here</b>")
    kept.get_by_role("button", name="Keep", exact=True).click()
    expect(kept.locator(".wb-chip")).to_have_text(EVIL)
    expect(kept.locator(".wb-kept-note")).to_have_text("look <b>here</b>")
    page.goto(f"{runs_url}?wb-tab=errors&wb-run=kept")
    menu = page.locator("#wb-errors-controls").get_by_label("Slice")
    menu.select_option(EVIL)
    expect(part(page, "failures").get_by_role("status")).to_contain_text("1 error of 6")
    assert json.loads(parse_qs(urlsplit(page.url).query)["wb-filters"][0]) == [["error", "is", "missed"]]
    part(page, "kept-slices").get_by_role("button", name="Remove the slice").click()
    page.locator("#wb-errors-controls").scroll_into_view_if_needed()  # what is out of sight is not drawn anew
    expect(menu).to_have_count(0)
    assert page.title() == "2M-NER Workbench"


def test_a_sentence_is_edited_and_asked_again_and_the_link_restores_it(
    browser: Browser, page: Page, runs_url: str
) -> None:
    """The first tab has the run's sentence and photo; an edited one is in the link, beside the view it came from."""
    dialog = inspector(page, f"{runs_url}?wb-tab=errors&wb-run=tiny&wb-row=0&wb-language=en")
    words = dialog.locator("[data-again]").get_attribute("data-again")
    dialog.get_by_role("button", name="Edit and ask again").click()
    sentence = page.locator("#wb-sentence textarea")
    expect(sentence).to_have_value(words or "no words")
    expect(sentence).to_be_focused()
    page.locator("#wb-photo img").first.wait_for()
    page.locator("#wb-result .wb-result").wait_for()
    sentence.fill("greetings from Berlin")
    page.locator("#wb-run").click()
    expect(page.locator("#wb-result")).to_contain_text("Berlin")
    found = {name: value[0] for name, value in parse_qs(urlsplit(page.url).query).items()}
    assert found == {"wb-run": "tiny", "wb-row": "0", "wb-language": "en"}
    assert urlsplit(page.url).fragment == "wb-again=greetings%20from%20Berlin"  # browsers send it to no server
    with watched_page(browser) as (again, watch):
        again.goto(page.url)
        expect(again.locator("#wb-sentence textarea")).to_have_value("greetings from Berlin")
        again.locator("#wb-photo img").first.wait_for()
        expect(again.locator("#wb-result")).to_contain_text("Berlin")
        again.get_by_role("tab", name="Errors").click()
        expect(again.get_by_role("dialog").locator(".wb-line-name").first).to_be_visible()
        assert watch.errors == []


def test_the_inspector_shows_who_earns_the_probability(page: Page, runs_url: str) -> None:
    """A bar per entity, with text and both image streams in the legend."""
    dialog = inspector(page, f"{runs_url}?wb-tab=errors&wb-run=tiny&wb-row=0")
    expect(dialog.locator(".wb-share-row").first).to_be_visible()
    expect(dialog).to_contain_text("image, ResNet stream")


def test_nothing_can_be_kept_where_it_is_not_allowed(tiny_checkpoint: Path, runs: Path, page: Page) -> None:
    """A read-only server shows what was kept and no form."""
    with serving(tiny_checkpoint, "--runs", str(runs), "--visitor-rate", "0", "--no-annotations") as url:
        inspector(page, f"{url}?wb-tab=errors&wb-run=kept&wb-row=1")
        page.keyboard.press("Escape")
        part(page, "corrections")
        expect(page.locator("form[data-save]")).to_have_count(0)
