"""Where a name ends though no mark says so: lines, paragraphs, fields, cells."""

from __future__ import annotations

import time

import pytest

from mmner_core.text.segments import parts_of
from mmner_core.text.words import split_words

WRAPPED = "In her speech on Tuesday evening in Hamburg, Chancellor Angela"


def parts(text: str) -> list[str]:
    """Return each part as it is read, behind the mark that is read before it; "/" where it is read apart."""
    words = split_words(text, "en")
    found = parts_of(text, words)
    stops = [*(part.start for part in found[1:]), len(words)]
    return [
        f"{'/' if part.mark is None else part.mark} {' '.join(word.text for word in words[part.start : stop])}"
        for part, stop in zip(found, stops, strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Attendees:\nAnna\nOtto\nLena", ["/ Attendees :", ", Anna", ", Otto", ", Lena"]),
        ("Siemens\r\nBosch\rBASF", ["/ Siemens", ", Bosch", ", BASF"]),
        ("Name: Anna\nCity: Berlin", ["/ Name : Anna", ". City : Berlin"]),
        ("Name:\tAnna\tCity:   Berlin", ["/ Name : Anna", "/ City : Berlin"]),
        ("Pablo Ruiz\n\nCarlos Vega", ["/ Pablo Ruiz", "/ Carlos Vega"]),
        ("Pablo \n \u200b\n Carlos", ["/ Pablo", "/ Carlos"]),
        ("Anna\fOtto\u2029Lena", ["/ Anna", "/ Otto", "/ Lena"]),
        ("Anna\tUlm\nOtto\tGraz", ["/ Anna", "/ Ulm", ", Otto", "/ Graz"]),
        ("Anna   Ulm", ["/ Anna", "/ Ulm"]),
        ("Anna  Keller", ["/ Anna Keller"]),
        ("anna\notto\nlena", ["/ anna", ", otto", ", lena"]),
        ("- Anna\n- Otto", ["/ - Anna", ", - Otto"]),
        ("the year 1. Anna\n2. Otto came", ["/ the year 1 . Anna", ". 2 . Otto came"]),
        ("I went to Paris\nLyon is next.", ["/ I went to Paris", ". Lyon is next ."]),
        ("He is in Rome.\nParis is next.", ["/ He is in Rome .", ". Paris is next ."]),
        ("[12:30] Anna: in Rome?\n[12:31] Otto: no", ["/ [ 12:30 ] Anna : in Rome ?", ". [ 12:31 ] Otto : no"]),
    ],
)
def test_a_line_end_that_ends_a_name(text: str, expected: list[str]) -> None:
    """Lists, forms, tables, chats, paragraphs, sentences; with what is read in place of the missing mark."""
    assert parts(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Yesterday the chancellor\nspoke in Berlin",
        "He lives in the city of New\nyork and works there",
        "She moved to the\nUnited States",
        "We met Anna,\nOtto and Lena",
        "She lives near St.\nLouis in a house",
        "It is a U.S.\ngovernment plan",
        f"{WRAPPED}\nMerkel spoke about Europe.",
    ],
)
def test_a_wrapped_sentence_goes_on(text: str) -> None:
    """A lower-case letter, an article, a comma, or a full line of prose: the line end is but a space."""
    assert len(parts(text)) == 1


def test_a_long_line_with_room_for_the_next_word_was_not_wrapped() -> None:
    """Headlines of different lengths, one a line."""
    assert len(parts(f"{WRAPPED} spoke again\n{WRAPPED}\nMerkel spoke")) == 3


@pytest.mark.parametrize("unit", ["a\n", "A\n\n", " \t", "Ab\tC\n", "a \u200b\n", "word " * 20 + "\n"])
def test_time_grows_with_the_length(unit: str) -> None:
    """50,000 characters of line ends and tabs take a moment."""
    text = unit * (50_000 // len(unit))
    words = split_words(text, "en")
    began = time.process_time()
    parts_of(text, words)
    assert time.process_time() - began < 3
