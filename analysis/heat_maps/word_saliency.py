"""Word saliency: hides each word of a text in turn, and tests the resulting order against random ones.

The method is leave one word out: a word is replaced by one unknown token, so that all others keep their places, and its
saliency is by how much the exact CRF probability of the entity falls. It is checked by deletion: the words around the
entity are hidden one after the other, the most salient first, and the probability must fall faster than in random
orders (:func:`analysis.heat_maps.attribution.check_maps`); beside it stands what needs no model, the nearest words
first. The entity's own words stay: without them everything falls.

Shapes: W words, n variants of the text, L tags.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from analysis.heat_maps.attribution import MapTest, check_maps, occlusion_map
from mmner_core.errors import InputError
from mmner_core.inference.batches import read_windows
from mmner_core.labels import Entity
from mmner_core.text.encoding import merge_windows
from mmner_core.text.segments import TextPart

if TYPE_CHECKING:
    from analysis.heat_maps.explainer import ModelExplainer
    from mmner_core.encoders.image import ImageStates
    from mmner_core.text.encoding import Window

# [n, W] booleans, true where a word is visible -> [n] probabilities.
WordScore = Callable[[np.ndarray], np.ndarray]
METHOD = "leave one word out: the word replaced by an unknown token, the fall of the entity's exact CRF probability"
SALIENT, NEAREST = "most salient first", "nearest first"
FEWEST = 4
"""Words around an entity below which there are too few orders to tell one from another."""
MOST = 64
"""Words of a text that are asked about: all of nearly every sentence, those around the entity of longer ones."""
_HIDDEN = ""  # read as the one unknown token
_STEPS = 5
GROUP_SUBWORDS = 1024
"""Of the variants that are read at once, 0.1 s of a core."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class WordSaliency:
    """The words that an entity rests on.

    Attributes:
        first: the first of the words that were hidden in turn, in the text.
        falls: [W] by how much the probability of the entity falls without each; below 0 where it rises.
        probability: of the entity with all words there.
        alone: its probability with all words hidden but its own.
        checks: deletion tests of the words around the entity, ``SALIENT`` first and ``NEAREST`` first; empty for fewer
            than ``FEWEST`` such words.
    """

    first: int
    falls: np.ndarray
    probability: float
    alone: float
    checks: Mapping[str, MapTest]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadWords:
    """The words that an entity is read with, and where it is among them.

    Attributes:
        words: W of them.
        first: the first of them, in the text.
        parts: of the text, counted from ``first``.
        entity: counted from ``first``.
        n_subwords: of these words, with the special tokens around them.
    """

    words: tuple[str, ...]
    first: int
    parts: tuple[TextPart, ...]
    entity: Entity
    n_subwords: int

    @classmethod
    def around(
        cls, entity: Entity, words: Sequence[str], parts: Sequence[TextPart], windows: Sequence[Window]
    ) -> ReadWords:
        """Pick the window of a text that reads the entity with the most context, at most ``MOST`` words of it.

        Raises:
            InputError: if the entity is longer than a window.
        """
        window = windows[merge_windows(windows)[(entity.start + entity.end - 1) // 2][0]]
        centre = (entity.start + entity.end) // 2
        start, stop = max(window.start, centre - MOST // 2), min(window.stop, centre + MOST // 2)
        if not start <= entity.start < entity.end <= stop:
            raise InputError("This entity is too long to ask which words it rests on.")
        tokens = [*window.word_to_token, len(window.input_ids) - 1]
        inner = [TextPart(part.start - start, part.mark) for part in parts if start < part.start < stop]
        return cls(
            words=tuple(words[start:stop]),
            first=start,
            parts=(TextPart(0, None), *inner),
            entity=Entity(entity.start - start, entity.end - start, entity.type),
            n_subwords=tokens[stop - window.start] - tokens[start - window.start] + 2,
        )

    @property
    def own(self) -> np.ndarray:
        """Return [W] whether a word is the entity's."""
        place = np.arange(len(self.words))
        return (self.entity.start <= place) & (place < self.entity.end)


def word_score(
    explainer: ModelExplainer, read: ReadWords, image: ImageStates | None, convention: str | None = None
) -> WordScore:
    """Return the question "how probable is the entity when only these words are visible?".

    Args:
        explainer: of the model.
        read: the words.
        image: encoded, U = 1; None to ask about the text alone.
        convention: one that the model knows; None for its default.
    """
    model, subwords = explainer.model, explainer.subwords
    index = model.config.conventions.index(convention) if convention is not None else 0
    start = max(part.start for part in read.parts if part.start <= read.entity.start)
    stop = min((part.start for part in read.parts if part.start > start), default=len(read.words))
    entity = Entity(read.entity.start - start, read.entity.end - start, read.entity.type)

    @torch.no_grad()
    def score(visible: np.ndarray) -> np.ndarray:
        variants = [[w if seen else _HIDDEN for w, seen in zip(read.words, row, strict=True)] for row in visible]
        windows = [subwords.windows_of_parts(variant, read.parts)[0] for variant in variants]
        read_states, _ = read_windows(model, subwords, windows, [index] * len(windows))
        words = read_states[:, start:stop]  # the CRF reads each part by itself
        if image is None:
            emissions = model.text_only_emissions(words)  # [n, W, L]
        else:
            rows = torch.zeros(len(words), dtype=torch.long, device=words.device)
            emissions = model.tag_words(words, model.image_keys(image), rows).emissions
        mask = torch.ones(words.shape[:2], dtype=torch.bool, device=words.device)
        return model.crf.log_span_probability(emissions.float(), mask, entity).exp().cpu().numpy()

    return score


def in_groups(
    score: WordScore, read: ReadWords, do: Callable[[Callable[[], np.ndarray]], np.ndarray] = lambda work: work()
) -> WordScore:
    """Ask the same question of many variants, in groups that fit the encoder's caches.

    Args:
        score: what :func:`word_score` returned.
        read: the words it is about.
        do: does one group's work, for instance in its turn among that of others.
    """
    at_once = max(1, GROUP_SUBWORDS // read.n_subwords)

    def asked(visible: np.ndarray) -> np.ndarray:
        groups = [visible[i : i + at_once] for i in range(0, len(visible), at_once)]
        return np.concatenate([do(partial(score, group)) for group in groups])

    return asked


def word_saliency(score: WordScore, read: ReadWords, *, seed: int = 0) -> WordSaliency:
    """Hide each word in turn, and test the order that this gives.

    Args:
        score: what :func:`in_groups` returned.
        read: the words.
        seed: of the random orders.
    """
    n = len(read.words)
    falls = occlusion_map(lambda visible: _once(score, visible[:, 0]), (1, n))[0]
    around = ~read.own
    whole, alone = score(np.stack([np.ones(n, dtype=bool), ~around]))

    def of_context(visible: np.ndarray) -> np.ndarray:  # [m, 1, words around] -> [m]
        shown = np.ones((len(visible), n), dtype=bool)
        shown[:, around] = visible[:, 0]
        return _once(score, shown)

    checks: Mapping[str, MapTest] = {}
    if around.sum() >= FEWEST:
        place = np.arange(n)
        near = np.maximum(read.entity.start - place, place - read.entity.end + 1)
        orders = {SALIENT: falls[around][None], NEAREST: -near[around][None]}
        checks = check_maps(of_context, orders, steps=_STEPS, seed=seed)
    return WordSaliency(first=read.first, falls=falls, probability=float(whole), alone=float(alone), checks=checks)


def _once(score: WordScore, visible: np.ndarray) -> np.ndarray:
    """Ask about each distinct variant once, since orders of few words have many in common."""
    distinct, place = np.unique(visible, axis=0, return_inverse=True)
    return score(distinct)[place.reshape(-1)]
