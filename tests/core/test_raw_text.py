"""The shipped model on text as people write it: what a name ends at, and what is never one."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmner_core.inference.tagger import Tagger

SHIPPED = Path(__file__).parents[2] / "checkpoints" / "mini"


@pytest.fixture(scope="module")
def shipped() -> Tagger:
    """Load the shipped checkpoint for text alone."""
    return Tagger.load(SHIPPED, images=False)


def names(tagger: Tagger, text: str) -> list[tuple[str, str]]:
    """Return the names of a text with their types; offsets index it as given."""
    entities = tagger.tag(text).entities
    assert all(text[entity.start : entity.end] == entity.text for entity in entities)
    return [(entity.text, entity.type) for entity in entities]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Photo d'Emma Watson", "Emma Watson/PER"),
        ("Album d’Ed Sheeran", "Ed Sheeran/PER"),
        ("Concert d'Adele à Wembley.", "Adele/PER Wembley/LOC"),
        ("Le maire d'Essen, Thomas Kufen.", "Essen/LOC Thomas Kufen/PER"),
    ],
)
def test_a_foreign_name_behind_an_elision(shipped: Tagger, text: str, expected: str) -> None:
    """Found, whatever the language of the name."""
    assert " ".join(f"{name}/{kind}" for name, kind in names(shipped, text)) == expected


@pytest.mark.parametrize("mark", [";", ",", "→", "•", " · ", "|", "/", "(", ")", "[", "]", "!", "?", "»", "«", "…"])
def test_a_mark_without_a_space_ends_a_name(shipped: Tagger, mark: str) -> None:
    """Rome and Paris are two places, whatever stands between them."""
    assert names(shipped, f"Rome{mark}Paris") == [("Rome", "LOC"), ("Paris", "LOC")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Attendees:\nAnna\nOtto\nLena", ["Anna", "Otto", "Lena"]),
        ("Name: Anna\nCity: Berlin", ["Anna", "Berlin"]),
        ("Name:\tKarl Weber\tCity:\tZürich", ["Karl Weber", "Zürich"]),
        ("Roberto: \n\nPablo\n\nCarlos", ["Roberto", "Pablo", "Carlos"]),
        ("Siemens\r\nBosch\r\nBASF", ["Siemens", "Bosch", "BASF"]),
        ("Emma Stone\fRyan Gosling", ["Emma Stone", "Ryan Gosling"]),
        ("Anna Keller\tBerlin\nOtto Kern\tVienna", ["Anna Keller", "Berlin", "Otto Kern", "Vienna"]),
        ("On Tuesday she went to a meeting in the city of New\nYork, but he stayed in Rome.", ["New\nYork", "Rome"]),
    ],
)
def test_a_line_end_or_tab_ends_a_name(shipped: Tagger, text: str, expected: list[str]) -> None:
    """Each line of a list, field of a form and cell of a table has its own; a wrapped sentence goes on."""
    assert [name for name, _ in names(shipped, text)] == expected


@pytest.mark.parametrize("invisible", ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u200e", "\u202c"])
def test_invisible_characters_change_no_answer(shipped: Tagger, invisible: str) -> None:
    """Before a full stop, at the edges and within a name."""
    found = names(shipped, f"{invisible}Emma Sto{invisible}ne visited Prague{invisible}.")
    assert found == [(f"Emma Sto{invisible}ne", "PER"), ("Prague", "LOC")]


@pytest.mark.parametrize(
    "text",
    [
        "Schreib an anna.keller@example.org",
        "Mail Anna.Keller@Siemens.com or see www.Siemens.de today",
        "https://Berlin.de/Anna_Keller is down",
        "thanks @AnnaKeller, thanks @BBC",
    ],
)
def test_addresses_are_never_names(shipped: Tagger, text: str) -> None:
    """E-mail, links, handles: nothing is marked in them, and no tag but O has a share."""
    prediction = shipped.tag(text)
    assert prediction.entities == ()
    address = next(
        i for i, word in enumerate(prediction.words) if "@" in word.text or "/" in word.text or "www" in word.text
    )
    assert prediction.marginals[address, 0] == pytest.approx(1)


@pytest.mark.parametrize(
    "around", ["{%s}", "@%s@", "#%s", "*%s*", "_%s_", "•%s", "[%s]", "~%s~", "👉%s👈", "@ %s", "(%s)"]
)
def test_stray_marks_are_no_part_of_a_name(shipped: Tagger, around: str) -> None:
    """Braces, bullets, markup, a stray "@" or "#"."""
    text = f"{around % 'Emma Watson'} visited Prague."
    assert names(shipped, text) == [("Emma Watson", "PER"), ("Prague", "LOC")]
