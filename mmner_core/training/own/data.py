"""Read a user's own data, and refuse what would make a run on them worthless, naming file and line."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmner_core.data import Example, read_examples
from mmner_core.data.type_names import TypeNames, check_types, count_types, how_to_rename
from mmner_core.errors import InputError
from mmner_core.labels import LabelSet
from mmner_core.training.checks import FEWEST_SENTENCES, check_labelled
from mmner_core.training.mixture import LEAK_WORDS
from mmner_core.training.own.languages import with_languages
from mmner_core.training.own.task import OwnTask

log = logging.getLogger(__name__)
Part = dict[str, list[Example]]
"""Sentences by the file or folder that they were read from, as the user named it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnData:
    """The data read for each purpose; a sentence's image is an existing file, or None.

    Attributes:
        train: to learn from, without what also stands in ``valid`` or ``test``.
        valid: to choose the best epoch by.
        test: to score once, in the end.
        keep: of the kind that the checkpoint knew before.
        repeated: how many sentences were left out of ``train``.
        missing: how many sentences of ``train`` name an image that is not there.
    """

    train: Part
    valid: Part
    test: Part
    keep: Part
    repeated: int
    missing: int


def sentences(part: Part) -> list[Example]:
    """Return the sentences of all files."""
    return [example for examples in part.values() for example in examples]


def read_own(task: OwnTask, known: Sequence[str]) -> OwnData:
    """Read all data of a task.

    Args:
        task: names the files.
        known: types of the checkpoint to begin with.

    Raises:
        InputError: if data are missing, malformed or untagged, nothing is left to learn, a type cannot be learnt or
            scored, or not one of the images is there.
    """
    train = _read(task.train, "train", task.images)
    valid = _read(task.valid, "valid", task.images)
    test = _read(task.test, "test", task.images)
    keep = _read(task.keep, "valid", None)
    task.names.check(*(sentences(part) for part in (train, valid, test, keep)))
    train, valid, test, keep = (_renamed(part, task.names) for part in (train, valid, test, keep))
    _check_names(test, keep)
    if keep:
        check_types(sentences(keep), LabelSet(tuple(known)))
    held_out = {e.words for part in (valid, test) for e in sentences(part) if len(e.words) >= LEAK_WORDS}
    kept = {name: [e for e in examples if e.words not in held_out] for name, examples in train.items()}
    if not sentences(kept):
        first = sentences(train)[0].where
        raise InputError(
            f"{first}: this and every other training sentence also stands in the validation or test data; give other "
            "sentences to one of them."
        )
    if len({e.words for e in sentences(kept)}) < FEWEST_SENTENCES:
        raise InputError(
            f"{sentences(kept)[0].where}: this is the only training sentence beside those of the validation and test "
            f"data; a run needs at least {FEWEST_SENTENCES}."
        )
    _check_types(sentences(kept), {"validation": sentences(valid), "test": sentences(test)}, known)
    if task.images is not None and not any(e.image for e in sentences(kept)):
        raise InputError(_no_images(sentences(kept), task.images))
    return OwnData(
        train=kept,
        valid=valid,
        test=test,
        keep=keep,
        repeated=len(sentences(train)) - len(sentences(kept)),
        missing=sum(e.image is None and e.image_id is not None for e in sentences(kept)),
    )


def _read(paths: Iterable[Path], split: str, images: Path | None) -> Part:
    """Read files whole, and of folders one split."""
    part: Part = {}
    for path in paths:
        examples, report = read_examples(path, images=images, split=split if path.is_dir() else None)
        log.info("%s: %s", path, report.summary())
        check_labelled(examples)
        present = [e if e.image is None or e.image.is_file() else replace(e, image=None) for e in examples]
        part[str(path)] = with_languages(present)
    return part


def _renamed(part: Part, names: TypeNames) -> Part:
    return {name: names.rename(examples) for name, examples in part.items()}


def _check_names(*parts: Part) -> None:
    """Check that each file that is scored at the end has names."""
    for examples in (examples for part in parts for examples in part.values()):
        if not count_types(examples):
            raise InputError(
                f"{examples[0].where}: neither this sentence nor any other of the file has a name to score."
            )


def _check_types(train: Sequence[Example], scored: dict[str, list[Example]], known: Collection[str]) -> None:
    """Check that there are names to learn, and that the model will know every type that is scored."""
    learnt = count_types(train)
    if not learnt:
        raise InputError(f"{train[0].where}: neither this nor any other training sentence has a name to learn.")
    for what, examples in scored.items():
        for example in examples:
            for place, tag in enumerate(example.tags or ()):
                if tag[0] == "B" and tag[2:] not in learnt and tag[2:] not in known:
                    types = list(dict.fromkeys([*known, *learnt]))
                    raise InputError(
                        f"{example.word_where(place)}: the {what} data have a name of the type {tag[2:]}, the training "
                        f"data none; add training sentences with such names, or {how_to_rename([tag[2:]], types)}."
                    )


def _no_images(examples: Sequence[Example], folder: Path) -> str:
    named = [example for example in examples if example.image_id is not None]
    if not named:
        return f"{examples[0].where}: neither this nor any other training sentence names a photo; leave --images out."
    others = f", nor any of the {len(named) - 1:,} that other training sentences name" if len(named) > 1 else ""
    return f"{named[0].where}: the photo {named[0].image_id} is not in {folder}{others}; name the folder of the photos."
