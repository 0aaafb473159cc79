"""What grouping the waiting requests brings: the same questions of many visitors, one at a time and in groups.

Every question is read anew: nothing is remembered from one to the next.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mmner_core.inference.photo_reader import PhotoReader
from mmner_core.inference.tag_job import TagRequest
from mmner_core.inference.tagger import Tagger
from mmner_core.results import Prediction
from mmner_core.runtime.cache import RecentlyUsed
from mmner_core.serving.engine import Engine
from tests.bench.sentences import SENTENCES, draw_photo
from tests.bench.timing import CallTimes

VISITORS = 32
PHOTOS = 32  # different ones, so that hardly any group holds the same photo twice


def bench_serving(tagger: Tagger, *, requests: int, batch_size: int) -> dict[str, Any]:
    """Let visitors ask at once, each waiting for an answer before the next question.

    Args:
        tagger: the model.
        requests: questions in all, of each kind.
        batch_size: most questions in one pass of the model when they are grouped.

    Returns:
        For "text" and, where the model reads photos, "photo": requests per second and seconds until the answer, one at
        a time and grouped; their ratio; and how the answers differ.
    """
    kinds = {"text": _questions(requests, photos=())}
    if tagger.reads_images:
        kinds["photo"] = _questions(requests, photos=[draw_photo(seed) for seed in range(PHOTOS)])
    return {
        "visitors": VISITORS,
        "batch_size": batch_size,
        "kinds": {kind: _compare(tagger, asked, batch_size) for kind, asked in kinds.items()},
    }


def _questions(count: int, *, photos: Sequence[bytes]) -> list[TagRequest]:
    """Return texts of different lengths, no two the same."""
    asked = []
    for i in range(count):
        language, text = SENTENCES[i % len(SENTENCES)]
        words = text.split()
        asked.append(
            TagRequest(
                text=f"{' '.join(words[: 6 + i % (len(words) - 5)])} {i}",
                image=photos[i % len(photos)] if photos else None,
                lang=language,
            )
        )
    return asked


def _compare(tagger: Tagger, asked: Sequence[TagRequest], batch_size: int) -> dict[str, Any]:
    single, alone = _serve(tagger, asked, batch_size=1)
    grouped, together = _serve(tagger, asked, batch_size=batch_size)
    return {
        "one_at_a_time": single,
        "grouped": grouped,
        "ratio": grouped["per_second"] / single["per_second"],
        "differences": compare_answers(alone, together),
    }


def _serve(tagger: Tagger, asked: Sequence[TagRequest], *, batch_size: int) -> tuple[dict[str, Any], list[Prediction]]:
    """Answer every question; return figures and answers, in the order of the questions."""
    tagger = copy.copy(tagger)
    tagger.texts = RecentlyUsed(0)  # else the second way would find what the first way read
    tagger.photos = PhotoReader(tagger.model, tagger.limits, max_bytes=0)
    engine = Engine(tagger, batch_size=batch_size)

    def ask(request: TagRequest) -> tuple[float, Prediction]:
        started = time.perf_counter()
        answer = engine.tag(request)
        return time.perf_counter() - started, answer

    with ThreadPoolExecutor(VISITORS) as visitors:
        list(visitors.map(ask, asked[:VISITORS]))  # warm-up
        started = time.perf_counter()
        answered = list(visitors.map(ask, asked))
        seconds = time.perf_counter() - started
    engine.close()
    timing = CallTimes.of([waited for waited, _ in answered])
    return {"per_second": len(asked) / seconds, "seconds": timing.to_json()}, [answer for _, answer in answered]


def compare_answers(first: Sequence[Prediction], second: Sequence[Prediction]) -> dict[str, Any]:
    """Count the answers that are equal to the last bit and those with other names; say how far confidences differ.

    Equal are names, their probabilities, runners-up and comparisons, and the probability of every tag of every word.
    """
    equal, others, largest = 0, 0, 0.0
    for one, other in zip(first, second, strict=True):
        names, rivals = ({(e.start, e.end, e.type): e.confidence for e in p.entities} for p in (one, other))
        others += names.keys() != rivals.keys()
        equal += _told(one) == _told(other) and bool((one.marginals == other.marginals).all())
        largest = max([largest, *(abs(names[key] - rivals[key]) for key in names.keys() & rivals.keys())])
    return {
        "answers": len(first),
        "equal": equal,
        "other_names": others,
        "largest_confidence_difference": largest,
    }


def _told(answer: Prediction) -> tuple[object, ...]:
    return answer.tags, answer.entities, answer.text_only_entities, answer.image_text_cosine


def run_serving_bench(checkpoint: Path, *, requests: int, batch_size: int) -> dict[str, Any]:
    """Load a model and measure it.

    Raises:
        InputError: if the checkpoint cannot be used.
    """
    tagger = Tagger.load(checkpoint)
    return {**bench_serving(tagger, requests=requests, batch_size=batch_size), "checkpoint": tagger.digest}
