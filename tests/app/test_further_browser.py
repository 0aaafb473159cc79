"""What may be asked further, in a real browser: words, a part hidden, a second photo, a link opened again."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from analysis.views.tag.examples import demo_examples
from tests.app.browsing import IN_BROWSER, PATIENCE, enter, find_names, open_example

pytestmark = IN_BROWSER
EXAMPLES = demo_examples()
expect.set_options(timeout=PATIENCE)


def test_the_words_of_the_chosen_name(page: Page, shipped_url: str) -> None:
    """Asked for by a button that names it; another name gets its own."""
    open_example(page, shipped_url, 1)
    words = page.locator("#wb-words")
    for i in (0, 1):
        name = page.locator(".wb-name").nth(i)
        name.click()
        expect(words.get_by_role("button")).to_contain_text(f"“{name.inner_text()}”")
        words.get_by_role("button").click()
        expect(words.locator("h4")).to_contain_text(f"“{name.inner_text()}”")
        expect(words).to_contain_text("random orders")
        assert words.locator(".wb-word").count() >= 8 and words.locator(".wb-word-own").count() >= 1


def test_all_kinds_of_map_of_the_chosen_name(page: Page, shipped_url: str) -> None:
    """Side by side, each under its name and how well it points; another name gets its own."""
    open_example(page, shipped_url, 1)
    kinds = page.locator("#wb-kinds")
    kinds.get_by_role("button").click()
    expect(kinds.locator("h5")).to_have_text(["Attention", "Gradient-weighted attention", "Occlusion"])
    expect(kinds.locator(".wb-kind-points")).to_have_text([re.compile(r"points right in \d+% of")] * 3)
    expect(kinds.locator("img")).to_have_count(3)
    name = page.locator(".wb-name").nth(1)
    name.click()
    expect(kinds.get_by_role("button")).to_contain_text(f"“{name.inner_text()}”")


def test_a_part_is_hidden_by_mouse_and_keyboard(page: Page, shipped_url: str) -> None:
    """Strokes and keys hide cells, which are counted; the second answer stands beside the first, its map over grey."""
    open_example(page, shipped_url, 2)
    page.get_by_role("button", name="Hide a part of the photo").click()
    raster, told = page.locator(".wb-raster"), page.locator(".wb-painted")
    expect(told).to_have_text("Nothing is hidden yet.")
    ask = page.get_by_role("button", name="Ask again without these parts")
    expect(ask).to_be_disabled()
    first, last = (raster.locator(f'[data-cell="{place}"]') for place in ("2,2", "2,6"))
    first.scroll_into_view_if_needed()
    first.hover()
    page.mouse.down()
    last.hover()
    page.mouse.up()
    hidden = raster.locator('[aria-selected="true"]')
    assert hidden.count() >= 2
    n = hidden.count()
    first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    expect(hidden).to_have_count(n + 1)
    expect(raster.locator('[data-cell="3,2"]')).to_be_focused()
    expect(told).to_contain_text(f"{n + 1} of ")
    page.keyboard.press("Enter")
    expect(hidden).to_have_count(n)
    page.get_by_role("button", name="Swap hidden and shown").click()
    ask.click()
    both = page.locator("#wb-painted .wb-side")
    expect(both).to_have_count(2)
    expect(both.nth(0).locator("h4")).to_have_text("With the whole photo")
    expect(both.nth(1).locator("h4")).to_have_text(re.compile(r"With \d+% of it hidden"))
    expect(page.locator("#wb-painted .wb-side-map img")).to_have_count(2)
    expect(page.locator("#wb-painted .wb-grid")).to_contain_text("Jordan")
    page.get_by_role("button", name="Show all", exact=True).click()
    expect(hidden).to_have_count(0)


def test_a_finger_paints(browser: Browser, shipped_url: str) -> None:
    """On a phone a stroke hides cells and does not scroll the page."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, reduced_motion="reduce")
    try:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        open_example(page, shipped_url, 2)
        page.get_by_role("button", name="Hide a part of the photo").tap()
        first = page.locator('[data-cell="2,2"]')
        first.scroll_into_view_if_needed()
        box, before = first.bounding_box(), page.evaluate("scrollY")
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        session = context.new_cdp_session(page)
        for kind, move in (("touchStart", 0), *(("touchMove", i) for i in range(1, 5)), ("touchEnd", None)):
            points = [] if move is None else [{"x": x + move * box["width"], "y": y}]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        expect(page.locator('.wb-raster [aria-selected="true"]')).to_have_count(5)
        assert page.evaluate("scrollY") == before
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    finally:
        context.close()


