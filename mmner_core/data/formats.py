"""The part all column formats share: lines to tagged sentences and back.

A :class:`Format` says how one format writes a word line and an image line; the splitting into sentences, the checks
and their messages are here, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from mmner_core.data.example import Example
from mmner_core.data.report import ReadReport
from mmner_core.errors import InputError
from mmner_core.labels import repair, split_tag

DOCUMENT_MARK = "-DOCSTART-"


class Sentence(NamedTuple):
    """A tagged sentence as the file has it, tags repaired to IOB2; ``line`` is the number of its first line."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    image_id: str | None
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A column format.

    Attributes:
        name: what the command line calls it.
        shape: what a word line looks like, for messages.
        parse_word: a line to (word, tag); either may come out empty, the caller checks.
        header: the first characters of an image (or comment) line, None where the format has none.
        parse_header: such a line to its image id, "" where it names none, None where it is a word line after all.
        format_word: (position in the sentence, word, tag) to a line without its end.
        format_image: an image id to a line; None where the format cannot carry images.
        tabbed: whether columns are separated by TAB, so that spaces instead are worth a count.
        iob1: whether files of this format may be IOB1.
    """

    name: str
    shape: str
    parse_word: Callable[[str], tuple[str, str]]
    header: str | None
    parse_header: Callable[[str], str | None]
    format_word: Callable[[int, str, str], str]
    format_image: Callable[[str], str] | None
    tabbed: bool
    iob1: bool = False

    def iter_sentences(self, lines: Iterable[str], where: str, report: ReadReport | None = None) -> Iterator[Sentence]:
        """Yield the sentences of a file; ``where`` is its name in messages, ``report`` collects the counts.

        Raises:
            InputError: naming ``where:line`` for a line that is no word line, a tag that is not IOB2, or an image
                line in the middle of a sentence.
        """
        report = report if report is not None else ReadReport()
        orphans, begins = 0, 0
        for sentence in self._split(lines, where, report):
            tags, changed = repair(sentence.tags)
            if self.iob1:
                begins += _iob2_begins(sentence.tags)
            if changed:
                orphans += changed
                sentence = sentence._replace(tags=tuple(tags))
            yield sentence
        # IOB1 writes B- only between two neighbours of one type, so one B- elsewhere proves IOB2. The conversion
        # is the same as the repair of orphans; only what the user is told differs.
        if self.iob1 and orphans and not begins:
            report.iob1_files.append(where)
        else:
            report.repaired_tags += orphans

    def _split(self, lines: Iterable[str], where: str, report: ReadReport) -> Iterator[Sentence]:
        parse_word, header, tabbed = self.parse_word, self.header, self.tabbed
        known: dict[str, str] = {}  # tag -> the one string object used for it
        words: list[str] = []
        tags: list[str] = []
        image_id: str | None = None
        first = 0  # line number of the open sentence, 0 when none is open
        number = 0
        for number, line in enumerate(lines, 1):
            if not line or (line[0] in " \t" and not line.strip(" \t")):
                if first:
                    yield from _finish(words, tags, image_id, first, report)
                    words, tags, image_id, first = [], [], None, 0
                continue
            if header is not None and line.startswith(header):
                found = self.parse_header(line)
                if found is not None:
                    if found and (words or image_id):
                        raise InputError(
                            f"{where}:{number}: an image line inside the sentence that began at line {first}; "
                            "put a blank line before it."
                        )
                    image_id = found or image_id
                    first = first or number
                    continue
            word, tag = parse_word(line)
            if not word or tag not in known:
                self._check(word, tag, line, f"{where}:{number}")
                known[tag] = tag
            if tabbed and "\t" not in line:
                report.space_separated += 1
            first = first or number
            words.append(word)
            tags.append(known[tag])
        if first:
            yield from _finish(words, tags, image_id, first, report)

    def _check(self, word: str, tag: str, line: str, where: str) -> None:
        """Explain what is wrong with a word line, if anything is."""
        try:
            split_tag(tag)
            legal = tag.split() == [tag]
        except InputError:
            legal = False
        if legal and not word:
            raise InputError(f"{where}: there is no word before the tag {tag!r}; expected {self.shape}.")
        if not legal and (not word or not tag):
            raise InputError(f"{where}: no tag found in {_short(line)}; expected {self.shape}.")
        if not legal:
            raise InputError(
                f"{where}: {_short(tag)} is not a tag; expected {self.shape}, where the tag is O, B-TYPE or I-TYPE."
            )

    def format_sentence(self, example: Example) -> str:
        """Return the lines of a sentence with the blank line after it; an image id the format lacks is left out.

        Raises:
            InputError: if the sentence is unlabelled or holds a word that would not be read back as written.
        """
        where = f"{example.where}: " if example.where else ""
        if example.tags is None or len(example.tags) != len(example.words):
            raise InputError(f"{where}a sentence needs one tag per word to be written as {self.name}.")
        if not example.words or example.words[0] == DOCUMENT_MARK:
            raise InputError(f"{where}a sentence needs at least one word, and {DOCUMENT_MARK} is not one.")
        lines = []
        if example.image_id is not None and self.format_image is not None:
            lines.append(self._image_line(example.image_id, self.format_image, where))
        for i, (word, tag) in enumerate(zip(example.words, example.tags, strict=True)):
            self._check("word", tag, tag, f"{where}word {i + 1}")
            lines.append(self._word_line(i, word, tag, where))
        return "\n".join(lines) + "\n\n"

    def _word_line(self, position: int, word: str, tag: str, where: str) -> str:
        """Write a word, and prove that it will be read back."""
        line = self.format_word(position, word, tag)
        header = self.header is not None and line.startswith(self.header) and self.parse_header(line) is not None
        if header or self.parse_word(line) != (word, tag) or not _is_one_line(line) or not word:
            raise InputError(f"{where}the word {_short(word)} cannot be written as {self.name} ({self.shape}).")
        return line

    def _image_line(self, image_id: str, format_image: Callable[[str], str], where: str) -> str:
        line = format_image(image_id)
        if self.parse_header(line) != image_id or not _is_one_line(line) or line.endswith("\r") or not image_id:
            raise InputError(f"{where}the image id {_short(image_id)} cannot be written as {self.name}.")
        return line


def _finish(
    words: list[str], tags: list[str], image_id: str | None, first: int, report: ReadReport
) -> Iterator[Sentence]:
    """Yield the sentence unless nothing is left of it."""
    if words and words[0] == DOCUMENT_MARK:
        report.document_marks += 1
        del words[0], tags[0]
        if not words:
            return
    if words:
        yield Sentence(tuple(words), tuple(tags), image_id, first)
    elif image_id is not None:
        report.empty_sentences += 1


def _iob2_begins(tags: tuple[str, ...]) -> int:
    """Count the ``B-`` tags that IOB1 would not have written: those not right after their own type."""
    pairs = zip(("O", *tags), tags, strict=False)
    return sum(tag[0] == "B" and before[2:] != tag[2:] for before, tag in pairs)


def _short(text: str) -> str:
    """Quote a piece of the file, cut to a length that fits a message."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _is_one_line(text: str) -> bool:
    """Say whether a UTF-8 text file can carry this as one line."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return "\n" not in text and "\0" not in text
