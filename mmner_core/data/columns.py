"""Detects which column of a file of tagged words is the word and which holds the names' tags."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mmner_core.labels import is_tag, split_tag

NUMBER = re.compile(r"[0-9]{1,9}")
_TAG_LIKE = re.compile(r"[A-Za-z]-.+")
_CHUNKS = frozenset("NP VP PP ADJP ADVP SBAR PRT CONJP INTJ LST UCP PNP NC VC PC NX VX PX AJP AVP".split())
"""Types of chunks, as CoNLL-2000 and the chunkers after it call them: their tags look like those of names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The positions of word and tag in a line.

    Attributes:
        numbered: whether the first column counts the words and the word stands in the second.
        tag: place of the tag, counted from 0; None: the last column, whichever that is.
        count: how many columns a line has; None: not known, or not the same throughout.
        tabbed: whether a TAB, and nothing else, separates the columns.
        note: what a user should know of the choice; empty where there was none.
    """

    numbered: bool = False
    tag: int | None = None
    count: int | None = None
    tabbed: bool = False
    note: str = ""

    def split(self, line: str) -> list[str]:
        """Return the columns of a line; an empty word before other columns is one of them."""
        if self.tabbed:
            return [column.strip(" ") or column for column in line.rstrip(" \t").split("\t")]
        fields = line.split(" ") if "\t" not in line else re.split("[ \t]", line)
        columns = [field for field in fields if field]
        blank_first = line[:1] in (" ", "\t") and len(columns) in (1, (self.count or 2) - 1)
        return ["", *columns] if blank_first else columns

    def word_and_tag(self, line: str) -> tuple[str, str]:
        """Return a line's word and tag; a missing tag is empty."""
        columns = self.split(line)
        first = int(self.numbered)
        place = len(columns) - 1 if self.tag is None else self.tag
        if not first < place < len(columns) or (self.numbered and not NUMBER.fullmatch(columns[0])):
            return columns[0] if columns else "", ""
        return columns[first], columns[place]


def find_columns(sentences: Sequence[Sequence[str]]) -> Columns:
    """Detect the columns from lines of words.

    Args:
        sentences: the lines of the first sentences of a file, without marks and comments.
    """
    lines = [line for sentence in sentences for line in sentence]
    rough = Columns(tabbed=bool(lines) and all("\t" in line for line in lines))
    rows = [rough.split(line) for line in lines]
    count = Counter(map(len, rows)).most_common(1)[0][0] if rows else 0
    if count < 3:
        return rough
    numbered = _count_words([[rough.split(line)[0] for line in sentence] for sentence in sentences])
    tag, note = _choose_tag([row for row in rows if len(row) == count], 1 + numbered)
    same = all(len(row) in (count, count - 1) for row in rows)
    return Columns(numbered=numbered, tag=tag, count=count if same else None, tabbed=rough.tabbed, note=note)


def _count_words(sentences: Sequence[Sequence[str]]) -> bool:
    """Say whether a column counts the words: from 0 or 1 in each sentence, or one by one through the file."""
    if not sentences or not all(NUMBER.fullmatch(cell) for sentence in sentences for cell in sentence):
        return False
    counts = [[int(cell) for cell in sentence] for sentence in sentences]
    if any(after <= before for numbers in counts for before, after in zip(numbers, numbers[1:], strict=False)):
        return False
    if all(numbers[0] in (0, 1) for numbers in counts):
        return True
    through = [number for numbers in counts for number in numbers]
    one_by_one = all(after == before + 1 for before, after in zip(through, through[1:], strict=False))
    return one_by_one and (through[0] in (0, 1) or len(through) > 2)


def _choose_tag(rows: Sequence[Sequence[str]], first: int) -> tuple[int | None, str]:
    """Return the column of the tags among those from ``first`` on, and a note where several hold tags of names."""
    last = len(rows[0]) - 1
    named = [c for c in range(first, last + 1) if _holds_names([row[c] for row in rows])]
    strange = not all(is_tag(row[last]) for row in rows) and any(_TAG_LIKE.fullmatch(row[last]) for row in rows)
    if not named or named[0] == last or strange:
        return None, ""
    if len(named) > 1:
        others = " and ".join(str(c + 1) for c in named[1:])
        return named[0], f"the columns {named[0] + 1} and {others} hold tags of names; column {named[0] + 1} was read."
    return named[0], f"the tags were read from column {named[0] + 1}."


def _holds_names(cells: Sequence[str]) -> bool:
    tags = set(cells)
    types = {split_tag(tag)[1] for tag in tags if is_tag(tag)} - {""}
    return bool(types - _CHUNKS) and all(map(is_tag, tags))
