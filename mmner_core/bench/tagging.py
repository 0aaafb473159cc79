"""Latency and throughput of tagging, and what it would cost without sharing work or small numbers."""

from __future__ import annotations

import copy
import io
import time
from typing import Any

import numpy as np
import torch

from mmner_core.bench.timing import Timing, measure
from mmner_core.encoding import collate
from mmner_core.preprocess import decode_size, to_pixels
from mmner_core.tagger import Tagger, TagRequest

SENTENCES = (
    ("en", "In the spring of 1912 the young engineer left Manchester for Buenos Aires, where the Great Southern "
     "Railway had offered her a post."),
    ("fr", "Au printemps de 1912, la jeune ingénieure quitta Lyon pour Buenos Aires, où la Compagnie des chemins de "
     "fer lui avait offert un poste."),
    ("de", "Im Frühjahr 1912 verließ die junge Ingenieurin Hamburg und zog nach Buenos Aires, wo ihr die Große "
     "Südbahn eine Stelle angeboten hatte."),
    ("es", "En la primavera de 1912 la joven ingeniera dejó Sevilla y se fue a Buenos Aires, donde el Gran Ferrocarril "
     "del Sur le había ofrecido un puesto."),
)  # fmt: skip
BATCH_SENTENCES = 256
PHOTO_SIZE = (1600, 1200)


def draw_photo(seed: int, size: tuple[int, int] = PHOTO_SIZE) -> bytes:
    """Return a JPEG of the size and detail of a photo from a web page."""
    from PIL import Image

    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(file, "JPEG", quality=85)
    return file.getvalue()


def bench_tagging(tagger: Tagger, *, repeats: int) -> dict[str, Any]:
    """Time single texts with and without a photo, each encoder alone, the plain way, and a batch.

    "Plain" is full precision and one full pass for each of: with the photo, without, with another photo. The tagger
    itself answers the first two, with heat maps, from one pass of each encoder.
    """
    photo, other = draw_photo(0), draw_photo(1)
    plain = copy.copy(tagger)
    plain.model = copy.deepcopy(tagger.model).float()
    texts = [text for _, text in SENTENCES]

    def with_photo(i: int) -> None:
        tagger.tag(texts[i % len(texts)], photo)

    def plainly(i: int) -> None:
        for image in (photo, None, other):
            plain.tag(texts[i % len(texts)], image, compare=False)

    timings = {"text": measure(lambda i: tagger.tag(texts[i % len(texts)]), repeats=repeats)}
    ratios = {}
    if tagger.reads_images:
        timings["text_image"] = measure(with_photo, repeats=repeats)
        timings["plain_three_conditions"] = measure(plainly, repeats=max(5, repeats // 5), warmup=2)
    encoders = _bench_encoders(tagger, photo, repeats=repeats)
    timings |= encoders
    if tagger.reads_images:
        both = sum(timing.median for timing in encoders.values())
        ratios = {
            "text_image_to_encoders": timings["text_image"].median / both,
            "plain_to_text_image": timings["plain_three_conditions"].median / timings["text_image"].median,
        }
    return {
        "seconds": {name: timing.to_json() for name, timing in timings.items()},
        "ratios": ratios,
        "batch": _bench_batch(tagger),
    }


@torch.no_grad()
def _bench_encoders(tagger: Tagger, photo: bytes, *, repeats: int) -> dict[str, Timing]:
    """Time one forward pass of each encoder on inputs that are ready."""
    from mmner_core.data.images import open_photo

    model, config = tagger.model, tagger.model.config
    windows = tagger.subwords.windows([text.split() for _, text in SENTENCES])
    batches = [collate(parts, pad=tagger.subwords.pad) for parts in windows]
    timings = {"text_encoder": measure(lambda i: model.encode_text(batches[i % len(batches)]), repeats=repeats)}
    if tagger.reads_images:
        opened = open_photo(photo, target=decode_size(config.vit, config.cnn))
        pixels = to_pixels([opened], config.vit, config.cnn)[0].to(tagger.device, model.classifier.weight.dtype)
        timings["image_encoder"] = measure(lambda _: model.encode_pixels(pixels), repeats=repeats)
    return timings


def _bench_batch(tagger: Tagger) -> dict[str, Any]:
    """Tag many texts at once, language given; sentences and words per second."""
    repeated = [SENTENCES[i % len(SENTENCES)] for i in range(BATCH_SENTENCES)]
    requests = [TagRequest(text=text, lang=language) for language, text in repeated]
    tagger.tag_batch(requests[:32], attention=False)
    started = time.perf_counter()
    predictions = tagger.tag_batch(requests, attention=False)
    seconds = time.perf_counter() - started
    words = sum(len(prediction.words) for prediction in predictions)
    return {
        "sentences": len(requests),
        "words_per_sentence": words / len(requests),
        "sentences_per_second": len(requests) / seconds,
        "words_per_second": words / seconds,
    }
