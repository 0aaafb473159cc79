"""Score a checkpoint on a tagged file or folder, with the images as they are, without, shuffled, or blank."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from mmner_core.cache import RecentlyUsed
from mmner_core.config import ModelConfig
from mmner_core.data import Example, ReadReport, dataset_digest, find_files, read_examples
from mmner_core.data.colour import GREY
from mmner_core.data.image_counts import ImageCounts
from mmner_core.data.images import Photo
from mmner_core.data.type_names import TypeNames, check_types
from mmner_core.encoded_photos import EncodedPhotos
from mmner_core.encoders.text import TextStates
from mmner_core.errors import InputError
from mmner_core.image_source import PhotoFiles
from mmner_core.inference import predict_tags
from mmner_core.labels import LabelSet
from mmner_core.model import MMNER
from mmner_core.scores import PRF, score
from mmner_core.shuffles import f1_of_each, mean_scores, shuffle_images
from mmner_core.tagger import Tagger

ImageCondition = Literal["matched", "none", "shuffled", "blank"]
CONDITIONS: tuple[str, ...] = get_args(ImageCondition)
SHUFFLES = 20
"""How often the photos are shuffled where nothing is said: F1 of a single shuffle scatters by a point on 200 names."""
TEXT_BYTES = 1 << 30
"""Kept of the texts that several shuffles share: some 20,000 sentences of the shipped model."""


class BlankPhotos(PhotoFiles):
    """Shows an even grey picture wherever a sentence has a photo."""

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

    Returns:
        the JSON record that ``python -m mmner_core evaluate --json`` prints; fractions from 0 to 1.

    Raises:
        InputError: if the data is missing or malformed, holds no gold tags, or tags unknown to the checkpoint; or if
            several shuffles are asked for in another condition.
    """
    names = names or TypeNames()
    _check_choices(tagger, condition, convention)
    shuffles = _times(condition, shuffles)
    examples, report, _ = read_split(Path(data), images, language, split)
    names.check(examples)
    examples = names.rename([examples[i] for i in first_of_each_language(examples, limit)])
    gold = gold_tags(tagger.labels, examples)
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
        scores.append(_scores(examples, gold, predicted))
    return {
        **mean_scores(scores),
        "f1_of_each_shuffle": f1_of_each(scores) if condition == "shuffled" else None,
        "sentences": len(examples),
        "images": {**source.counts.to_json(), "problems": source.counts.problems},
        "image_condition": condition,
        "convention": convention or (tagger.conventions[0] if tagger.conventions else None),
        "repaired_gold_tags": report.repaired_tags,
        "map": dict(names.names),
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
    """Read the sentences to be scored; where no split is named, test if a folder has one, else valid.

    Returns:
        the sentences, what was met on the way, and the split that was read, None for a file that names none.

    Raises:
        InputError: if the data is missing or malformed.
    """
    if split is None:
        found = [file.split for file in find_files(data, images=images, language=language).files]
        split = next((name for name in ("test", "valid") if name in found), None) if data.is_dir() else found[0]
        if split is None and data.is_dir():
            raise InputError(f"{data} has neither a test nor a valid split; name the split to score with --split.")
    examples, report = read_examples(data, images=images, language=language, split=split)
    return examples, report, split


def first_of_each_language(examples: Sequence[Example], limit: int | None) -> list[int]:
    """Return the places of the first ``limit`` sentences of each language, in order; None: of all."""
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
    """Return what reads the photos; where each is shown again and again, it is encoded once if that is all the same."""
    if condition == "blank":
        return BlankPhotos(model.config)
    return EncodedPhotos(model) if again and model.config.is_steady else PhotoFiles(model.config)


def _scores(examples: Sequence[Example], gold: Sequence[list[str]], predicted: Sequence[list[str]]) -> dict[str, Any]:
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
