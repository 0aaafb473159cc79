"""The ready examples: twelve, balanced, with photos that exist and are credited."""

from __future__ import annotations

import csv
from collections import Counter
from itertools import pairwise

import pytest
from PIL import Image

from analysis.views.tag.examples import DEMO, credits_html, demo_examples, example_by_number, strip_html


def test_three_examples_per_language() -> None:
    """Twelve examples, three in each language."""
    assert Counter(example.language for example in demo_examples()) == {"en": 3, "fr": 3, "de": 3, "es": 3}


def test_required_kinds_are_there() -> None:
    """One photo stands beside a sentence in all four languages; some example has no photo."""
    photos: dict[str, set[str]] = {}
    for example in demo_examples():
        photos.setdefault(example.photo.name if example.photo else "", set()).add(example.language)
    assert any(photo and languages == {"en", "fr", "de", "es"} for photo, languages in photos.items())
    assert "" in photos


def test_two_pairs_let_the_photo_decide() -> None:
    """In two languages or more, the same words stand beside two photos, one after the other."""
    examples = demo_examples()
    pairs = [(a, b) for a, b in pairwise(examples) if (a.text, a.language) == (b.text, b.language)]
    assert all(a.photo and b.photo and a.photo != b.photo for a, b in pairs)
    assert len({a.language for a, _ in pairs}) >= 2


def credit_rows() -> list[dict[str, str]]:
    """Read the credits that lie beside the photos."""
    with open(DEMO / "CREDITS.tsv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_photos_open_and_are_credited() -> None:
    """Each photo is an image whose author and licence are listed beside it."""
    credited = {row["file"]: row for row in credit_rows()}
    for photo in {example.photo for example in demo_examples() if example.photo}:
        assert credited[photo.name]["licence"]
        with Image.open(photo) as image:
            image.verify()


@pytest.mark.parametrize("number", [None, "", "0", "13", "x", "-1", "²", "1e3", "9" * 5000])
def test_bad_link_opens_no_example(number: str | None) -> None:
    """A link with a wrong number shows the page without an example."""
    assert example_by_number(number) is None


def test_links_count_from_one() -> None:
    """?wb-example=1 is the first example."""
    assert example_by_number("1") == demo_examples()[0]
    assert example_by_number("12") == demo_examples()[-1]


def test_strip_has_a_button_for_each_and_fetches_nothing() -> None:
    """Every example is a button with its text; thumbnails travel inside the page."""
    html = strip_html()
    assert html.count('<button type="button" class="wb-example"') == 12
    assert "http" not in html


def test_page_credits_every_photo_it_shows() -> None:
    """Author and licence of each photo among the examples stand on the page, not only in the repository."""
    html = credits_html()
    for photo in {example.photo for example in demo_examples() if example.photo}:
        row = next(row for row in credit_rows() if row["file"] == photo.name)
        assert row["author"] in html
        assert row["licence"] in html