def test_a_second_photo_is_set_beside_the_first(page: Page, shipped_url: str) -> None:
    """The name changes its type, which is marked on both sides; a click on another name shows its maps."""
    page.goto(shipped_url)
    place, person = EXAMPLES[1], EXAMPLES[2]
    assert person.photo is not None
    enter(page, place.text, place.photo)
    find_names(page)
    page.locator("#wb-second > button").click()
    page.get_by_role("button", name="Ask again and compare").click()
    expect(page.locator("#wb-compared").get_by_role("alert")).to_contain_text("second photo")
    page.locator("#wb-second-photo input[type=file]").first.set_input_files(person.photo)
    page.locator("#wb-second-photo img").first.wait_for()
    page.get_by_role("button", name="Ask again and compare").click()
    compared = page.locator("#wb-compared")
    expect(compared.locator(".wb-summary")).to_contain_text("“Jordan” (LOC) vanishes, “Jordan” (PER) is added")
    expect(compared.locator(".wb-side-map img")).to_have_count(2)
    expect(compared.locator(".wb-mark-changed")).to_have_count(2)
    compared.locator(".wb-name").nth(1).click()
    expect(compared.locator(".wb-name").nth(1)).to_have_attribute("aria-pressed", "true")
    expect(compared.locator(".wb-grid")).to_contain_text("not marked")


def test_a_link_opens_the_same_question(page: Page, shipped_url: str) -> None:
    """Text, photo of the examples, chosen name and map; what was typed stands behind the # that no server sees."""
    page.goto(shipped_url)
    example = EXAMPLES[0]
    enter(page, f"{example.text} & more?", example.photo)
    find_names(page)
    second = page.locator(".wb-name").nth(1)
    name = second.inner_text()
    second.click()
    page.locator("#wb-kind").get_by_label(re.compile("Gradient")).check()
    expect(page.locator(".wb-caption h4")).to_contain_text(f"spoke for “{name}”")
    page.get_by_role("button", name="Copy a link").click()
    link = page.get_by_label("Link to this question").input_value()
    expect(page.locator(".wb-link-copied")).not_to_contain_text("your own photo")
    assert link.startswith(f"{shipped_url}#wb-ask=")
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator(".wb-caption h4")).to_contain_text(f"spoke for “{name}”")
    expect(page.locator("#wb-sentence textarea")).to_have_value(f"{example.text} & more?")
    expect(page.locator(".wb-name").nth(1)).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#wb-kind").get_by_label(re.compile("Gradient"))).to_be_checked()
    page.locator("#wb-sentence textarea").fill("Ada in Rome")
    expect(page).to_have_url(shipped_url)


def test_a_link_cannot_hold_ones_own_photo(page: Page, shipped_url: str, tmp_path: object) -> None:
    """That is said where it is copied, and again where it is opened."""
    from PIL import Image

    photo = f"{tmp_path}/mine.png"
    Image.new("RGB", (64, 48), (200, 30, 30)).save(photo)
    page.goto(shipped_url)
    page.locator("#wb-sentence textarea").fill("Ada Lovelace in Berlin")
    page.locator("#wb-photo input[type=file]").first.set_input_files(photo)
    page.locator("#wb-photo img").first.wait_for()
    find_names(page)
    page.get_by_role("button", name="Copy a link").click()
    expect(page.locator(".wb-link-copied")).to_contain_text("cannot hold your own photo")
    link = page.get_by_label("Link to this question").input_value()
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator("#wb-result")).to_contain_text("had a photo of its own")
    expect(page.locator("#wb-result .wb-mark").first).to_be_visible()
