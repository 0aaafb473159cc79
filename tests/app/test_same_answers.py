"""The Tag tab and the command line give one text the same answer, of every kind of text that people type."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from analysis.views.tag.sentences import LANGUAGE_NAMES
from tests.app.browsing import IN_BROWSER, PATIENCE, enter, find_names
from tests.core.test_cli import parsed

pytestmark = IN_BROWSER
TEXTS = (
    "Une affiche d’Omar Sy",  # an elision with a curly apostrophe
    "Oslo;Lima;Quito",  # marks without a space
    "Guests:\nMona\nPaul\nRita",  # a list
    "Name\tCity\nEva\tBern",  # a pasted table
    "Wait, is Dublin\u200b nice? Ask Pedro\u00ad!",  # characters that nobody sees
    "Claras Rad steht in Köln.",  # a genitive
    "REBECCA MEETS MAYOR OF GLASGOW",  # a headline
    "La Sra. Molina trabaja en Iberia",  # a title before a name
    "@volvocars pls call me, or write to help@example.org #Gothenburg",  # a post
    "{Hamburg} → [Kiel] • (Bonn)",  # bullets and brackets
)


def test_ten_texts_are_tagged_alike_in_the_page_and_in_the_shell(page: Page, shipped_url: str) -> None:
    """The same names, types, confidences and language."""
    page.goto(shipped_url)
    for text in TEXTS:
        answer = parsed("tag", "--text", text)
        enter(page, text, None)
        find_names(page)
        result = page.locator("#wb-result")
        told = LANGUAGE_NAMES[answer["language"]]
        expect(result.locator(".wb-facts")).to_contain_text(f"{told}, detected", timeout=PATIENCE)
        assert _rows(result.locator(".wb-row").all_inner_texts()) == [
            (entity["text"], entity["type"], f"{entity['confidence']:.2f}", f"{entity['start']}–{entity['end']}")
            for entity in answer["entities"]
        ], text


def _rows(rows: list[str]) -> list[tuple[str, ...]]:
    """Return name, type, confidence and characters of each row of the table."""
    found = [re.fullmatch(r"(?s)(.*?)\s+(PER|LOC|ORG|MISC)\b.*?([01]\.\d\d).*?(\d+–\d+).*", row) for row in rows]
    return [match.groups() for match in found if match]
