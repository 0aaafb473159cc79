"""Models of a user's own, for the tests of this folder: one that looks at photos, plain ones, and bad ones.

A photo of a person is white here, that of a place black.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from analysis.own_model import Answer, Item
from mmner_core.labels import tags_to_entities

PERSONS, PLACES, EITHER = ("Ann", "Bob"), ("Ulm", "Rome"), ("Jordan",)
SENTENCES = (
    ("Ann sleeps", "PER"), ("Ulm sleeps", "LOC"), ("Jordan sleeps", "PER"), ("Jordan sleeps", "LOC"),
    ("we saw Bob", "PER"), ("we saw Rome", "LOC"),
)  # fmt: skip


def write_data(folder: Path) -> Path:
    """Write six sentences with photos, one without, and one whose photo is damaged; return the file."""
    (folder / "images").mkdir(parents=True)
    for name, colour in (("white", "white"), ("black", "black")):
        for number in (1, 2, 3):
            Image.new("RGB", (64, 64), colour).save(folder / "images" / f"{name}-{number}.png")
    (folder / "images" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n of no use")
    lines = []
    for number, (text, kind) in enumerate(SENTENCES):
        colour = "white" if kind == "PER" else "black"
        lines += [f"IMGID:{colour}-{number // 2 + 1}", *_tagged(text, kind), ""]
    lines += [*_tagged("Bob and Ann", "PER"), "", "IMGID:broken", *_tagged("Rome burns", "LOC"), ""]
    file = folder / "test.txt"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def _tagged(text: str, kind: str) -> list[str]:
    names = (*PERSONS, *PLACES, *EITHER)
    return [f"{word}\t{f'B-{kind}' if word in names else 'O'}" for word in text.split()]


class Shades:
    """Knows names; the more of a photo is white, the more a name is a person, the more is black, a place.

    Args:
        person, place: what it calls the two types.

    The environment may name a file, ``SHADES_LOG``, to note each batch in.
    """

    types: tuple[str, ...]
    hidden_word = "something"

    def __init__(self, person: str = "PER", place: str = "LOC") -> None:
        self.person, self.place, self.log = person, place, os.environ.get("SHADES_LOG")
        self.types = (person, place)

    def predict(self, items: Sequence[Item]) -> list[Answer]:
        """Answer with everything there is."""
        if self.log:
            with Path(self.log).open("a", encoding="utf-8") as file:
                file.write(json.dumps([item.words for item in items]) + "\n")
        return [self.answer(item) for item in items]

    def answer(self, item: Item) -> Answer:
        """Answer one item."""
        white, black = self.shades(item.image)
        by_tag = [self.by_tag(word, white.mean(), black.mean()) for word in item.words]
        tags = [max(word, key=word.__getitem__) for word in by_tag]
        maps = [white if e.type == self.person else black for e in tags_to_entities(tags)]
        persons = sum(word in PERSONS for word in item.words)
        return Answer(
            tags=tags,
            probabilities=by_tag,
            maps=maps if item.image is not None else None,
            text_vector=[1.0 + persons, 1.0 + len(item.words), 0.5],
            image_vector=[white.mean(), black.mean(), 1.0] if item.image is not None else None,
            word_vectors=[[float(word in PERSONS), float(word in PLACES), len(word)] for word in item.words],
        )

    def by_tag(self, word: str, white: float, black: float) -> dict[str, float]:
        """Return the probabilities of a word's tags."""
        known = {PERSONS: (0.5, 0.0), PLACES: (0.0, 0.5), EITHER: (0.3, 0.25), (self.hidden_word,): (0.1, 0.1)}
        base = next((base for names, base in known.items() if word in names), None)
        if base is None:
            return {"O": 1.0}
        person, place = base[0] + 0.4 * white, base[1] + 0.4 * black
        return {f"B-{self.person}": person, f"B-{self.place}": place, "O": max(0.0, 1 - person - place)}

    def shades(self, image: Image.Image | None) -> tuple[np.ndarray, np.ndarray]:
        """Return where a photo is white and where it is black, [8, 8] each."""
        if image is None:
            return np.zeros((8, 8)), np.zeros((8, 8))
        grey = np.asarray(image.convert("L").resize((8, 8), Image.Resampling.BOX), dtype=float)
        return (grey > 200).astype(float), (grey < 50).astype(float)


class Plain(Shades):
    """The same, but says its tags alone."""

    def predict(self, items: Sequence[Item]) -> list[list[str]]:  # type: ignore[override]
        """Answer with lists of tags."""
        return [list(answer.tags) for answer in super().predict(items)]


class Bad:
    """Fails on the sentence that holds "Bob", or at once.

    Args:
        how: in which way.
    """

    def __init__(self, how: str) -> None:
        self.how = how
        if how == "stillborn":
            sys.exit("no model today")

    def predict(self, items: Sequence[Item]) -> Any:
        """Answer all but one item."""
        if self.how == "lazily":
            return self.one_by_one(items)
        return list(self.one_by_one(items)) if self.how != "nothing" else None

    def one_by_one(self, items: Sequence[Item]) -> Iterator[Any]:
        """Answer one item after the other."""
        for item in items:
            yield self.fail(item) if "Bob" in item.words else ["O"] * len(item.words)

    def fail(self, item: Item) -> Any:
        """Do something that no model should."""
        if self.how == "dies":
            os._exit(3)
        if self.how == "sleeps":
            time.sleep(60)
        if self.how == "exits":
            sys.exit(1)
        if self.how == "short":
            return ["O"]
        raise KeyError("no such\nword")


def bad(how: str) -> Bad:
    """Make a model that fails."""
    return Bad(how)


def no_predict() -> object:
    """Make something that is no model."""
    return object()
