"""Read examples: a path in, sentences with language and image out, in a stream or as a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from mmner_core.data.example import Example
from mmner_core.data.formats import Format
from mmner_core.data.hub import iter_dataset
from mmner_core.data.layouts import DataFile, find_files
from mmner_core.data.lines import read_lines, write_lines
from mmner_core.data.report import ReadReport
from mmner_core.data.sniff import FORMATS, get_format
from mmner_core.data.tables import is_table, iter_table
from mmner_core.errors import InputError
from mmner_core.photos.folder import ImageFolder


def read_examples(
    path: str | Path,
    *,
    images: str | Path | None = None,
    language: str | None = None,
    split: str | None = None,
    fmt: str = "auto",
) -> tuple[list[Example], ReadReport]:
    """Read all sentences of a file or folder; see :func:`iter_examples`.

    Returns:
        the sentences, and the counts of what was met on the way.
    """
    report = ReadReport()
    examples = list(iter_examples(path, images=images, language=language, split=split, fmt=fmt, report=report))
    return examples, report


def iter_examples(
    path: str | Path,
    *,
    images: str | Path | None = None,
    language: str | None = None,
    split: str | None = None,
    fmt: str = "auto",
    report: ReadReport | None = None,
) -> Iterator[Example]:
    """Yield the sentences of a file or folder one by one; a file of any size takes little memory.

    Args:
        path: a file, or a folder laid out as :func:`~mmner_core.data.layouts.find_files` describes.
        images: the folder of the pictures; without it, a folder ``images`` beside the data is used if there is one.
        language: choose one language of several, or name the language of a file whose folder does not.
        split: choose "train", "valid" or "test"; None reads all.
        fmt: "mmnerd", "conll", "conllu", or "auto" to tell by the first lines of each file.
        report: collects the counts while sentences are read.

    Raises:
        InputError: if nothing is found, a file is empty, or a line is not what the format says, with file and line.
    """
    report = report if report is not None else ReadReport()
    layout = find_files(path, images=images, language=language, split=split)
    report.notes += layout.notes
    folders: dict[Path, ImageFolder] = {}
    for file in layout.files:
        if file.images is not None and file.images not in folders:
            folders[file.images] = ImageFolder(file.images)
        folder = folders[file.images] if file.images is not None else None
        if file.part is not None or (fmt == "auto" and is_table(file.path)):
            yield from _iter_rows(file, folder, language, report)
            continue
        yield from _iter_file(file, folder, get_format(fmt, file.path), report)


def _iter_file(file: DataFile, folder: ImageFolder | None, fmt: Format, report: ReadReport) -> Iterator[Example]:
    name = str(file.path)
    report.files.append(name)
    before = report.sentences
    for sentence in fmt.iter_sentences(read_lines(file.path), name, report):
        report.sentences += 1
        report.words += len(sentence.words)
        image = _find_image(sentence.image_id, folder, f"{name}:{sentence.line}", report)
        yield sentence.example(name, file.language, image)
    if report.sentences == before:
        raise InputError(f"{name}: no sentences in this file.")


def _iter_rows(
    file: DataFile, folder: ImageFolder | None, language: str | None, report: ReadReport
) -> Iterator[Example]:
    """Yield the sentences of a table or a Hugging Face data set, those of the chosen language where rows name one."""
    name = str(file.path) if file.part is None else f"{file.path}[{file.part}]"
    report.files.append(name)
    before, others = report.sentences, 0
    rows = iter_table(file.path, report) if file.part is None else iter_dataset(file.path, file.part, report)
    for example, image_path in rows:
        if language is not None and example.language not in (None, language):
            others += 1
            continue
        report.sentences += 1
        report.words += len(example.words)
        image = example.image
        if image is None:
            image = _find_image(image_path, folder, example.where, report)
        else:
            report.images_present += 1
        yield replace(example, language=example.language or file.language, image=image)
    if others:
        report.notes.append(f"{name}: {others:,} sentences of other languages were left out.")
    if report.sentences == before:
        raise InputError(f"{name}: no sentences{f' for {language}' if others else ''}.")


def _find_image(image_id: str | None, folder: ImageFolder | None, where: str, report: ReadReport) -> Path | None:
    if image_id is None:
        report.without_image += 1
        return None
    if folder is None:
        report.images_missing += 1
        return None
    path, exists = folder.resolve(image_id, where)
    if exists:
        report.images_present += 1
    else:
        report.images_missing += 1
    return path


def write_examples(
    path: str | Path, examples: Iterable[Example], *, fmt: str = "mmnerd", overwrite: bool = False
) -> None:
    """Write sentences in a format, the whole file or nothing; an image id is left out where the format has none.

    Raises:
        InputError: if the file exists and ``overwrite`` is off, or a sentence cannot be written in that format.
    """
    if fmt not in FORMATS:
        raise InputError(f"There is no data format {fmt!r}; choose {', '.join(FORMATS)}.")
    write_lines(Path(path), map(FORMATS[fmt].format_sentence, examples), overwrite=overwrite)
