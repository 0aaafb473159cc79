"""Error sentences for a line that is no word line, and for a file without words."""

from __future__ import annotations

import re

from mmner_core.errors import InputError
from mmner_core.labels import is_tag

_OTHER_SCHEMES = re.compile(r"[SEULWM]-.+")
_LOWER_CASE = re.compile(r"[bi]-.+|o")


def check_line(word: str, tag: str, line: str, where: str, shape: str) -> None:
    """Explain what is wrong with a word line, if anything is.

    Args:
        word: what was read as its word.
        tag: what was read as its tag.
        line: the line.
        where: file and line number.
        shape: what a word line of the format looks like.

    Raises:
        InputError: if the tag is none.
    """
    if is_tag(tag):
        return
    if not word or not tag:
        raise InputError(f"{where}: no tag found in {quoted(line)}; expected {shape}.")
    raise InputError(
        f"{where}: {quoted(tag)} is not a tag; expected {shape}, where the tag is O, B-TYPE or I-TYPE{_hint(tag)}."
    )


def _hint(tag: str) -> str:
    if len(tag) < 40 and _OTHER_SCHEMES.fullmatch(tag):
        return f" (this one is of BIOES, BILOU or BMEWO: write B-{tag[2:]} where a name begins, else I-{tag[2:]})"
    if len(tag) < 40 and _LOWER_CASE.fullmatch(tag):
        return f" (write {tag[0].upper()}{tag[1:]})"
    return ""


class WordCheck:
    """Checks over a whole file that the column of words does not consist of numbers or blanks."""

    def __init__(self) -> None:
        self._words = self._blank = 0
        self._letters = False
        self._long = self._varied = 0  # sentences of three words or more, and those not of one name and number

    def add(self, words: tuple[str, ...]) -> int:
        """Take the words of a sentence; return how many of them are empty or only white space."""
        blank = 0 if all(map(str.strip, words)) else sum(not word.strip() for word in words)
        self._words += len(words)
        self._blank += blank
        if len(words) > 2:
            self._long += 1
            self._varied += words.count(words[0]) < len(words) or not any(map(str.isdigit, words[0]))
        self._letters = self._letters or not all(map(_is_number, filter(str.strip, words)))
        return blank

    def finish(self, where: str) -> None:
        """Refuse a file in which nothing could be a word.

        Raises:
            InputError: if all words are numbers, most are empty, or all of each sentence are the same.
        """
        if self._words and not self._letters and self._blank < self._words:
            raise InputError(
                f"{where}: every word of this file is a number; if a column of numbers stands before the words, it "
                "must rise by one from word to word and begin anew after a blank line, or be removed."
            )
        if 2 * self._blank > self._words:
            raise InputError(f"{where}: most words of this file are empty; the word must be the first column.")
        if self._long and not self._varied:
            raise InputError(
                f"{where}: in each sentence of this file all words are the same; the word must be the first column."
            )


def _is_number(word: str) -> bool:
    return any(map(str.isdigit, word)) and not any(map(str.isalpha, word))


def quoted(text: str) -> str:
    """Quote a piece of a file, cut to a length that fits a message."""
    return repr(text if len(text) <= 60 else text[:57] + "...")
