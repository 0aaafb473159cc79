"""The sentences of a run, with the kind and source that the data give for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from analysis.run.pair_table import match_pairs, read_pairs
from mmner_core.data import Example, dataset_digest
from mmner_core.data.layouts import is_language_folder
from mmner_core.data.type_names import TypeNames
from mmner_core.errors import InputError
from mmner_core.evaluation.evaluate import read_split
from mmner_core.photos.folder import EXTENSIONS

IRRELEVANT = "irrelevant"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSet:
    """Sentences with gold tags, in the order of the files.

    Attributes:
        examples: the sentences, S of them.
        kinds: [S] pairing kind of sentence and photo, "" where not known.
        sources: [S] data set that the text comes from.
        irrelevant: photos that show none of the things named, for the condition "irrelevant".
        facts: path, split, what the reader met: for the provenance.
    """

    examples: tuple[Example, ...]
    kinds: tuple[str, ...]
    sources: tuple[str, ...]
    irrelevant: tuple[Path, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def irrelevant_pairs(self) -> tuple[bool, ...]:
        """[S] whether the data say that a sentence's photo shows nothing that the sentence names."""
        return tuple(kind == IRRELEVANT for kind in self.kinds)

    def take(self, rows: Sequence[int]) -> EvaluationSet:
        """Return the sentences at these indices, in that order."""
        return replace(
            self,
            examples=tuple(self.examples[i] for i in rows),
            kinds=tuple(self.kinds[i] for i in rows),
            sources=tuple(self.sources[i] for i in rows),
        )

    def renamed(self, names: TypeNames) -> EvaluationSet:
        """Return the sentences with types renamed; each of these must occur."""
        names.check(self.examples)
        facts = {**self.facts, "map": dict(names.names)} if names.names else self.facts
        return replace(self, examples=tuple(names.rename(self.examples)), facts=facts)

    def to_json(self) -> dict[str, Any]:
        """Return the facts with the number of sentences and the digest of their content."""
        return {**self.facts, "sentences": len(self), "digest": dataset_digest(self.examples)}


def read_evaluation_set(
    data: str | Path,
    *,
    images: str | Path | None = None,
    language: str | None = None,
    split: str | None = None,
    pairs: str | Path | None = None,
    irrelevant: str | Path | None = None,
) -> EvaluationSet:
    """Read a split.

    Args:
        data: a file or folder, see :func:`mmner_core.data.read_examples`.
        images: folder of the photos; None: beside the data, if there.
        language: only this language of a folder; the language of a single file.
        split: which split; None: test where a folder has one, else valid.
        pairs: table of pairing kinds, see :func:`analysis.run.pair_table.read_pairs`.
        irrelevant: folder of photos that show none of the things named; None: the photos that ``pairs`` calls so.

    Raises:
        InputError: if something is missing or malformed, or the table is about other sentences.
    """
    examples, report, split = read_split(Path(data), images, language, split)
    kinds, sources = [""] * len(examples), [source_name(Path(data))] * len(examples)
    pool: list[Path] = []
    if pairs is not None:
        rows = match_pairs(read_pairs(pairs), examples, split, str(pairs))
        kinds = [row.kind for row in rows]
        sources = [row.source or name for row, name in zip(rows, sources, strict=True)]
        shown = [(e.image, row) for e, row in zip(examples, rows, strict=True) if row.kind == IRRELEVANT]
        pool = [image for image, row in shown if image is not None and not row.misleading and image.is_file()]
    if irrelevant is not None:
        pool = _photos(Path(irrelevant))
    facts = {
        "path": str(data),
        "images": str(images) if images is not None else None,
        "pairs": str(pairs) if pairs is not None else None,
        "split": split,
        "language": language,
        "read": report.summary(),
        "repaired_gold_tags": report.repaired_tags,
    }
    return EvaluationSet(
        examples=tuple(examples),
        kinds=tuple(kinds),
        sources=tuple(sources),
        irrelevant=tuple(dict.fromkeys(pool)),
        facts=facts,
    )


def source_name(data: Path) -> str:
    """Return the name of a data set: its folder's, which is not that of a language."""
    path = data.absolute()
    folders = path.parents if path.is_file() else (path, *path.parents)
    return next((folder.name for folder in folders if not is_language_folder(folder)), "")


def _photos(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; --irrelevant names a folder of photos.")
    photos = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in EXTENSIONS]
    if not photos:
        raise InputError(f"{folder} holds no photo (.jpg, .png, .webp); --irrelevant names a folder of photos.")
    return photos
