"""One walk through the app in a real browser, short enough for every ``make test``: a photo decides, a tab opens."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from analysis.views.tag.examples import demo_examples
from mmner_core.serving.config import SHIPPED
from tests.app.browsing import IN_BROWSER, PATIENCE, chromium, enter, find_names, watched_page
from tests.app.serving import serving

pytestmark = IN_BROWSER


def test_a_visitor_tags_a_sentence_and_opens_a_research_tab() -> None:
    """Marks, a heat map for the mark that is clicked, and the first figure of a tab; nothing leaves this machine."""
    example = demo_examples()[0]
    with serving(SHIPPED) as url, chromium() as browser, watched_page(browser) as (page, watch):
        page.goto(url)
        enter(page, example.text, example.photo)
        find_names(page)
        mark = page.locator(".wb-mark").first
        mark.click()
        name = mark.evaluate("mark => mark.firstChild.textContent")
        expect(page.locator("#wb-overlay img")).to_have_attribute("alt", re.compile(re.escape(name)), timeout=PATIENCE)
        page.get_by_role("tab", name="Errors").click()
        figure = page.locator("#wb-errors-scores .wb-figure svg.main-svg").first
        expect(figure).to_be_visible(timeout=PATIENCE)
        assert watch.outside == []
        assert watch.errors == []
