"""Converts a row of the input to a request for the tagger, or says in one sentence why it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmner_core.errors import InputError
from mmner_core.photos.folder import is_inside
from mmner_core.text.readable import LONE_SURROGATE
from mmner_core.text.words import join_words

if TYPE_CHECKING:
    from mmner_core.inference.tag_job import TagRequest
    from mmner_core.large_jobs.row_stream import Record
    from mmner_core.results import Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """The photo folder, and the language and convention of rows that do not state one."""

    images: Path
    lang: str | None = None
    convention: str | None = None


def to_request(record: Record, defaults: Defaults) -> TagRequest:
    """Check a row and turn it into a request; what the tagger checks itself is left to it.

    Raises:
        InputError: if the row could not be read or a column of it cannot be used.
    """
    from mmner_core.inference.tag_job import TagRequest

    if record.problem is not None:
        raise InputError(record.problem)
    values = record.values
    words = None
    if values.get("words") is not None:
        text, words = _join(values["words"])
    else:
        text = _text(values, "text") or ""
    return TagRequest(
        text=text,
        words=words,
        image=_image(values.get("image"), defaults.images),
        lang=_text(values, "lang") or defaults.lang,
        convention=_text(values, "convention") or defaults.convention,
    )


def row_id(record: Record) -> str | None:
    """Return a row's id as text; None where it has none, or one that is neither text nor a number."""
    value = record.values.get("id")
    usable = isinstance(value, str | int | float) and not LONE_SURROGATE.search(str(value))
    return str(value) if usable else None


def _text(values: dict[str, Any], column: str) -> str | None:
    value = values.get(column)
    if value is None:
        return None
    if not isinstance(value, str):
        raise InputError(f"{column} is {type(value).__name__}, not text.")
    if LONE_SURROGATE.search(value):
        raise InputError(f"{column} holds half a character (a lone surrogate), which UTF-8 cannot carry.")
    return value


def _join(words: Any) -> tuple[str, tuple[Word, ...]]:
    """Check words and put them together; see :func:`mmner_core.text.words.join_words`."""
    if not isinstance(words, Sequence) or isinstance(words, str):
        raise InputError(f"words is {type(words).__name__}, not a list.")
    for number, word in enumerate(words, start=1):
        if not isinstance(word, str) or not word.strip() or LONE_SURROGATE.search(word):
            raise InputError(f"word {number} is {word!r}; each word must be text, and not empty.")
    return join_words(words)


def _image(value: Any, folder: Path) -> Path | bytes | None:
    """Return a photo's bytes, or its file below the image folder."""
    if isinstance(value, dict):  # as Hugging Face datasets store an image
        value = value["bytes"] if value.get("bytes") is not None else value.get("path")
    if value is None or value == "":
        return None
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise InputError(f"image is {type(value).__name__}, not a path.")
    if not is_inside(value):
        raise InputError(f"the image {value[:80]!r} points outside the image folder.")
    return folder / value
