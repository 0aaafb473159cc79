"""Builds the training sentences of all data sources: read, conventions marked, validation removed."""

from __future__ import annotations

import csv
import hashlib
import logging
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmner_core.data import Example, dataset_digest, read_examples
from mmner_core.data.hub import EMBEDDED
from mmner_core.errors import InputError
from mmner_core.evaluation.image_shuffling import shuffle_images
from mmner_core.labels import OUTSIDE
from mmner_core.photos.mosaics import Box
from mmner_core.training.config import DataSource, TrainConfig
from mmner_core.training.sentences.cuts import cut_to_a_name
from mmner_core.training.sentences.templates import fill_templates

log = logging.getLogger(__name__)
SHUFFLE_SEED = 19
LEAK_WORDS = 4
"""Shorter sentences ("Paris !") recur by chance; only longer ones count as leaked from validation into training."""


@dataclass(frozen=True, slots=True)
class TrainingItem:
    """A training sentence with the settings of its source.

    Attributes:
        example: the sentence.
        source: where it comes from.
        aligned: whether its image shows what it speaks of, as far as the source knows: only such pairs enter the
            contrastive loss.
        region: where in the image it is, as shares of what the encoder reads; empty: that is not known.
        shown: type and name of the one thing that its image shows, and the sentence names, where the source knows.
    """

    example: Example
    source: DataSource
    aligned: bool = True
    region: tuple[Box, ...] = ()
    shown: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Mixture:
    """What a run trains on and selects by.

    Attributes:
        train: one epoch's items, before shuffling.
        valid: per validation source, by its key, the sentences with the image that each is to be shown.
        digests: SHA-256 of each source's sentences, by "role:path".
    """

    train: list[TrainingItem]
    valid: dict[str, list[Example]]
    digests: dict[str, str]

    def with_images(self) -> list[Example]:
        """Return every sentence of training and validation that has an image."""
        examples = [item.example for item in self.train] + [e for part in self.valid.values() for e in part]
        return [e for e in examples if e.image is not None]


def build_mixture(config: TrainConfig, data: Path) -> Mixture:
    """Read all sources of a run.

    Raises:
        InputError: if a source is not there or malformed.
    """
    valid = {source.key: _shown(source, data) for source in config.valid}
    held_out = {_fingerprint(e) for part in valid.values() for e in part if len(e.words) >= LEAK_WORDS}
    digests = {f"valid:{path}": dataset_digest(part) for path, part in valid.items()}
    items: list[TrainingItem] = []
    seen: set[tuple[str | None, str]] = set()  # convention and fingerprint: by another convention it is another lesson
    # Sources with photos first: a sentence that also occurs without one is learnt with it.
    for source in sorted(config.train, key=lambda s: s.images is None):
        part = _read(source, data, "train")
        digests[" ".join([f"train:{source.path}", *source.languages])] = dataset_digest(item.example for item in part)
        prints = [(item.example.convention, _fingerprint(item.example)) for item in part]
        kept = [
            item
            for item, p in zip(part, prints, strict=True)
            if p[1] not in held_out and (item.example.image is not None or source.cut or p not in seen)
        ]
        seen.update(p for item, p in zip(part, prints, strict=True) if len(item.example.words) >= LEAK_WORDS)
        log.info("%s: %d sentences, %d left out as repeated", source.path, len(kept), len(part) - len(kept))
        rng = random.Random(f"{config.seed}/{source.path}")
        items.extend(_cut(item, rng) if source.cut else item for item in kept for _ in range(source.repeat))
    names = [item.example for item in items if item.example.convention in (None, "wiki")]
    items.extend(_name_free(config, data, items))
    if config.templates:
        filled = fill_templates(names, config.templates, random.Random(f"{config.seed}/templates"))
        items.extend(TrainingItem(example, DataSource(path="templates")) for example in filled)
    return Mixture(items, valid, digests)


def _shown(source: DataSource, data: Path) -> list[Example]:
    """Read a validation source under its image condition."""
    examples = [item.example for item in _read(source, data, "valid")]
    if source.condition == "none":
        return [replace(e, image=None) for e in examples]
    return shuffle_images(examples, SHUFFLE_SEED) if source.condition == "shuffled" else examples


