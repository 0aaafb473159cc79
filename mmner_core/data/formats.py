"""The shared part of all column formats: lines to tagged sentences and back.

A :class:`Format` says how one format writes a word line and an image line; the splitting into sentences, the checks
and their messages are here, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mmner_core.data.columns import NUMBER
from mmner_core.data.example import Example
from mmner_core.data.problems import WordCheck, check_line, quoted
from mmner_core.data.report import ReadReport
from mmner_core.data.schemes import SchemeCheck
from mmner_core.errors import InputError
from mmner_core.labels import is_tag, repair

DOCUMENT_MARK = "-DOCSTART-"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A tagged sentence as the file has it, tags repaired to IOB2.

    Attributes:
        words, tags: W of each.
        image_id: what the file calls its image.
        line: number of its first line.
        lines: number of the line of each word.
        orphans: places of the tags that the file has as an ``I-`` with nothing to continue.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]
    image_id: str | None
    line: int
    lines: Sequence[int] = field(default=(), compare=False)
    orphans: tuple[int, ...] = field(default=(), compare=False)

    def example(self, file: str, language: str | None = None, image: Path | None = None) -> Example:
        """Return it as an example that knows its file."""
        return Example(
            words=self.words,
            tags=self.tags,
            language=language,
            image_id=self.image_id,
            image=image,
            where=f"{file}:{self.line}",
            lines=self.lines,
            orphans=self.orphans,
        )


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
        iob1: whether files of this format are mostly IOB1 where their tags allow that.
        numbered: whether a line begins with the word's number in its sentence.
        chosen: whether a person named this format; else a file whose words are all numbers is taken for misread.
        note: what a user should know about how the columns were detected; empty: nothing.
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
    numbered: bool = False
    chosen: bool = True
    note: str = ""

    def iter_sentences(self, lines: Iterable[str], where: str, report: ReadReport | None = None) -> Iterator[Sentence]:
        """Yield the sentences of a file; ``where`` is its name in messages, ``report`` collects the counts.

        Raises:
            InputError: naming ``where:line`` for a line that is no word line, a tag that is not IOB2, or an image
                line in the middle of a sentence.
        """
        report = report if report is not None else ReadReport()
        report.notes += [f"{where}: {self.note}"] if self.note else []
        scheme, check = SchemeCheck(), WordCheck()
        for sentence in self._split(lines, where, report):
            report.blank_words += check.add(sentence.words)
            tags, changed = repair(sentence.tags)
            scheme.add(sentence.tags, changed)
            if changed:
                orphans = tuple(i for i, tag in enumerate(sentence.tags) if tag != tags[i])
                sentence = replace(sentence, tags=tuple(tags), orphans=orphans)
            yield sentence
        if not self.chosen:
            check.finish(where)
        # The conversion from IOB1 is the same as the repair of orphans; only what the user is told differs.
        if scheme.is_iob1(expected=self.iob1):
            report.iob1_files.append(where)
        else:
            report.repaired_tags += scheme.orphans

    def _split(self, lines: Iterable[str], where: str, report: ReadReport) -> Iterator[Sentence]:
        parse_word, header, tabbed = self.parse_word, self.header, self.tabbed
        known: dict[str, str] = {}  # tag -> the one string object used for it
        open_ = _Open()
        for number, line in enumerate(lines, 1):
            if not line or (line[0] in " \t" and not line.strip(" \t")):
                yield from open_.close(report)
                continue
            if header is not None and line.startswith(header) and (found := self.parse_header(line)) is not None:
                open_.add_header(found, number, where)
                continue
            if DOCUMENT_MARK in line and is_document_mark(line):
                report.document_marks += 1
                if open_.words:
                    yield from open_.close(report)
                continue
            word, tag = parse_word(line)
            if tag not in known:
                if not open_.words and is_comment(line) and not is_tag(tag):
                    report.comments += 1
                    continue
                check_line(word, tag, line, f"{where}:{number}", self.shape)
                known[tag] = tag
            if self.numbered:
                open_.check_number(line, number, where)
            if tabbed and "\t" not in line:
                report.space_separated += 1
            open_.add_word(word, known[tag], number)
        yield from open_.close(report)

    def format_sentence(self, example: Example) -> str:
        """Return the lines of a sentence with the blank line after it; an image id the format lacks is left out.

        Raises:
            InputError: if the sentence is unlabelled or holds a word that would not be read back as written.
        """
        where = f"{example.where}: " if example.where else ""
        if example.tags is None or len(example.tags) != len(example.words):
            raise InputError(f"{where}a sentence needs one tag per word to be written as {self.name}.")
        if not example.words:
            raise InputError(f"{where}a sentence needs at least one word.")
        lines = []
        if example.image_id is not None and self.format_image is not None:
            lines.append(self._image_line(example.image_id, self.format_image, where))
        for i, (word, tag) in enumerate(zip(example.words, example.tags, strict=True)):
            check_line("word", tag, tag, f"{where}word {i + 1}", self.shape)
            lines.append(self._word_line(i, word, tag, where))
        return "\n".join(lines) + "\n\n"

    def _word_line(self, position: int, word: str, tag: str, where: str) -> str:
        """Write a word, and check that it will be read back."""
        line = self.format_word(position, word, tag)
        header = self.header is not None and line.startswith(self.header) and self.parse_header(line) is not None
        if header or is_document_mark(line) or self.parse_word(line) != (word, tag) or not _is_one_line(line):
            raise InputError(f"{where}the word {quoted(word)} cannot be written as {self.name} ({self.shape}).")
        return line

    def _image_line(self, image_id: str, format_image: Callable[[str], str], where: str) -> str:
        line = format_image(image_id)
        if self.parse_header(line) != image_id or not _is_one_line(line) or line.endswith("\r") or not image_id:
            raise InputError(f"{where}the image id {quoted(image_id)} cannot be written as {self.name}.")
        return line


class _Open:
    """The sentence that is being read."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.words: list[str] = []
        self._tags: list[str] = []
        self._lines: list[int] = []
        self._image_id: str | None = None
        self._first = 0  # number of the first line, 0 before it
        self._number = -1  # of the last word, where words have one

    def add_header(self, image_id: str, number: int, where: str) -> None:
        """Take an image line, or a comment, which names none."""
        if image_id and (self.words or self._image_id):
            raise InputError(
                f"{where}:{number}: an image line inside the sentence that began at line {self._first}; "
                "put a blank line before it."
            )
        self._image_id = image_id or self._image_id
        self._first = self._first or number

    def check_number(self, line: str, number: int, where: str) -> None:
        """Check that the words' numbers rise: where they start again, a blank line is missing."""
        match = NUMBER.match(line.lstrip(" "))
        count = int(match[0]) if match else -1
        if self.words and count <= self._number:
            raise InputError(
                f"{where}:{number}: the word number {count} after {self._number} in the sentence that began at line "
                f"{self._first}; put a blank line between sentences."
            )
        self._number = count

    def add_word(self, word: str, tag: str, number: int) -> None:
        """Take a word."""
        self._first = self._first or number
        self.words.append(word)
        self._tags.append(tag)
        self._lines.append(number)

    def close(self, report: ReadReport) -> Iterator[Sentence]:
        """Yield the sentence unless nothing is left of it, and begin the next."""
        if self.words:
            first, last = self._lines[0], self._lines[-1]
            unbroken = last - first + 1 == len(self._lines)
            lines = range(first, last + 1) if unbroken else tuple(self._lines)
            yield Sentence(tuple(self.words), tuple(self._tags), self._image_id, self._first, lines)
        elif self._image_id is not None:
            report.empty_sentences += 1
        self._begin()


def is_document_mark(line: str) -> bool:
    """Say whether a line begins a document, as ``-DOCSTART- -X- O O`` does, alone or before other columns."""
    line = line.lstrip(" 0123456789\t") if line[:1].isdigit() else line
    return line.startswith(DOCUMENT_MARK) and line[len(DOCUMENT_MARK) :][:1] in ("", " ", "\t")


def is_comment(line: str) -> bool:
    """Say whether a line may be a comment, such as ``# sent_id = 1``; a word line of the word ``#`` has a tag."""
    return line.startswith(("# ", "#\t")) and len(line.split()) > 2


def _is_one_line(text: str) -> bool:
    """Say whether a UTF-8 text file can carry this as one line."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return "\n" not in text and "\0" not in text
