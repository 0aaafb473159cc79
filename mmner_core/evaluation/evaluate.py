"""Score a checkpoint on a tagged file or folder, with the images as they are, without, shuffled, or blank."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

from mmner_core.config import ModelConfig
from mmner_core.data import Example, ReadReport, dataset_digest, find_files, read_examples
from mmner_core.data.image_counts import ImageCounts
from mmner_core.data.type_names import TypeNames, check_types
from mmner_core.encoders.text import TextStates
from mmner_core.errors import InputError
from mmner_core.evaluation.image_shuffling import f1_of_each, mean_scores, shuffle_images
from mmner_core.evaluation.scores import PRF, score
from mmner_core.inference.batches import predict_tags
from mmner_core.inference.encoded_photos import EncodedPhotos
from mmner_core.inference.image_loader import PhotoFiles
from mmner_core.inference.tagger import Tagger
from mmner_core.labels import LabelSet, without_types
from mmner_core.network.model import MMNER
from mmner_core.photos.colour import GREY
from mmner_core.photos.open import Photo
from mmner_core.runtime.cache import RecentlyUsed
from mmner_core.runtime.streams import kept

ImageCondition = Literal["matched", "none", "shuffled", "blank"]
CONDITIONS: tuple[str, ...] = get_args(ImageCondition)
SHUFFLES = 20
"""Default number of shuffles: with 200 names, F1 of a single one varies by a point."""
TEXT_BYTES = 1 << 30
"""Kept of the texts that several shuffles share: some 20,000 sentences of the shipped model."""


class BlankPhotos(PhotoFiles):
    """Shows an even grey image wherever a sentence has a photo."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        from PIL import Image

        side = max(c.size for c in (config.vit, config.cnn) if c is not None)
        self._grey = Photo(Image.new("RGB", (side, side), GREY), (side, side))

    def _open(self, example: Example) -> tuple[Photo | None, ImageCounts]:
        photo, counts = super()._open(example)
        return photo and self._grey, counts


def evaluate(
    tagger: Tagger,
    data: str | Path,
    *,
    images: str | Path | None = None,
    condition: ImageCondition = "matched",
    language: str | None = None,
    split: str | None = None,
    convention: str | None = None,
    limit: int | None = None,
    seed: int = 19,
    shuffles: int | None = None,
    names: TypeNames | None = None,
    types: Sequence[str] = (),
) -> dict[str, Any]:
    """Tag a data set and score it.

    Args:
        tagger: the checkpoint.
        data: a file, or a folder in one of the layouts of :mod:`mmner_core.data`.
        images: folder of the photos; None: beside the data, if there.
        condition: which image each sentence is shown.
        language: only this language of a folder; the language of a single file.
        split: which split of a folder; None: test where there is one, else valid.
        convention: annotation convention to read by; None: the checkpoint's default.
        limit: only the first so many sentences of each language.
        seed: of the shuffled condition.
        shuffles: in the shuffled condition, tag the data so often, with seeds from ``seed`` on; scores are their means.
            None: :data:`SHUFFLES` times.
        names: what types of the data are to be called; None: as they are.
        types: score names of these types alone, where the data annotate no others; empty: of all types.

    Returns:
        the JSON record that ``python -m mmner_core evaluate --json`` prints; fractions from 0 to 1.

    Raises:
        InputError: if the data is missing or malformed, holds no gold tags, or tags unknown to the checkpoint; if
            several shuffles are asked for in another condition; or if the checkpoint has no such type.
    """
    names = names or TypeNames()
    _check_choices(tagger, condition, convention)
    shuffles = _times(condition, shuffles)
    examples, report, _ = read_split(Path(data), images, language, split)
    names.check(examples)
    examples = names.rename([examples[i] for i in first_of_each_language(examples, limit)])
    gold, unscored = gold_tags(tagger.labels, examples), _unscored(tagger.labels, types)
    source = _photos(tagger.model, condition, again=shuffles > 1)
    texts: RecentlyUsed[TextStates] | None = RecentlyUsed(TEXT_BYTES) if shuffles > 1 else None
    seconds = 0.0
    scores = []
    for s in range(seed, seed + shuffles):
        source.counts = ImageCounts()
        shown = shuffle_images(examples, s) if condition == "shuffled" else examples
        photos = None if condition == "none" else source
        started = time.perf_counter()
        predicted = predict_tags(tagger.model, tagger.subwords, shown, photos, convention=convention, texts=texts)
        seconds += time.perf_counter() - started
        scores.append(score_tags(examples, gold, predicted, unscored))
    return {
        **mean_scores(scores),
        "f1_of_each_shuffle": f1_of_each(scores) if condition == "shuffled" else None,
        "sentences": len(examples),
        "images": {**source.counts.to_json(), "problems": source.counts.problems},
        "image_condition": condition,
        "convention": convention or (tagger.conventions[0] if tagger.conventions else None),
        "repaired_gold_tags": report.repaired_tags,
        "map": dict(names.names),
        "types": list(types) or list(tagger.labels.types),
        "read": report.summary(),
        "seconds": seconds,
        "seed": seed,
        "checkpoint": tagger.digest,
        "data": str(data),
        "data_digest": dataset_digest(examples),
    }


