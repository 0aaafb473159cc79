"""Describes a data set that somebody uploaded: what was understood of it, before anything is run on it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmner_core.data.example import Example
from mmner_core.data.image_counts import ImageCounts, load_photo
from mmner_core.data.type_names import count_types
from mmner_core.errors import InputError
from mmner_core.evaluation.evaluate import read_split

SHOWN = 3
_SHOWN_WORDS = 100  # of a sentence; what follows is told to go on
OPENING_SECONDS = 30.0
"""Time to open photos for; whatever is not opened by then is only looked up."""
_OPENED_SIDE = 64  # pixels; JPEGs are decoded no bigger than that


@dataclass(frozen=True, slots=True, kw_only=True)
class Photos:
    """The photos of a data set, each file counted once.

    Attributes:
        sentences: sentences that name one.
        present: files that are there.
        missing: files that are not.
        opened: of those present, how many were opened.
        broken: of those opened, how many are no image that can be decoded.
        problems: a sentence for each of the first few missing or broken ones.
    """

    sentences: int = 0
    present: int = 0
    missing: int = 0
    opened: int = 0
    broken: int = 0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A sentence to be shown.

    Attributes:
        words, tags, language: of the sentence; a long one is cut.
        named: whether the data name a photo.
        photo: its path below the job's folder, "" where it was not looked for: what the data call it is no path.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]
    language: str
    named: bool
    photo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What was understood of a data set.

    Attributes:
        data: file or folder that was read, below the job's folder.
        images: folder of the photos there, empty where there is none.
        sentences, words: how many.
        languages: sentences of each language, "" where none is stated.
        types: entities of each type.
        untagged: sentences without gold tags.
        split: the split that was read of a data set with several, else empty.
        photos: the photos.
        first: the first sentences.
        notes: what was repaired, skipped or left out, a sentence each.
        problem: why it cannot be used, empty where it can.
    """

    data: str = ""
    images: str = ""
    sentences: int = 0
    words: int = 0
    languages: dict[str, int] = field(default_factory=dict)
    types: dict[str, int] = field(default_factory=dict)
    untagged: int = 0
    split: str = ""
    photos: Photos = field(default_factory=Photos)
    first: tuple[Shown, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""

    def sentences_of(self, limit: int | None) -> int:
        """Return how many sentences a run has that takes the first ``limit`` of each language."""
        return sum(n if limit is None else min(n, limit) for n in self.languages.values())


def describe_upload(data: Path, images: Sequence[Path], language: str | None = None) -> Description:
    """Read a data set and look at its photos.

    Args:
        data: a file or folder, relative to the working folder.
        images: folders that may be that of the photos; the one in which most of them are found is taken.
        language: of a file that does not say.

    Raises:
        InputError: if it cannot be read.
    """
    read = [read_split(data, folder, language) for folder in images or (None,)]
    best = max(range(len(read)), key=lambda i: read[i][1].images_present)
    examples, report, split = read[best]
    notes = [report.summary()]
    if images and not report.images_present and report.images_missing:
        notes.append(_nothing_found(examples, images[best]))
    return Description(
        data=str(data),
        images=str(images[best]) if images else "",
        sentences=len(examples),
        words=report.words,
        languages=dict(Counter(example.language or "" for example in examples)),
        types=dict(count_types(examples).most_common()),
        untagged=sum(example.tags is None for example in examples),
        split=split or "",
        photos=look_at_photos(examples),
        first=tuple(_shown(example) for example in examples[:SHOWN]),
        notes=tuple(notes),
    )


def look_at_photos(examples: Iterable[Example], seconds: float = OPENING_SECONDS) -> Photos:
    """Look each photo up once, and open as many as there is time for."""
    counts = ImageCounts()
    end = time.monotonic() + seconds
    named = present = opened = 0
    seen: set[Any] = set()
    for example in examples:
        if example.image_id is None and example.image is None:
            continue
        named += 1
        if (key := example.image or example.image_id) in seen:
            continue
        seen.add(key)
        there = example.image is not None and example.image.is_file()
        present += there
        if there and time.monotonic() > end:
            continue
        opened += there
        load_photo(example, counts, target=_OPENED_SIDE)
    return Photos(
        sentences=named,
        present=present,
        missing=counts.missing,
        opened=opened,
        broken=counts.broken,
        problems=tuple(counts.problems),
    )


def photo_folders(folder: Path) -> list[Path]:
    """Return the folders that may be meant where photos were unpacked: the top, and the first that holds more than one.

    A zip often has one folder in it that holds all the rest.
    """
    found = [folder]
    while len(inner := sorted(found[-1].iterdir())) == 1 and inner[0].is_dir():
        found.append(inner[0])
    return found


def data_file(folder: Path) -> Path:
    """Return what is to be read where a zip of data was unpacked: its only file, or the folder that holds several.

    Raises:
        InputError: if there is nothing.
    """
    for place in photo_folders(folder):
        files = [path for path in place.iterdir() if path.is_file()]
        if len(files) == 1 and len(list(place.iterdir())) == 1:
            return files[0]
        if files or len(list(place.iterdir())) > 1:
            return place
    raise InputError("The zip of the data set holds no file that can be read.")


def _nothing_found(examples: Sequence[Example], images: Path) -> str:
    named = next(example.image_id for example in examples if example.image_id)
    there = next((path.relative_to(images) for path in sorted(images.rglob("*")) if path.is_file()), None)
    have = f", which holds files such as {str(there)!r}" if there is not None else ", which is empty"
    return f"No photo was found: the data name photos such as {named[:60]!r}, to be looked for in the folder{have}."


def _shown(example: Example) -> Shown:
    words, tags = example.words[:_SHOWN_WORDS], (example.tags or ("O",) * len(example.words))[:_SHOWN_WORDS]
    more = len(example.words) - len(words)
    return Shown(
        words=(*words, f"… and {more:,} more words") if more else words,
        tags=(*tags, "O") if more else tags,
        language=example.language or "",
        named=example.image is not None or example.image_id is not None,
        photo=str(example.image or ""),
    )
