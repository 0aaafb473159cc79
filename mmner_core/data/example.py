"""One sentence with its gold tags and its image, and a digest over many of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SPLITS = ("train", "valid", "test")
_SPLIT_ALIASES = {"validation": "valid", "val": "valid", "dev": "valid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A sentence, already split into words.

    Attributes:
        words: the words, W of them, as the file has them.
        tags: one IOB2 tag per word; None where the sentence is unlabelled.
        language: "en", "fr", "de", "es", or None where neither the folder nor the caller said.
        image_id: what the file calls the image, undecoded; None where the sentence has none.
        image: the image's file, existing or not; None where the sentence has none or no image folder is known.
        where: ``path/file.txt:123``, the first line of the sentence.
        convention: annotation convention of the gold tags ("wiki", "caption"); None is the default one.
        lines: line number of each word in its file; empty where the sentence is no stretch of a text file.
        orphans: the words that the file tags ``I-`` with nothing before to continue; ``tags`` has ``B-`` there.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...] | None
    language: str | None = None
    image_id: str | None = None
    image: Path | None = None
    where: str = ""
    convention: str | None = None
    lines: Sequence[int] = field(default=(), repr=False, compare=False)
    orphans: tuple[int, ...] = field(default=(), repr=False, compare=False)

    def word_where(self, place: int) -> str:
        """Return where a word stands, for messages: ``path/file.txt:125``."""
        if place < len(self.lines):
            return f"{self.where.rpartition(':')[0]}:{self.lines[place]}"
        return f"{self.where}, word {place + 1}" if self.where else f"word {place + 1}"

    def tags_as_written(self) -> tuple[str, ...] | None:
        """Return the tags with the orphan ``I-`` that the file has."""
        if self.tags is None or not self.orphans:
            return self.tags
        return tuple(f"I-{tag[2:]}" if i in self.orphans else tag for i, tag in enumerate(self.tags))


def split_of(name: str) -> str:
    """Return the split that a name stands for: "valid" for "dev"; any other name is returned unchanged."""
    return _SPLIT_ALIASES.get(name, name)


def dataset_digest(examples: Iterable[Example]) -> str:
    """Return the SHA-256, in hex, over words, tags, language and image ids of the sentences in their order.

    File names and folders do not enter: the same data elsewhere has the same digest.
    """
    digest = hashlib.sha256()
    for example in examples:
        record = (example.words, example.tags, example.language, example.image_id)
        digest.update(json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n")
    return digest.hexdigest()
