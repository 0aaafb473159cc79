"""A visitor's question and answer: a text and a photo, and a prediction with the model it is from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analysis.conditions.hidden_cells import HiddenCells
from analysis.views.measured import Measured
from mmner_core.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

    from analysis.heat_maps.word_saliency import WordSaliency
    from mmner_core.results import Prediction, Word


@dataclass(frozen=True, slots=True, kw_only=True)
class TagQuestion:
    """What a visitor asks: a text, the path of a photo or None, and what None leaves to the default.

    A sentence of a run has its words, with their places in the text; of a photo some cells may be hidden.
    """

    text: str
    photo: str | None = None
    language: str | None = None
    convention: str | None = None
    model: str | None = None
    words: tuple[Word, ...] | None = None
    hidden: HiddenCells | None = None

    @classmethod
    def from_inputs(
        cls, text: str | None, photo: str | None, language: str, convention: str, model: str | None = None
    ) -> TagQuestion:
        """Read the values of a page's inputs, where "auto", "" and None stand for the default.

        Raises:
            InputError: if one is no string; a program may send anything.
        """
        values = {"text": text, "language": language, "convention": convention, "model": model}
        for name, value in values.items():
            if value is not None and not isinstance(value, str):
                raise InputError(f"The {name} must be a string.")
        chosen = None if language == "auto" else language or None
        return cls(
            text=text or "", photo=photo or None, language=chosen, convention=convention or None, model=model or None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The model an answer is from: its name here, the digest of its files, the types it knows, what was measured."""

    name: str
    digest: str
    types: tuple[str, ...]
    measured: Measured = field(default_factory=Measured)


@dataclass(frozen=True, slots=True, kw_only=True)
class TagAnswer:
    """What a visitor gets.

    Attributes:
        prediction: what was found.
        photo: upright and no larger than the screen needs.
        source: the model it is from.
        photo_digest: SHA-256 of the photo as it was sent, hex; "" without one.
        maps: heat maps that were computed since, [rows, columns], by kind and number of the name.
        words: which words each name rests on, computed since, by its number.
    """

    prediction: Prediction
    photo: Image | None
    source: Source | None = None
    photo_digest: str = ""
    maps: dict[tuple[str, int], np.ndarray] = field(default_factory=dict, compare=False)
    words: dict[int, WordSaliency] = field(default_factory=dict, compare=False)
