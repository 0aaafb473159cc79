"""Latency of tagging, and what it would cost without sharing work, fused kernels or small numbers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import count
from typing import Any

import torch

from mmner_core.bench.sentences import SENTENCES, draw_photo
from mmner_core.bench.timing import Timing, measure
from mmner_core.cache import RecentlyUsed
from mmner_core.checkpoint import load_checkpoint
from mmner_core.encoding import Batch, Pixels, collate
from mmner_core.model import MMNER
from mmner_core.photo_reader import PhotoReader
from mmner_core.tagger import Tagger

NEW_PHOTOS = 16


def bench_tagging(tagger: Tagger, *, repeats: int) -> dict[str, Any]:
    """Time single texts with and without a photo, each encoder alone, and the plain way.

    A call with a photo answers with the photo, without it and with another one, and says where the words looked, from
    one pass of each encoder; a photo is either new or was asked about before, and the text is always new. "Plain" is
    full precision, weights as they were loaded, and one full pass for each of the three photos.
    """
    asked = count()
    timings = {"text": measure(lambda _: tagger.tag(_new_text(next(asked))), repeats=repeats)}
    photo, other = draw_photo(0), draw_photo(1)
    photos = [draw_photo(2 + i) for i in range(NEW_PHOTOS)] if tagger.reads_images else []
    if tagger.reads_images:
        plain = _plain(tagger)

        def new_photo(_: int) -> None:
            i = next(asked)
            shown = photos[i % NEW_PHOTOS] + i.to_bytes(4, "big")  # trailing bytes: the same picture, a new file
            tagger.tag(_new_text(i), shown, other_image=other)

        def plainly(_: int) -> None:
            text = _new_text(next(asked))
            for image in (photo, None, other):
                plain.tag(text, image, compare=False)

        timings["text_new_photo"] = measure(new_photo, repeats=repeats)
        timings["text_known_photo"] = measure(
            lambda _: tagger.tag(_new_text(next(asked)), photo, other_image=other), repeats=repeats
        )
        timings["plain_three_conditions"] = measure(plainly, repeats=max(5, repeats // 5), warmup=2)
    encoders = _bench_encoders(tagger, photo, repeats=repeats)
    return {
        "seconds": {name: timing.to_json() for name, timing in (timings | encoders).items()},
        "ratios": _ratios(timings, encoders) if tagger.reads_images else {},
    }


def _ratios(timings: dict[str, Timing], encoders: dict[str, Timing]) -> dict[str, float]:
    plain, fused = (
        sum(timing.median for name, timing in encoders.items() if name.endswith(kind)) for kind in ("plain", "fused")
    )
    new, known = timings["text_new_photo"].median, timings["text_known_photo"].median
    return {
        "new_photo_to_plain_encoders": new / plain,
        "known_photo_to_plain_encoders": known / plain,
        "new_photo_to_fused_encoders": new / fused,
        "known_photo_to_fused_encoders": known / fused,
        "plain_encoders_to_fused": plain / fused,
        "plain_three_conditions_to_new_photo": timings["plain_three_conditions"].median / new,
    }


def _new_text(i: int) -> str:
    """Return a text that was not asked before: a sentence and a number."""
    return f"{SENTENCES[i % len(SENTENCES)][1]} {i % 10_000:04d}"


def _plain(tagger: Tagger) -> Tagger:
    """Return a tagger of the same weights in full precision, as they were loaded, that keeps nothing."""
    plain = copy.copy(tagger)
    plain.model = load_checkpoint(tagger.checkpoint.path).model.to(tagger.device)
    plain.photos = PhotoReader(plain.model, plain.limits, max_bytes=0)
    plain.texts = RecentlyUsed(0)
    return plain


@torch.inference_mode()
def _bench_encoders(tagger: Tagger, photo: bytes, *, repeats: int) -> dict[str, Timing]:
    """Time one forward pass of each encoder on inputs that are ready: as it runs, and with its plain layers."""
    plain = copy.deepcopy(tagger.model)  # a copy is not packed
    windows = tagger.subwords.windows([_new_text(i).split() for i in range(len(SENTENCES))])
    batches = [collate(parts, pad=tagger.subwords.pad) for parts in windows]
    timings: dict[str, Timing] = {}
    for kind, model in (("fused", tagger.model), ("plain", plain)):
        timings[f"text_encoder_{kind}"] = measure(_text_pass(model, batches), repeats=repeats)
        if tagger.reads_images:
            pixels = PhotoReader(model, tagger.limits).open(photo).pixels
            assert pixels is not None  # noqa: S101 (a model that reads images cuts them)
            ready = pixels.to(tagger.device, model.classifier.weight.dtype)
            timings[f"image_encoder_{kind}"] = measure(_image_pass(model, ready), repeats=repeats)
    return timings


def _text_pass(model: MMNER, batches: list[Batch]) -> Callable[[int], object]:
    return lambda i: model.encode_text(batches[i % len(batches)])


def _image_pass(model: MMNER, pixels: Pixels) -> Callable[[int], object]:
    return lambda _: model.encode_pixels(pixels)
