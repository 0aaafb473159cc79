"""Finds words that are web or e-mail addresses or handles, which are never names.

A bare domain may be a name ("Amazon.com"), and so may what follows an "@" that stands by itself or within a word, and
what looks like a mention by full name ("@Emma Watson").
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mmner_core.results import Word
from mmner_core.text.readable import readable_word

_ADDRESS = re.compile(
    r"(?i:https?|ftp)://|(?i:www)\.[^\W_]|mailto:|[^\s@]+@[\w-]+(?:\.[\w-]+)+|[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/[\w/]"
)
_HANDLE = re.compile(r"@[\w.]+")


def address_words(text: str, words: Sequence[Word]) -> list[int]:
    """Return the indices of the words that are addresses or parts of a handle."""
    found: list[int] = []
    for i, word in enumerate(words):
        if _ADDRESS.match(readable_word(word.text)) or _HANDLE.fullmatch(word.text):
            found.append(i)
        elif i and word.start == words[i - 1].end and words[i - 1].text == "@" and _is_handle(text, words, i):
            found += [i - 1, i]
    return found


def _is_handle(text: str, words: Sequence[Word], i: int) -> bool:
    """Say whether a word is a handle with the "@" before it."""
    at, end = words[i - 1].start, words[i].end
    if at > 0 and (text[at - 1].isalnum() or text[at - 1] == "_"):
        return False
    if i + 1 == len(words) or not _is_capitalised(words[i].text):
        return True
    following = words[i + 1]
    between = text[end : following.start]
    return not (between == "" and following.text == "@") and not (between == " " and _is_capitalised(following.text))


def _is_capitalised(word: str) -> bool:
    return word.isalpha() and word.istitle() and len(word) > 1
