"""Throughput of batches, and its share of what the processor's matrix units can do at most."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch

from mmner_core.bench.sentences import SENTENCES
from mmner_core.data import Example
from mmner_core.encoding import Window, collate
from mmner_core.inference import BATCH_ROWS, BATCH_SUBWORDS, predict_tags, window_batches
from mmner_core.tagger import Tagger, TagRequest

BATCH_SENTENCES = 512
PHOTOS = 16
_SIDES = (512, 1024, 2048)  # beyond, the matrices no longer fit the caches and the rate falls


def measure_peak(dtype: torch.dtype, *, repeats: int = 7) -> float:
    """Return the most floating-point operations per second that a product of square matrices reaches here."""
    best = 0.0
    for side in _SIDES:
        left, right = (torch.randn(side, side).to(dtype) for _ in range(2))
        seconds = min(_seconds(lambda a=left, b=right: a @ b) for _ in range(repeats))
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


def bench_batch(tagger: Tagger, *, sentences: int = BATCH_SENTENCES) -> dict[str, Any]:
    """Tag many sentences: raw texts to predictions, split words to tags as ``evaluate`` does, and the encoder alone.

    Returns:
        sentences per second and the share of the peak of each, the peak, and the operations counted per sentence.
    """
    repeated = [SENTENCES[i % len(SENTENCES)] for i in range(sentences)]
    requests = [TagRequest(text=text, lang=language) for language, text in repeated]
    tagger.tag_batch(requests[:64], attention=False)
    peak = measure_peak(tagger.model.classifier.weight.dtype)
    seconds = {"tag_batch": _seconds(lambda: tagger.tag_batch(requests, attention=False))}
    words = [tuple(word.text for word in tagger.prepare(request).words) for request in requests[: len(SENTENCES)]]
    examples = [_example(words[i % len(words)], repeated[i][0]) for i in range(sentences)]
    windows = tagger.subwords.windows([example.words for example in examples])
    seconds["evaluate"] = _seconds(lambda: predict_tags(tagger.model, tagger.subwords, examples, None))
    seconds["text_encoder"] = _seconds(lambda: _encode(tagger, windows))
    operations = count_text_operations(tagger, windows)
    return {
        "sentences": sentences,
        "words_per_sentence": sum(len(example.words) for example in examples) / sentences,
        "peak_gflops": peak / 1e9,
        "gflop_per_sentence": operations / sentences / 1e9,
        "sentences_per_second": {name: sentences / value for name, value in seconds.items()},
        "share_of_peak": {name: operations / value / peak for name, value in seconds.items()},
        **_bench_photos(tagger, peak),
    }


@torch.inference_mode()
def _bench_photos(tagger: Tagger, peak: float) -> dict[str, Any]:
    """Encode a batch of photos that are ready."""
    from torch.utils.flop_counter import FlopCounterMode

    cnn = tagger.model.cnn_encoder
    if not tagger.reads_images or cnn is None:
        return {}
    size = cnn.config.size
    pixels = torch.rand(PHOTOS, 3, size, size).to(tagger.device, tagger.model.classifier.weight.dtype)
    cnn(pixels)
    seconds = min(_seconds(lambda: cnn(pixels)) for _ in range(5))
    with torch.inference_mode(False), torch.enable_grad(), FlopCounterMode(display=False) as counter:
        cnn.model.forward_features(torch.rand(1, 3, size, size).to(pixels))
    return {
        "photos_per_second": PHOTOS / seconds,
        "gflop_per_photo": counter.get_total_flops() / 1e9,
        "photo_share_of_peak": counter.get_total_flops() * PHOTOS / seconds / peak,
    }


@torch.inference_mode()
def _encode(tagger: Tagger, windows: Sequence[Sequence[Window]]) -> None:
    for ids in window_batches(windows, batch_subwords=BATCH_SUBWORDS, batch_rows=BATCH_ROWS):
        tagger.model.encode_text(collate([windows[s][w] for s, w in ids], pad=tagger.subwords.pad).to(tagger.device))


def _seconds(call: Any) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _example(words: tuple[str, ...], language: str) -> Example:
    return Example(words=words, tags=None, language=language)
