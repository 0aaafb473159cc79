"""Checks a training run before the first step: something to learn, something to select by."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence

from mmner_core.config import ModelConfig
from mmner_core.data import Example
from mmner_core.data.type_names import check_types, count_types
from mmner_core.errors import InputError, listed
from mmner_core.labels import LabelSet
from mmner_core.training.config import DataSource, TrainConfig
from mmner_core.training.mixture import Mixture

log = logging.getLogger(__name__)
FEWEST_SENTENCES = 2
_RENAME = "rename them by convert with"


def check_mixture(mixture: Mixture, config: TrainConfig, model: ModelConfig) -> None:
    """Check that a run has something to learn and something to select by.

    Raises:
        InputError: if hardly a training sentence is left beside validation, a sentence has no tags, the model does not
            know a type, training lacks one that validation asks for, validation has no name at all, or none of a
            source's photos is there.
    """
    by_source = {
        source.path: [i.example for i in mixture.train if i.source.path == source.path] for source in config.train
    }
    train = [example for part in by_source.values() for example in part]
    valid = [example for part in mixture.valid.values() for example in part]
    _check_number(train, config.train)
    for examples in (train, valid):
        check_labelled(examples)
        check_types(examples, LabelSet(model.types), _RENAME)
    marked = [name for name in model.types if not all(name in source.unannotated for source in config.train)]
    _check_classes(count_types(train), count_types(valid), marked, known=config.init is not None)
    if model.cnn is not None or model.vit is not None:
        for source in config.train:
            _check_photos(source, by_source[source.path], "training")
        for source in config.valid:
            if source.condition != "none":
                _check_photos(source, mixture.valid[source.key], "validation")


def _check_number(train: Sequence[Example], sources: Sequence[DataSource]) -> None:
    names = ", ".join(source.path for source in sources)
    if not train:
        raise InputError(
            f"Every training sentence of {names} also stands in the validation data and is left out of training; "
            "give other sentences to one of the two."
        )
    if (n := len({example.words for example in train})) < FEWEST_SENTENCES:
        raise InputError(
            f"There is {n} training sentence in {names} beside those of the validation data; a run needs at least "
            f"{FEWEST_SENTENCES}."
        )


def check_labelled(examples: Iterable[Example]) -> None:
    """Check that each sentence has tags.

    Raises:
        InputError: naming the place of the first that has none.
    """
    for example in examples:
        if example.tags is None:
            raise InputError(f"{example.where}: the sentence has no tags to learn from or to score by.")


def _check_classes(train: Counter[str], valid: Counter[str], types: Sequence[str], *, known: bool) -> None:
    """Compare the types of training and validation; ``known``: a checkpoint to begin with may know the missing ones."""
    if not valid:
        raise InputError("The validation data hold no name, so that no epoch can be told from another; add some.")
    missing = [name for name in types if not train[name]]
    if asked := [name for name in missing if valid[name]]:
        sentence = (
            f"No training sentence has a name of the type {listed(asked)}, but {sum(valid[name] for name in asked):,} "
            "names of the validation data are"
        )
        if not known:
            raise InputError(f"{sentence}; add training sentences with such names, or take those out of validation.")
        log.warning("%s: the run keeps of them what the checkpoint knows, at best.", sentence)
    elif missing:
        log.warning("No training sentence has a name of the type %s: the model will not find any.", listed(missing))


def _check_photos(source: DataSource, examples: Sequence[Example], what: str) -> None:
    """Check that a source with photos has at least one; a sentence whose photo is missing is learnt without."""
    if source.images is None or not examples:
        return
    named = [example for example in examples if example.image_id is not None]
    if not any(example.image is not None and example.image.is_file() for example in examples):
        why = f"of the {len(named):,} that they name not one is there" if named else "they name none"
        raise InputError(
            f"The {what} sentences of {source.path} are to have photos from {source.images}, but {why}; put the photos "
            "there, or train a run without them."
        )