def _check_choices(tagger: Tagger, condition: str, convention: str | None) -> None:
    if condition not in CONDITIONS:
        raise InputError(f"There is no image condition {condition!r}; choose one of {', '.join(CONDITIONS)}.")
    if convention is not None and convention not in tagger.conventions:
        raise InputError(f"This checkpoint has no convention {convention!r}; it has {', '.join(tagger.conventions)}.")


def _unscored(labels: LabelSet, types: Sequence[str]) -> set[str]:
    """Return the types that are left out of the scores."""
    if unknown := [name for name in types if name not in labels.types]:
        raise InputError(f"This checkpoint has no type {unknown[0]!r} to score; it has {', '.join(labels.types)}.")
    return set(labels.types).difference(types) if types else set()


def _times(condition: ImageCondition, shuffles: int | None) -> int:
    """Return how often to tag the data."""
    if shuffles is None:
        return SHUFFLES if condition == "shuffled" else 1
    if shuffles > 1 and condition != "shuffled":
        raise InputError(
            f"Only the image condition shuffled has several shuffles, not {condition}; leave --shuffles out."
        )
    return shuffles


def read_split(
    data: Path, images: str | Path | None = None, language: str | None = None, split: str | None = None
) -> tuple[list[Example], ReadReport, str | None]:
    """Read the sentences to score, of files or a stream; if no split is named, test if a folder has one, else valid.

    Returns:
        the sentences, what was met on the way, and the split that was read, None for a file that names none.

    Raises:
        InputError: if the data is missing or malformed.
    """
    with kept(data) as path:
        if split is None:
            found = [file.split for file in find_files(path, images=images, language=language).files]
            split = next((name for name in ("test", "valid") if name in found), None) if path.is_dir() else found[0]
            if split is None and path.is_dir():
                raise InputError(f"{data} has neither a test nor a valid split; name the split to score with --split.")
        examples, report = read_examples(path, images=images, language=language, split=split)
    if path != data:  # a stream, of which there was a copy for that moment
        examples = [replace(example, where=example.where.replace(str(path), str(data))) for example in examples]
        report.files = [str(data)]
    return examples, report, split


def first_of_each_language(examples: Sequence[Example], limit: int | None) -> list[int]:
    """Return the indices of the first ``limit`` sentences of each language, in order; None: of all."""
    taken: Counter[str | None] = Counter()
    kept = []
    for i, example in enumerate(examples):
        taken[example.language] += 1
        if limit is None or taken[example.language] <= limit:
            kept.append(i)
    return kept


def gold_tags(labels: LabelSet, examples: Sequence[Example]) -> list[list[str]]:
    """Return the gold tags, checked against the label set.

    Raises:
        InputError: if a sentence has none, or a tag is not in the label set.
    """
    gold = []
    for example in examples:
        if example.tags is None:
            raise InputError(f"{example.where}: the sentence has no tags to score against.")
        gold.append(list(example.tags))
    check_types(examples, labels)
    return gold


def _photos(model: MMNER, condition: ImageCondition, *, again: bool) -> PhotoFiles:
    """Return the reader of the photos; photos that are shown again, cut the same way each time, are encoded once."""
    if condition == "blank":
        return BlankPhotos(model.config)
    return EncodedPhotos(model) if again and model.config.deterministic_crop else PhotoFiles(model.config)


def score_tags(
    examples: Sequence[Example], gold: Sequence[list[str]], predicted: Sequence[list[str]], unscored: set[str]
) -> dict[str, Any]:
    """Return strict and lenient scores of tagged sentences: over all, per language and per type.

    Args:
        examples: the sentences.
        gold: their tags.
        predicted: what a model made of them.
        unscored: types that are left out.
    """
    gold, predicted = ([without_types(tags, unscored) for tags in rows] for rows in (gold, predicted))
    micro, lenient, by_type = _by_rule(gold, predicted)
    by_language = {}
    for language in sorted({e.language or "unknown" for e in examples}):
        rows = [i for i, e in enumerate(examples) if (e.language or "unknown") == language]
        own, own_lenient, own_types = _by_rule([gold[i] for i in rows], [predicted[i] for i in rows])
        by_language[language] = {**own, "sentences": len(rows), "lenient_micro": own_lenient, "by_type": own_types}
    return {"micro": micro, "lenient_micro": lenient, "by_language": by_language, "by_type": by_type}


def _by_rule(gold: Sequence[list[str]], predicted: Sequence[list[str]]) -> tuple[PRF, PRF, dict[str, PRF]]:
    """Return the strict and the lenient micro scores, and the strict ones of each type."""
    by_type = score(gold, predicted)
    return by_type.pop("micro"), score(gold, predicted, strict=False)["micro"], by_type
