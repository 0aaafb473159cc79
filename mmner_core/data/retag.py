"""Replaces the tags of some sentences of a data file, in the file's own format; every other line stays as it is."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmner_core.data.formats import Format
from mmner_core.data.hub import columns_of
from mmner_core.data.report import ReadReport
from mmner_core.data.sniff import get_format
from mmner_core.data.tables import JSON_LINES, csv_delimiter, is_table, iter_table
from mmner_core.data.text_files import read_lines
from mmner_core.data.type_names import TypeNames
from mmner_core.errors import InputError
from mmner_core.labels import OUTSIDE, repair, split_tag

_HEAD = 1 << 20  # bytes from which the line ends are told


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSentence:
    """A sentence of a file: the line it begins at, its words, and its tags as the file has them."""

    line: int
    words: tuple[str, ...]
    written: tuple[str, ...]
    lines: Sequence[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFileContent:
    """A data file in memory.

    Attributes:
        path: of the file.
        fmt: its column format; None for a table.
        sentences: by the line that each begins at.
        iob1: whether its tags are IOB1.
    """

    path: Path
    fmt: Format | None
    sentences: Mapping[int, FileSentence]
    iob1: bool

    @classmethod
    def read(cls, path: Path) -> DataFileContent:
        """Read a file of tagged words, or a table of JSON lines or CSV.

        Raises:
            InputError: if it is none.
        """
        report = ReadReport()
        if is_table(path):
            rows = (example for example, _ in iter_table(path, report))
            found = [
                FileSentence(line=_line_of(e.where), words=e.words, written=e.tags_as_written() or ()) for e in rows
            ]
            return cls(path=path, fmt=None, sentences={s.line: s for s in found}, iob1=False)
        fmt = get_format("auto", path)
        found = [
            FileSentence(
                line=s.line, words=s.words, written=s.example(str(path)).tags_as_written() or (), lines=s.lines
            )
            for s in fmt.iter_sentences(read_lines(path), str(path), report)
        ]
        return cls(path=path, fmt=fmt, sentences={s.line: s for s in found}, iob1=bool(report.iob1_files))

    def retagged(self, tags: Mapping[int, Sequence[str]], names: TypeNames | None = None) -> str:
        """Return the text of the file with other tags for some sentences.

        Args:
            tags: IOB2 tags by the line that the sentence begins at.
            names: what types of the file are called in these tags.

        Raises:
            InputError: if there is no such sentence, the tags do not fit it, or a tag cannot be written there.
        """
        written = {line: self._as_written(line, wanted, names or TypeNames()) for line, wanted in tags.items()}
        if self.fmt is None:
            text = _table_text(self.path, written)
        else:
            text = "\n".join(self._lines(self.fmt, written)) + "\n"
        with self.path.open("rb") as file:
            head = file.read(_HEAD)
        return text.replace("\n", "\r\n") if 2 * head.count(b"\r\n") > head.count(b"\n") else text

    def _as_written(self, line: int, wanted: Sequence[str], names: TypeNames) -> list[str]:
        """Return tags as the file would write them; a tag that does not change keeps its spelling."""
        sentence = self.sentences.get(line)
        if sentence is None or len(sentence.written) != len(wanted):
            raise InputError(f"{self.path}:{line}: there is no sentence of {len(wanted)} words here.")
        own = self._own_names(names)
        kept = _renamed(sentence.written, names)
        pairs = zip(sentence.written, kept, wanted, strict=True)
        mixed = [before if now == tag else own(tag) for before, now, tag in pairs]
        if _renamed(mixed, names) != list(wanted):
            mixed = [own(tag) for tag in wanted]
        return _in_iob1(repair(mixed)[0]) if self.iob1 else mixed

    def _own_names(self, names: TypeNames) -> _OwnNames:
        there = {split_tag(tag)[1] for s in self.sentences.values() for tag in s.written}
        return _OwnNames(names, frozenset(there))

    def _lines(self, fmt: Format, written: Mapping[int, Sequence[str]]) -> list[str]:
        lines = list(read_lines(self.path))
        for first, tags in written.items():
            sentence = self.sentences[first]
            for number, before, after in zip(sentence.lines, sentence.written, tags, strict=True):
                if before != after:
                    where = f"{self.path}:{number}"
                    lines[number - 1] = _with_tag(lines[number - 1], before, after, fmt, where)
        return lines


@dataclass(frozen=True, slots=True)
class _OwnNames:
    """Maps renamed types back to those of the file, where only one can be meant."""

    names: TypeNames
    there: frozenset[str]

    def __call__(self, tag: str) -> str:
        prefix, name = split_tag(tag)
        meant = [old for old, new in self.names.names.items() if new == name and old in self.there]
        return tag if tag == OUTSIDE or name in self.there or len(meant) != 1 else f"{prefix}-{meant[0]}"


def _with_tag(line: str, before: str, after: str, fmt: Format, where: str) -> str:
    """Replace the tag in a line, at the one position where it is read as the tag of the same word."""
    word, _ = fmt.parse_word(line)
    for match in reversed(list(re.finditer(re.escape(before), line))):
        other = line[: match.start()] + after + line[match.end() :]
        if fmt.parse_word(other) == (word, after):
            return other
    raise InputError(f"{where}: the tag {after} cannot be written here ({fmt.shape}).")


def _renamed(tags: Sequence[str], names: TypeNames) -> list[str]:
    return [names.rename_tag(tag) for tag in repair(tags)[0]]


def _in_iob1(tags: Sequence[str]) -> list[str]:
    """Write IOB2 as IOB1: ``B-`` only right after an entity of the same type."""
    pairs = zip([OUTSIDE, *tags[:-1]], tags, strict=True)
    return [f"I-{tag[2:]}" if tag != OUTSIDE and tag[2:] != last[2:] else tag for last, tag in pairs]


def _table_text(path: Path, written: Mapping[int, Sequence[str]]) -> str:
    if path.suffix.lower() in JSON_LINES:
        return "\n".join(_json_lines(path, written)) + "\n"
    return _csv_text(path, written)


def _json_lines(path: Path, written: Mapping[int, Sequence[str]]) -> Iterator[str]:
    for number, line in enumerate(read_lines(path), start=1):
        if number not in written:
            yield line
            continue
        record = json.loads(line)
        record[columns_of(record, f"{path}:{number}")["tags"]] = list(written[number])
        yield json.dumps(record, ensure_ascii=False)


def _csv_text(path: Path, written: Mapping[int, Sequence[str]]) -> str:
    lines = [f"{line}\n" for line in read_lines(path)]
    delimiter = csv_delimiter(lines[0])
    rows = csv.reader(lines, delimiter=delimiter)
    names = next(rows)
    place = names.index(columns_of(names, f"{path}:1")["tags"])
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        if (tags := written.get(rows.line_num)) is not None:
            row[place] = json.dumps(list(tags)) if row[place].startswith("[") else " ".join(tags)
        writer.writerow(row)
    return text.getvalue()


def _line_of(where: str) -> int:
    return int(where.rpartition(":")[2])
