"""How the cost of tagging grows with the number of sentences and with the length of a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from mmner_core.inference.tag_job import TagRequest
from mmner_core.inference.tagger import Tagger
from tests.bench.sentences import SENTENCES
from tests.bench.timing import time_call

SENTENCE_COUNTS = (250, 500, 1_000, 2_000)
COPIES = (4, 8, 16, 32, 64)
CHUNK = 1_000
"""Sentences per call, as a long job hands them over: what they need at once stays the same."""


def bench_growth(tagger: Tagger, *, largest: int = SENTENCE_COUNTS[-1]) -> dict[str, Any]:
    """Time ever more sentences and ever longer texts.

    Args:
        tagger: the model.
        largest: most sentences.
    """
    counts = [n for n in SENTENCE_COUNTS if n < largest]
    counts += [n for n in (5_000, 10_000, 20_000) if n < largest] + [largest]
    texts = {n: " ".join(SENTENCES[0][1] for _ in range(n)) for n in COPIES}
    tagger.tag_batch(_requests(64), attention=False)
    tagger.tag(texts[COPIES[0]], lang="en")
    return {
        "sentences": _grow(counts, lambda n: _tag(tagger, n)),
        "characters": _grow(
            [len(text) for text in texts.values()],
            lambda n: tagger.tag(next(t for t in texts.values() if len(t) == n), lang="en"),
            rounds=3,
        ),
    }


def fit_growth(sizes: Sequence[float], seconds: Sequence[float]) -> dict[str, float]:
    """Fit seconds = c * size^exponent by least squares of the logarithms, and a straight line with its R².

    Returns:
        "exponent" (1: linear), "r2" of the straight line through the seconds, "seconds_per_item", its slope.
    """
    exponent, _ = np.polyfit(np.log(sizes), np.log(seconds), 1)
    slope, start = np.polyfit(sizes, seconds, 1)
    residual = np.asarray(seconds) - (slope * np.asarray(sizes) + start)
    spread = np.asarray(seconds) - np.mean(seconds)
    return {
        "exponent": float(exponent),
        "r2": float(1 - (residual @ residual) / (spread @ spread)),
        "seconds_per_item": float(slope),
    }


def _grow(sizes: Sequence[int], call: Callable[[int], object], *, rounds: int = 1) -> dict[str, Any]:
    seconds = [min(time_call(partial(call, size)) for _ in range(rounds)) for size in sizes]
    return {"sizes": list(sizes), "seconds": seconds, **fit_growth(sizes, seconds)}


def _tag(tagger: Tagger, n: int) -> None:
    for start in range(0, n, CHUNK):
        tagger.tag_batch(_requests(min(CHUNK, n - start)), attention=False)


def _requests(n: int) -> list[TagRequest]:
    return [TagRequest(text=text, lang=lang) for lang, text in (SENTENCES[i % len(SENTENCES)] for i in range(n))]
