"""Reads data sets as Hugging Face ``datasets`` keeps them on disk: Parquet files, or what ``save_to_disk`` writes.

Columns: ``words`` (or ``tokens``), ``tags`` (or ``ner_tags``; names, or class labels that have names), and where there
are such ``image`` (embedded, or a path) and ``lang``. The library finds splits and decodes labels; nothing is fetched.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmner_core.data.arrow_check import check_offsets
from mmner_core.data.embedded import unpack_image
from mmner_core.data.example import Example, split_of
from mmner_core.data.report import ReadReport
from mmner_core.errors import InputError, brief, listed
from mmner_core.labels import is_tag, repair
from mmner_core.text.language_names import LANGUAGES

EMBEDDED = "embedded"
"""As the image folder of a training source: the photos are in the data set itself."""
_NAMES = {
    "words": ("words", "tokens"),
    "tags": ("tags", "ner_tags"),
    "image": ("image",),
    "lang": ("lang", "language"),
}
_SPLIT = re.compile(rf"(train|valid|validation|val|dev|test)(?:[_-]({'|'.join(LANGUAGES)}))?(?:-\d+-of-\d+)?")

# What the library and those below it raise on damaged files, by experiment; pyarrow's own are among them.
_DAMAGE = (OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, MemoryError)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSplit:
    """A split of a data set: its name, and the split and language that the name stands for, if any."""

    name: str
    split: str | None
    language: str | None


def is_dataset(path: Path) -> bool:
    """Say whether a path is a Parquet file, or a folder that holds a data set of Hugging Face ``datasets``."""
    if path.is_file():
        return path.suffix == ".parquet"
    saved = ((path / name).is_file() for name in ("dataset_dict.json", "state.json"))
    return path.is_dir() and (any(saved) or _holds_parquet(path))


def _holds_parquet(folder: Path) -> bool:
    return any(next(folder.glob(pattern), None) is not None for pattern in ("*.parquet", "data/*.parquet"))


def find_splits(path: Path) -> list[DatasetSplit]:
    """Return the splits of a data set; the name of a single Parquet file tells its split, if any.

    Raises:
        InputError: if it cannot be opened.
    """
    names = [path.stem] if path.is_file() else list(_open(path))
    return [_split(name) for name in names]


def _split(name: str) -> DatasetSplit:
    match = _SPLIT.fullmatch(name)
    return DatasetSplit(name=name, split=split_of(match[1]) if match else None, language=match[2] if match else None)


def iter_dataset(path: Path, part: str, report: ReadReport) -> Iterator[tuple[Example, str | None]]:
    """Yield the sentences of one split, and beside each the path of its image where that is not embedded.

    Raises:
        InputError: if a column is missing or of no use, or a row's words and tags do not fit each other.
    """
    rows = _open(path)["train" if path.is_file() else part]
    columns = columns_of(rows.features, str(path))
    names = _label_names(rows.features, columns, str(path))
    for number, row in enumerate(_read_on(rows, f"{path}[{part}]")):
        values = {column: row[name] for column, name in columns.items()}
        sentence = read_row(values, f"{path}[{part}]:{number}", report, names)
        if sentence is not None:
            yield sentence


def _read_on(rows: Iterable[dict[str, Any]], where: str) -> Iterator[dict[str, Any]]:
    """Yield the rows that the library reads; damage, which may show at any row, is reported in one sentence."""
    reading, number = iter(rows), 0
    while True:
        try:
            row = next(reading)
        except StopIteration:
            return
        except _DAMAGE as error:
            raise InputError(f"{where}: the rows from {number:,} on cannot be read ({brief(error)}).") from error
        yield row
        number += 1


def _open(path: Path) -> Mapping[str, Any]:
    """Return a data set's splits; images are not decoded and nothing is copied."""
    import datasets

    logging.getLogger("datasets").setLevel(logging.CRITICAL)  # what it logs of damage is told below
    datasets.disable_progress_bars()
    try:
        if path.is_file():
            found = datasets.load_dataset("parquet", data_files=str(path), streaming=True)
        elif _holds_parquet(path):
            found = datasets.load_dataset(str(path), streaming=True)
        else:
            found = datasets.load_from_disk(str(path))
            found = found if isinstance(found, datasets.DatasetDict) else {str(found.split or "all"): found}
            for rows in found.values():
                check_offsets(rows.data.table)
        if any(rows.features is None for rows in found.values()):
            raise ValueError("its columns cannot be read")
    except _DAMAGE as error:
        reason = brief(error).rstrip(".")
        raise InputError(f"{path} is no data set that Hugging Face datasets can open: {reason}.") from error
    undecoded = datasets.Image(decode=False)
    return {
        name: rows.cast_column("image", undecoded) if isinstance(rows.features.get("image"), datasets.Image) else rows
        for name, rows in found.items()
    }