def _read(source: DataSource, data: Path, split: str) -> list[TrainingItem]:
    images = data / source.images if source.images and source.images != EMBEDDED else None
    examples, report = read_examples(data / source.path, images=images, split=split)
    log.info("%s (%s): %s", source.path, split, report.summary())
    if source.images is None:
        examples = [replace(e, image=None) for e in examples]
    items = [TrainingItem(replace(e, convention=source.convention), source) for e in examples]
    if source.pairs is not None:
        items = _annotate(items, source, data / source.pairs, split)
    if source.languages:
        items = [item for item in items if item.example.language in source.languages]
        if not items:
            raise InputError(f"{data / source.path} has no {split} sentence in {', '.join(source.languages)}.")
    if source.limit is not None:
        items = [item for part in _by_language(items).values() for item in part[: source.limit]]
    return items


def _annotate(items: Sequence[TrainingItem], source: DataSource, table: Path, split: str) -> list[TrainingItem]:
    """Take each sentence's convention and kind of image from the pair table, whose rows are in file order.

    Raises:
        InputError: if the table has another number of rows for the split than the files have sentences.
    """
    with table.open(encoding="utf-8", newline="") as lines:
        rows = [r for r in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if r["split"] == split]
    if len(rows) != len(items):
        raise InputError(f"{table}: {len(rows)} rows of split {split} for {len(items)} sentences of {source.path}.")
    queues = {language: [r for r in rows if r["lang"] == language] for language in {r["lang"] for r in rows}}
    annotated = []
    for language, part in _by_language(items).items():
        for item, row in zip(part, queues[language or ""], strict=True):
            convention = source.conventions_by.get(row["text_source"], source.convention)
            aligned = row["kind"] != "irrelevant"
            shown = (row["type"], row["entity"]) if row["kind"] == "exact-entity" else None
            annotated.append(TrainingItem(replace(item.example, convention=convention), source, aligned, shown=shown))
    return annotated


def _cut(item: TrainingItem, rng: random.Random) -> TrainingItem:
    """Cut a sentence to a name; done once, not per epoch, so that batches stay of similar length."""
    words, tags = cut_to_a_name(item.example.words, item.example.tags or (), rng)
    return replace(item, example=replace(item.example, words=words, tags=tags))


def _by_language(items: Iterable[TrainingItem]) -> dict[str | None, list[TrainingItem]]:
    parts: dict[str | None, list[TrainingItem]] = {}
    for item in items:
        parts.setdefault(item.example.language, []).append(item)
    return parts


def _fingerprint(example: Example) -> str:
    return hashlib.sha1("\0".join(example.words).encode("utf-8", "surrogatepass")).hexdigest()


def _name_free(config: TrainConfig, data: Path, items: Sequence[TrainingItem]) -> list[TrainingItem]:
    """Return sentences without names: our own, clauses cut from the training text, and photo captions."""
    from mmner_core.training.sentences.plain import name_free_clauses, plain_examples

    plain = DataSource(path="plain", random_image=0.15)
    result = [TrainingItem(e, plain) for e in plain_examples() for _ in range(config.plain)]
    if config.name_free_clauses:
        text = list({id(i.example): i.example for i in items if i.example.convention in (None, "wiki")}.values())
        clauses = name_free_clauses(text, rng=random.Random(config.seed), limit=config.name_free_clauses)
        result += [TrainingItem(e, replace(plain, path="clauses")) for e in clauses]
    if config.captions is not None:
        result += [
            TrainingItem(e, DataSource(path="captions", image_dropout=0.2)) for e in _captions(data / config.captions)
        ]
    log.info("without names: %s", dict(Counter(item.source.path for item in result)))
    return result


def _captions(table: Path) -> list[Example]:
    """Read photo captions of the training split, leaving out any with a capital inside, which may be a name."""
    examples = []
    with table.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), start=2):
            words = tuple(row["caption"].split())
            if row["split"] == "train" and words and all(word == word.lower() for word in words[1:]):
                examples.append(
                    Example(
                        words=words,
                        tags=(OUTSIDE,) * len(words),
                        language="en",
                        image_id=row["image"],
                        image=table.parent / "images" / row["image"],
                        where=f"{table}:{number}",
                    )
                )
    return examples
