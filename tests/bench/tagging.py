"""Latency of tagging, and what it would cost without sharing work, fused kernels or small numbers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import count
from typing import Any

import torch

from mmner_core.checkpoints.folder import load_checkpoint
from mmner_core.inference.photo_reader import PhotoReader
from mmner_core.inference.tag_job import TagRequest
from mmner_core.inference.tagger import Tagger
from mmner_core.network.model import MMNER
from mmner_core.runtime.cache import RecentlyUsed
from mmner_core.text.encoding import Batch, Pixels, collate
from tests.bench.sentences import SENTENCES, draw_photo
from tests.bench.timing import CallTimes, measure_in_turn

NEW_PHOTOS = 16


def bench_tagging(tagger: Tagger, *, repeats: int) -> dict[str, Any]:
    """Time single texts with and without a photo, each encoder alone, and the plain way, all in turn.

    A call with a photo answers with the photo, without it and with another one, and says where the words looked, from
    one pass of each encoder; a photo is either new or was asked about before, and the text is always new. "Plain" is
    full precision, weights as they were loaded, and one full pass for each of the three photos.
    """
    calls = _questions(tagger) | _passes(tagger)
    timings = measure_in_turn(calls, repeats=repeats)
    return {
        "seconds": {name: timing.to_json() for name, timing in timings.items()},
        "ratios": _ratios(timings) if tagger.reads_images else {},
    }


def _questions(tagger: Tagger) -> dict[str, Callable[[int], object]]:
    """Return calls that ask for predictions, each for one that it did not ask for before."""
    asked = count()

    def text_only(_: int) -> None:
        tagger.tag(_new_text(next(asked)))

    if not tagger.reads_images:
        return {"text": text_only}
    photo, other, *photos = (draw_photo(i) for i in range(2 + NEW_PHOTOS))
    plain = _plain(tagger)

    def new_photo(_: int) -> None:
        i = next(asked)
        shown = photos[i % NEW_PHOTOS] + i.to_bytes(4, "big")  # trailing bytes: the same image, a new file
        tagger.tag(_new_text(i), shown, other_image=other)

    def known_photo(_: int) -> None:
        tagger.tag(_new_text(next(asked)), photo, other_image=other)

    def plainly(_: int) -> None:
        text = _new_text(next(asked))
        for image in (photo, None, other):
            plain.tag_batch([TagRequest(text=text, image=image)], compare=False)

    return {
        "text": text_only,
        "text_new_photo": new_photo,
        "text_known_photo": known_photo,
        "plain_three_conditions": plainly,
    }


def _ratios(timings: dict[str, CallTimes]) -> dict[str, float]:
    plain, fused = (
        sum(timings[f"{encoder}_encoder_{kind}"].median for encoder in ("text", "image")) for kind in ("plain", "fused")
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


def _passes(tagger: Tagger) -> dict[str, Callable[[int], object]]:
    """Return one forward pass of each encoder on inputs that are ready: as it runs, and with its plain layers."""
    plain = copy.deepcopy(tagger.model)  # a copy is not packed
    windows = tagger.subwords.windows([_new_text(i).split() for i in range(len(SENTENCES))])
    batches = [collate(parts, pad=tagger.subwords.pad) for parts in windows]
    passes: dict[str, Callable[[int], object]] = {}
    for kind, model in (("fused", tagger.model), ("plain", plain)):
        passes[f"text_encoder_{kind}"] = _text_pass(model, batches)
        if tagger.reads_images:
            pixels = PhotoReader(model, tagger.limits).open(draw_photo(0)).pixels
            assert pixels is not None  # noqa: S101 (a model that reads images cuts them)
            passes[f"image_encoder_{kind}"] = _image_pass(
                model, pixels.to(tagger.device, model.classifier.weight.dtype)
            )
    return passes


def _text_pass(model: MMNER, batches: list[Batch]) -> Callable[[int], object]:
    return torch.inference_mode()(lambda i: model.encode_text(batches[i % len(batches)]))


def _image_pass(model: MMNER, pixels: Pixels) -> Callable[[int], object]:
    return torch.inference_mode()(lambda _: model.encode_pixels(pixels))
