"""Rewrite a data file in another format, sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mmner_core.data.example import Example
from mmner_core.data.formats import Format
from mmner_core.data.hub import find_splits, is_dataset
from mmner_core.data.hub_write import KINDS, Kind, write_dataset
from mmner_core.data.reader import iter_examples
from mmner_core.data.report import ReadReport
from mmner_core.data.sniff import FORMATS, get_format
from mmner_core.data.text_files import read_lines, write_lines
from mmner_core.data.type_names import TypeNames
from mmner_core.errors import InputError
from mmner_core.runtime.streams import kept


def convert(
    source: str | Path,
    target: str | Path,
    *,
    source_format: str = "auto",
    target_format: str,
    overwrite: bool = False,
    images: str | Path | None = None,
    split: str | None = None,
    names: TypeNames | None = None,
) -> ReadReport:
    """Rewrite ``source``, a file or a data set of Hugging Face ``datasets``, as ``target``, all of it or nothing.

    Args:
        source: what to read, a file or a stream.
        target: what to write, a file or a stream.
        source_format: format of a text file, or "auto".
        target_format: a text format, or "parquet" or "disk" for a data set of Hugging Face ``datasets``.
        overwrite: replace the target if it exists.
        images: folder of photos to put into the data set that is written.
        split: which split of a data set to read.
        names: what types are to be called; None: as they are.

    Returns:
        the counts of the reading; its notes say what the target format could not carry.

    Raises:
        InputError: if the source is not a file of tagged words, the target exists and ``overwrite`` is off, or a
            word cannot be written in the target format.
    """
    with kept(Path(source)) as file:
        report = _convert(
            file,
            Path(target),
            source_format=source_format,
            target_format=target_format,
            overwrite=overwrite,
            images=images,
            split=split,
            names=names,
        )
    report.files = [name.replace(str(file), str(source)) for name in report.files]
    return report


def _convert(
    source: Path,
    target: Path,
    *,
    source_format: str,
    target_format: str,
    overwrite: bool,
    images: str | Path | None,
    split: str | None,
    names: TypeNames | None,
) -> ReadReport:
    if not source.is_file() and not is_dataset(source):
        raise InputError(f"{source} is neither a file nor a data set; convert one file at a time.")
    if target_format not in (*FORMATS, *KINDS):
        raise InputError(f"There is no data format {target_format!r}; choose {', '.join((*FORMATS, *KINDS))}.")
    if is_dataset(source) and split is None and len(parts := find_splits(source)) > 1:
        raise InputError(f"{source} has the splits {', '.join(part.name for part in parts)}; choose one with --split.")
    names = names or TypeNames()
    if target_format in KINDS:
        return _to_dataset(source, target, source_format, target_format, overwrite, images, split, names)
    if images is not None:
        raise InputError(f"{target_format} cannot carry photos; --images belongs to --to {' or '.join(KINDS)}.")
    report = ReadReport()
    writer = FORMATS[target_format]
    if is_dataset(source):
        examples = iter_examples(source, split=split, report=report)
    else:
        report.files.append(str(source))
        examples = _iter_sentences(source, get_format(source_format, source), report)
    write_lines(target, map(writer.format_sentence, names.rename_all(examples)), overwrite=overwrite)
    named = report.sentences - report.without_image
    if named and writer.format_image is None:
        report.notes.append(f"{named:,} image ids were left out: {writer.name} cannot carry them.")
    return report


def _to_dataset(
    source: Path,
    target: Path,
    source_format: str,
    kind: Kind,
    overwrite: bool,
    images: str | Path | None,
    split: str | None,
    names: TypeNames,
) -> ReadReport:
    """Write a data set of Hugging Face ``datasets``, with its photos where they are at hand."""
    reports: list[ReadReport] = []

    def read() -> Iterator[Example]:
        reports.append(ReadReport())
        examples = iter_examples(source, images=images, split=split, fmt=source_format, report=reports[-1])
        return names.rename_all(examples)

    embed = images is not None or is_dataset(source)
    missing = write_dataset(target, read, kind=kind, embed=embed, overwrite=overwrite)
    if missing:
        reports[-1].notes.append(f"{missing:,} photos were not there and are left out.")
    return reports[-1]


def _iter_sentences(source: Path, fmt: Format, report: ReadReport) -> Iterator[Example]:
    for sentence in fmt.iter_sentences(read_lines(source), str(source), report):
        report.sentences += 1
        report.words += len(sentence.words)
        report.without_image += sentence.image_id is None
        yield sentence.example(str(source))
    if not report.sentences:
        raise InputError(f"{source}: no sentences in this file.")