def columns_of(features: Iterable[str], where: str) -> dict[str, str]:
    """Return the name in a table of each column that is read.

    Args:
        features: the names of all its columns.
        where: what to call it.

    Raises:
        InputError: if it has no words, or two columns for the same.
    """
    features = list(features)
    found: dict[str, str] = {}
    for column, names in _NAMES.items():
        present = [name for name in names if name in features]
        if len(present) > 1:
            raise InputError(f"{where} has both {present[0]!r} and {present[1]!r}; rename or remove one of them.")
        if present:
            found[column] = present[0]
    if "words" not in found:
        raise InputError(f"{where} has no column words or tokens; its columns are {listed(features)}.")
    return found


def _label_names(features: Mapping[str, Any], columns: Mapping[str, str], where: str) -> dict[str, list[str] | None]:
    """Return the names that class labels stand for; None where the column holds text."""
    names: dict[str, list[str] | None] = {"tags": None, "lang": None}
    for column in names.keys() & columns.keys():
        feature = features[columns[column]]
        feature = getattr(feature, "feature", feature)
        dtype = getattr(feature, "dtype", "")
        names[column] = getattr(feature, "names", None)
        if names[column] is None and dtype not in ("string", "large_string", "null"):
            raise InputError(
                f"{where}: the column {columns[column]!r} holds {dtype or feature} without the names that they stand "
                "for; cast it to ClassLabel(names=[...]), or to text."
            )
    return names


def read_row(
    values: Mapping[str, Any], where: str, report: ReadReport, names: Mapping[str, list[str] | None] | None = None
) -> tuple[Example, str | None] | None:
    """Return a row as a sentence, with the path of its image where that is not embedded; None for one without words.

    Args:
        values: the row, by the names of the columns that are read.
        where: the row's place.
        report: counts what was repaired or left out.
        names: what class labels of "tags" and "lang" stand for; None: they are text.

    Raises:
        InputError: if the row's words, tags, language or image are none, or do not fit each other.
    """
    for column in ("words", "tags"):
        if not isinstance(values.get(column), list | None):
            raise InputError(f"{where}: {column} is {type(values[column]).__name__}, not a list.")
    if not values["words"]:
        report.empty_sentences += 1
        return None
    names = names or {}
    tags, orphans = _tags_of(values, names.get("tags"), where)
    report.repaired_tags += len(orphans)
    example, image = _example_of(values, tags, names.get("lang"), where)
    report.blank_words += sum(not word.strip() for word in example.words)
    return replace(example, orphans=orphans), image


def _tags_of(
    values: Mapping[str, Any], names: list[str] | None, where: str
) -> tuple[tuple[str, ...] | None, tuple[int, ...]]:
    """Return a row's tags in IOB2, and the places of those that had to be repaired."""
    tags = values.get("tags")
    if tags is None:
        return None, ()
    if len(tags) != len(values["words"]):
        raise InputError(f"{where}: {len(values['words'])} words, but {len(tags)} tags.")
    try:
        named = [_name(tag, names) for tag in tags]
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    for i, tag in enumerate(named):
        if not is_tag(tag):
            raise InputError(f"{where}, word {i + 1}: {tag!r} is not an IOB2 tag; expected O, B-TYPE or I-TYPE.")
    fixed, _ = repair(named)
    return tuple(fixed), tuple(i for i, tag in enumerate(named) if tag != fixed[i])


def _name(tag: Any, names: list[str] | None) -> str:
    if names is None:
        return str(tag)
    if not isinstance(tag, int) or not 0 <= tag < len(names):
        raise InputError(f"{tag!r} is none of the {len(names)} class labels.")
    return names[tag]


def _example_of(
    values: Mapping[str, Any], tags: tuple[str, ...] | None, languages: list[str] | None, where: str
) -> tuple[Example, str | None]:
    """Return a row as a sentence, and the path of its image where that is not embedded."""
    language = values.get("lang")
    if language is not None and languages is not None:
        try:
            language = _name(language, languages)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
    if language is not None and language not in LANGUAGES:
        raise InputError(f"{where}: there is no language {language!r}; it must be one of {', '.join(LANGUAGES)}.")
    image, name, file = values.get("image"), None, None
    if isinstance(image, Mapping):
        name = image.get("path")
        if not isinstance(image.get("bytes"), bytes | None) or not isinstance(name, str | None):
            raise InputError(f"{where}: image holds neither bytes nor a path.")
        if image.get("bytes") is not None:
            file, name = unpack_image(image["bytes"], name), name or "embedded"
    elif image is not None:
        name = str(image)
    words = tuple(values["words"])
    if bad := [i for i, word in enumerate(words) if not isinstance(word, str)]:
        raise InputError(f"{where}, word {bad[0] + 1}: {words[bad[0]]!r} is no text.")
    example = Example(words=words, tags=tags, language=language, image_id=name or None, image=file, where=where)
    return example, None if file is not None else name or None
