"""The first tab in a real browser: the twelve examples typed and uploaded, names clicked, nothing fetched outside."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from analysis.views.tag.examples import DemoExample, demo_examples
from analysis.views.tag.sentences import LANGUAGE_NAMES
from tests.app.browsing import IN_BROWSER, PATIENCE, enter, find_names, open_example, watched_page

pytestmark = IN_BROWSER
EXAMPLES = demo_examples()
expect.set_options(timeout=PATIENCE)


@pytest.fixture
def home(page: Page, shipped_url: str) -> Page:
    """Open the app without an example."""
    page.goto(shipped_url)
    return page


def caption(page: Page) -> str:
    """Return the heading of the heat map's caption."""
    return page.locator(".wb-caption h4").inner_text()


@pytest.mark.parametrize("number", range(1, 13))
def test_example_typed_and_uploaded(home: Page, number: int) -> None:
    """Typing an example's text and uploading its photo gives marks, a table row each, and a heat map per name."""
    example: DemoExample = EXAMPLES[number - 1]
    enter(home, example.text, example.photo)
    find_names(home)
    result = home.locator("#wb-result")
    expect(result.locator(".wb-facts")).to_contain_text(f"{LANGUAGE_NAMES[example.language]}, detected")
    marks, rows = result.locator(".wb-mark"), result.locator(".wb-row")
    names = marks.evaluate_all("marks => marks.map(mark => mark.firstChild.textContent)")
    assert names == result.locator(".wb-name").all_inner_texts()
    assert bool(names) == (number != 12)
    expect(rows).to_have_count(len(names))
    for i, name in enumerate(names):
        assert re.fullmatch(r"(?s).*\b(PER|LOC|ORG|MISC)\b.*[01]\.\d\d.*\d+–\d+.*", rows.nth(i).inner_text())
        if example.photo:
            marks.nth(i).click()
            expect(home.locator(".wb-caption h4")).to_contain_text(f"“{name}”")
            expect(home.locator("#wb-overlay img")).to_have_attribute("alt", re.compile(re.escape(name)))
    if not example.photo:
        expect(home.locator("#wb-overlay")).to_have_count(0)
        expect(result).to_contain_text("No photo, so no heat map")


def test_photo_changes_the_answer(page: Page, shipped_url: str) -> None:
    """The same words with two photos get two types, and the page says that the photo decided."""
    open_example(page, shipped_url, 2)
    kind, told = page.locator(".wb-type").first, page.locator("#wb-result")
    expect(kind).to_have_text("LOC")
    page.locator('[data-example="3"]').click()
    expect(kind).to_have_text("PER")
    expect(told).to_contain_text("the photo decided")


def test_link_restores_an_example(page: Page, shipped_url: str) -> None:
    """?wb-example=5 shows that example and its result; editing the sentence drops it from the address."""
    open_example(page, shipped_url, 5)
    sentence = page.locator("#wb-sentence textarea")
    expect(sentence).to_have_value(EXAMPLES[4].text)
    assert page.url.endswith("?wb-example=5")
    sentence.fill("something else")
    expect(page).to_have_url(shipped_url)


def test_keyboard_alone_is_enough(home: Page) -> None:
    """Ctrl+Enter tags; Tab reaches a name and Enter shows its map."""
    example = EXAMPLES[0]
    enter(home, example.text, example.photo)
    home.locator("#wb-sentence textarea").press("Control+Enter")
    marks = home.locator(".wb-mark")
    marks.first.wait_for()
    marks.first.focus()
    home.keyboard.press("Tab")
    home.keyboard.press("Enter")
    second = home.locator(".wb-name").nth(1).inner_text()
    expect(home.locator(".wb-caption h4")).to_contain_text(f"“{second}”")
    expect(marks.nth(1)).to_have_attribute("aria-pressed", "true")


def test_controls_redraw_the_map(page: Page, shipped_url: str) -> None:
    """Opacity, cells, a single head and the random map each change the image; the caption says which it is."""
    open_example(page, shipped_url, 1)
    image = page.locator("#wb-overlay img")
    seen = {image.get_attribute("src")}
    for change in (
        lambda: page.get_by_label("Random map").check(),
        lambda: page.get_by_label("Show the cells").check(),
        lambda: page.locator("#wb-map input[type=number]").fill("0.2"),
        lambda: (page.get_by_label("Attention head").click(), page.get_by_role("option", name="Head 2").click()),
    ):
        before = image.get_attribute("src")
        change()
        page.keyboard.press("Tab")
        expect(image).not_to_have_attribute("src", before or "")
        seen.add(image.get_attribute("src"))
    assert len(seen) == 5
    assert caption(page).startswith("Shuffled places for")


def test_the_kind_of_map_is_chosen(page: Page, shipped_url: str) -> None:
    """Each is drawn when it is asked for, and for the next name as well; streams and heads are of attention alone."""
    open_example(page, shipped_url, 1)
    image, head = page.locator("#wb-overlay img"), page.get_by_label("Attention head")
    assert caption(page).startswith("Where the model looked for")
    for kind, title in (("Gradient-weighted", "spoke for"), ("Occlusion", "needs of the photo")):
        before = image.get_attribute("src")
        page.locator("#wb-kind").get_by_label(re.compile(kind)).check()
        expect(image).not_to_have_attribute("src", before or "")
        expect(page.locator(".wb-caption h4")).to_contain_text(title)
        expect(head).to_be_hidden()
    second = page.locator(".wb-name").nth(1)
    second.click()
    expect(page.locator(".wb-caption h4")).to_have_text(
        f"What the answer for “{second.inner_text()}” needs of the photo"
    )
    page.locator("#wb-kind").get_by_label(re.compile("Attention")).check()
    expect(head).to_be_visible()


def test_markup_in_the_text_stays_text(home: Page) -> None:
    """What a visitor types is shown, never run."""
    text = "<script>document.title='x'</script> <img src=x onerror=\"document.title='x'\"> ${1+1} {{title}} Berlin"
    enter(home, text, None)
    find_names(home)
    shown = re.sub(r"(PER|LOC|ORG|MISC) [01]\.\d\d", "", home.locator(".wb-text").inner_text())
    assert shown == text
    assert home.title() == "2M-NER Workbench"


def test_problem_is_one_sentence_and_the_page_lives_on(home: Page) -> None:
    """An empty text is told in place of the result; the next question is answered."""
    enter(home, "   ", None)
    find_names(home)
    expect(home.get_by_role("alert")).to_contain_text("text")
    enter(home, EXAMPLES[8].text, None)
    find_names(home)
    expect(home.locator(".wb-mark").first).to_be_visible()


def test_download_is_the_stable_json(page: Page, shipped_url: str, tmp_path: Path) -> None:
    """The JSON link saves the result as a file."""
    open_example(page, shipped_url, 9)
    with page.expect_download() as started:
        page.get_by_role("link", name="JSON").click()
    started.value.save_as(tmp_path / "names.json")
    saved = json.loads((tmp_path / "names.json").read_text(encoding="utf-8"))
    assert saved["text"] == EXAMPLES[8].text
    assert {"start", "end", "confidence", "runner_up"} <= saved["entities"][0].keys()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_page_fits_the_screen(browser: Browser, shipped_url: str, width: int, scheme: str) -> None:
    """Nothing runs out of the side of the screen, in either scheme."""
    with watched_page(browser, width=width, scheme="dark" if scheme == "dark" else "light") as (page, watch):
        open_example(page, shipped_url, 1)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        dark = page.evaluate("document.body.classList.contains('dark')")
        assert dark == (scheme == "dark")
        assert watch.outside == []
        assert watch.errors == []
