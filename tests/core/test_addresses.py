"""Addresses and handles, which are never names, told from what looks like them."""

import pytest

from mmner_core.inference.addresses import address_words
from mmner_core.text.words import split_words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to anna.keller@example.org, please", ["anna.keller@example.org"]),
        ("see https://Berlin.de/Anna or www.Siemens.com now", ["https://Berlin.de/Anna", "www.Siemens.com"]),
        ("via t.co/Abc and bbc.co.uk/News", ["t.co/Abc", "bbc.co.uk/News"]),
        ("RT @bbc: thanks @AnnaKeller and @Otto_Kern!", ["@", "bbc", "@", "AnnaKeller", "@", "Otto_Kern"]),
        ("@Siemens opens", ["@", "Siemens"]),
        ("mail an\u200bna@example.org", ["an\u200bna@example.org"]),
        ("Anna @ Berlin, Anna@Berlin, @Anna@ and @Emma Watson", []),
        ("Amazon.com, Booking.com, AC/DC, 9/11, and/or", []),
    ],
)
def test_addresses_are_found(text: str, expected: list[str]) -> None:
    """E-mail, links and handles; not a stray "@", a bare domain, or a person mentioned by full name."""
    words = split_words(text, "en")
    assert [words[i].text for i in address_words(text, words)] == expected
