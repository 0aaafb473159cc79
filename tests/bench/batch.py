"""Throughput of batches, and its share of what the processor's matrix units can do at most."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import median
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mmner_core.data import Example
from mmner_core.inference.batches import BATCH_ROWS, BATCH_SUBWORDS, predict_tags, window_batches
from mmner_core.inference.tag_job import TagRequest
from mmner_core.inference.tagger import Tagger
from mmner_core.text.encoding import Window, collate
from tests.bench.sentences import SENTENCES
from tests.bench.timing import time_call

BATCH_SENTENCES = 512
PHOTOS = 16
PHOTO_PASSES = 8
ROUNDS = 5
_SIDES = (512, 1024, 2048)  # beyond, the matrices no longer fit the caches and the rate falls


def measure_peak(dtype: torch.dtype, *, repeats: int = 5) -> float:
    """Return the most floating-point operations per second that a product of square matrices reaches here."""
    best = 0.0
    for side in _SIDES:
        left, right = (torch.randn(side, side).to(dtype) for _ in range(2))
        seconds = min(time_call(partial(torch.matmul, left, right)) for _ in range(repeats))
        best = max(best, 2 * side**3 / seconds)
    return best


def count_text_operations(tagger: Tagger, windows: Sequence[Sequence[Window]]) -> int:
    """Count the operations of the text encoder's linear layers on sub-words that are there.

    Padding does not count, nor do the products within attention (2 % more at 40 sub-words), which torch does not count.
    """
    from torch.utils.flop_counter import FlopCounterMode

    total = 0
    counts: dict[int, int] = {}
    for window in (window for parts in windows for window in parts):
        length = len(window.input_ids)
        if length not in counts:
            with torch.enable_grad(), FlopCounterMode(display=False) as counter:  # with gradients: the plain layers
                tagger.model.encode_text(collate([window], pad=tagger.subwords.pad))
            counts[length] = counter.get_total_flops()
        total += counts[length]
    return total


class BatchSpeed(NamedTuple):
    """Seconds of a call, and the peak, in operations per second, right before it."""

    seconds: float
    peak: float

    def share(self, operations: float) -> float:
        """Return the share of the peak that so many operations in that time are."""
        return operations / self.seconds / self.peak


def measure_beside_peak(
    calls: Mapping[str, Callable[[], object]], dtype: torch.dtype, *, rounds: int
) -> dict[str, list[BatchSpeed]]:
    """Time each call once a round, the peak before each.

    A processor's clock wanders by a third within minutes where other machines share it; a share of a peak that was
    measured at another time says little.
    """
    measured: dict[str, list[BatchSpeed]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            peak = measure_peak(dtype)
            measured[name].append(BatchSpeed(time_call(call), peak))
    return measured


def bench_batch(tagger: Tagger, *, sentences: int = BATCH_SENTENCES, rounds: int = ROUNDS) -> dict[str, Any]:
    """Tag many sentences: raw texts to predictions, split words to tags as ``evaluate`` does, and the encoders alone.

    Returns:
        medians over the rounds: sentences per second and the share of the peak of each, the peak, photos per second and
        their share, and that of both encoders where each sentence has a photo; the operations counted per sentence and
        photo; and what each round measured.
    """
    repeated = [SENTENCES[i % len(SENTENCES)] for i in range(sentences)]
    requests = [TagRequest(text=text, lang=language) for language, text in repeated]
    tagger.tag_batch(requests[:64], attention=False)
    words = [tuple(word.text for word in tagger.prepare(request).words) for request in requests[: len(SENTENCES)]]
    examples = [_example(words[i % len(words)], repeated[i][0]) for i in range(sentences)]
    windows = tagger.subwords.windows([example.words for example in examples])
    calls: dict[str, Callable[[], object]] = {
        "tag_batch": lambda: tagger.tag_batch(requests, attention=False),
        "evaluate": lambda: predict_tags(tagger.model, tagger.subwords, examples, None),
        "text_encoder": lambda: _encode(tagger, windows),
    }
    pixels = _draw_pixels(tagger)
    if pixels is not None:
        _encode_photos(tagger, pixels)
        calls["photos"] = lambda: _encode_photos(tagger, pixels)
    measured = measure_beside_peak(calls, tagger.model.classifier.weight.dtype, rounds=rounds)
    photos = measured.pop("photos", [])
    operations = count_text_operations(tagger, windows)
    seen: dict[str, Any] = {}
    if pixels is not None:
        per_photo, texts = _count_photo_operations(tagger, pixels), measured["text_encoder"]
        seen = _report_photos(per_photo, photos, operations / sentences, texts, sentences)
    return {
        "sentences": sentences,
        "words_per_sentence": sum(len(example.words) for example in examples) / sentences,
        "peak_gflops": median(one.peak for runs in measured.values() for one in runs) / 1e9,
        "gflop_per_sentence": operations / sentences / 1e9,
        "sentences_per_second": {
            name: sentences / median(one.seconds for one in runs) for name, runs in measured.items()
        },
        "share_of_peak": {name: median(one.share(operations) for one in runs) for name, runs in measured.items()},
        **seen,
        "rounds": {
            name: [{"seconds": one.seconds, "peak_gflops": one.peak / 1e9} for one in runs]
            for name, runs in (measured | {"photos": photos}).items()
        },
    }


def _draw_pixels(tagger: Tagger) -> Tensor | None:
    """Return photos that are ready for the CNN, if the model has one."""
    cnn = tagger.model.cnn_encoder
    if not tagger.reads_images or cnn is None:
        return None
    size = cnn.config.size
    return torch.rand(PHOTOS, 3, size, size).to(tagger.device, tagger.model.classifier.weight.dtype)


@torch.inference_mode()
def _encode_photos(tagger: Tagger, pixels: Tensor) -> None:
    """Encode the photos as often as makes a time worth measuring."""
    assert tagger.model.cnn_encoder is not None  # noqa: S101 (else there are no pixels)
    for _ in range(PHOTO_PASSES):
        tagger.model.cnn_encoder(pixels)


def _count_photo_operations(tagger: Tagger, pixels: Tensor) -> int:
    """Count the operations of the CNN on one photo."""
    from torch.utils.flop_counter import FlopCounterMode

    assert tagger.model.cnn_encoder is not None  # noqa: S101 (else there are no pixels)
    with torch.enable_grad(), FlopCounterMode(display=False) as counter:  # with gradients: the plain layers
        tagger.model.cnn_encoder.model.forward_features(pixels[:1].clone())
    return counter.get_total_flops()


def _report_photos(
    operations: int,
    photos: Sequence[BatchSpeed],
    sentence_operations: float,
    texts: Sequence[BatchSpeed],
    sentences: int,
) -> dict[str, Any]:
    """Summarise what was measured of the CNN alone, and with the text encoder, a photo to a sentence."""
    read = PHOTOS * PHOTO_PASSES
    both = []
    for text, photo in zip(texts, photos, strict=True):
        # What the time of a sentence and a photo would hold at the peak that was measured beside each.
        most = text.seconds / sentences * text.peak + photo.seconds / read * photo.peak
        both.append((sentence_operations + operations) / most)
    return {
        "photos_per_second": read / median(one.seconds for one in photos),
        "gflop_per_photo": operations / 1e9,
        "photo_share_of_peak": median(one.share(read * operations) for one in photos),
        "encoders_share_of_peak": median(both),
    }


@torch.inference_mode()
def _encode(tagger: Tagger, windows: Sequence[Sequence[Window]]) -> None:
    for ids in window_batches(windows, batch_subwords=BATCH_SUBWORDS, batch_rows=BATCH_ROWS):
        tagger.model.encode_text(collate([windows[s][w] for s, w in ids], pad=tagger.subwords.pad).to(tagger.device))


def _example(words: tuple[str, ...], language: str) -> Example:
    return Example(words=words, tags=None, language=language)
