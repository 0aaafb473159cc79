"""Rewrite a data file in another format, sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mmner_core.data.example import Example
from mmner_core.data.formats import Format
from mmner_core.data.lines import read_lines, write_lines
from mmner_core.data.report import ReadReport
from mmner_core.data.sniff import FORMATS, get_format
from mmner_core.errors import InputError


def convert(
    source: str | Path,
    target: str | Path,
    *,
    source_format: str = "auto",
    target_format: str,
    overwrite: bool = False,
) -> ReadReport:
    """Rewrite the file ``source`` as ``target``; the target appears complete or not at all.

    Returns:
        the counts of the reading; its notes say what the target format could not carry.

    Raises:
        InputError: if the source is not a file of tagged words, the target exists and ``overwrite`` is off, or a
            word cannot be written in the target format.
    """
    source, target = Path(source), Path(target)
    if not source.is_file():
        raise InputError(f"{source} is not a file; convert one file at a time.")
    if target_format not in FORMATS:
        raise InputError(f"There is no data format {target_format!r}; choose {', '.join(FORMATS)}.")
    report = ReadReport(files=[str(source)])
    writer = FORMATS[target_format]
    examples = _iter_sentences(source, get_format(source_format, source), report)
    write_lines(target, map(writer.format_sentence, examples), overwrite=overwrite)
    named = report.sentences - report.without_image
    if named and writer.format_image is None:
        report.notes.append(f"{named:,} image ids were left out: {writer.name} cannot carry them.")
    if report.document_marks:
        report.notes.append(f"{report.document_marks:,} document marks were left out.")
    return report


def _iter_sentences(source: Path, fmt: Format, report: ReadReport) -> Iterator[Example]:
    for words, tags, image_id, line in fmt.iter_sentences(read_lines(source), str(source), report):
        report.sentences += 1
        report.words += len(words)
        report.without_image += image_id is None
        yield Example(words=words, tags=tags, image_id=image_id, where=f"{source}:{line}")
    if not report.sentences:
        raise InputError(f"{source}: no sentences in this file.")
