"""The full-size model beside the authors' algorithm as written, in one run: sentences per second, random weights.

As written: full precision, batches of 32 in random order, and for every sentence in every epoch its photo decoded at
its own size and read by a ViT that learns and a frozen ResNet-152. Here: bfloat16, batches of like length, photos
decoded once (see ``image_source``), and at inference no larger than needed.
"""

from __future__ import annotations

import logging
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from mmner_core.config import ModelConfig
from mmner_core.data import Example
from mmner_core.inference.batches import predict_tags
from mmner_core.inference.image_loader import ImageLoader, PhotoFiles, StoredImages
from mmner_core.labels import LabelSet
from mmner_core.network.model import MMNER
from mmner_core.network.precision import choose_dtype, multiplies_bfloat16
from mmner_core.presets import paper, paper_code
from mmner_core.text.encoding import Batch, SubwordEncoder
from mmner_core.training.batching import Collator, LengthBatches, Sample
from mmner_core.training.config import Recipe
from mmner_core.training.dropout import pool_dropout
from mmner_core.training.optim import build_optimizer
from mmner_core.training.runs import named_run
from tests.bench.workload import word_encoder, write_examples

log = logging.getLogger(__name__)
MBERT = {"model_type": "bert", "vocab_size": 119547}
"""What the config of bert-base-multilingual-cased says beyond BERT's defaults."""
BATCH = 32
EPOCHS = named_run("paper").training.epochs


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many sentences were read in how many seconds, by the clock and by the processor, all threads together."""

    sentences: int
    seconds: float
    processor_seconds: float

    @property
    def per_second(self) -> float:
        """Sentences per second."""
        return self.sentences / self.seconds


def bench_full(
    *,
    sentences: int,
    device: torch.device | None = None,
    models: tuple[ModelConfig, ModelConfig] | None = None,
) -> dict[str, Any]:
    """Measure training and inference both ways.

    Args:
        sentences: how many are read, each with its own photo; at least two batches.
        device: where; None: a GPU if there is one.
        models: the authors' and ours, with known architectures; None: the presets ``paper_code`` and ``paper``.

    Returns:
        sentences per second and ratios, and what they were measured on.
    """
    device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
    theirs, ours = models or (_known(paper_code()), _known(paper()))
    subwords = word_encoder()
    with tempfile.TemporaryDirectory() as folder:
        examples = write_examples(Path(folder), sentences, LabelSet(theirs.types))
        log.info("the authors' algorithm")
        model = MMNER.build(theirs).to(device)
        rates = {"inference_theirs": _infer_as_written(model, subwords, examples, device)}
        rates["training_theirs"] = _train_as_written(model, subwords, examples, device)
        del model
        log.info("this workbench")
        model = MMNER.build(ours)
        training, building, images = _train(model, subwords, examples, device, Path(folder) / "features")
        rates |= {"training": training, "building": building}
        del model
        model = choose_dtype(MMNER.build(ours).eval(), device)
        rates["inference"] = _infer(model, subwords, examples, PhotoFiles(ours), device)
        rates["inference_stored"] = _infer(model, subwords, examples, images, device)
    return _report(rates, sentences, device)


def _known(config: ModelConfig) -> ModelConfig:
    """Give a preset the architecture of its text encoder, which else is read from the hub."""
    return replace(config, text=replace(config.text, architecture=dict(MBERT)))


def _train_as_written(
    model: MMNER, subwords: SubwordEncoder, examples: Sequence[Example], device: torch.device
) -> Rate:
    images = PhotoFiles(model.config)
    collator = Collator(subwords, model.labels, model.config.conventions, images, random_crop=True)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=5e-5)
    model.text_encoder.use_attention("eager")

    def step(batch: Batch) -> None:
        model(batch.to(device)).losses["total"].backward()
        optimizer.step()
        optimizer.zero_grad()

    order = list(range(len(examples)))
    random.Random(0).shuffle(order)
    model.train()
    rows = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    return _timed(lambda chosen: step(collator([Sample(examples[i], True) for i in chosen])), rows, device)


def _train(
    model: MMNER, subwords: SubwordEncoder, examples: Sequence[Example], device: torch.device, folder: Path
) -> tuple[Rate, Rate, ImageLoader]:
    """Measure the steps of an epoch after the first, and what the images cost once."""
    run = Recipe(model=model.config, training=named_run("paper").training)
    fast = device.type != "cpu" or multiplies_bfloat16()
    model.to(device)
    watch = _Watch()
    images = StoredImages(model, examples, folder, torch.bfloat16 if fast else torch.float32)
    building = watch.rate(len(examples))
    model.text_encoder.use_attention("eager" if device.type == "cpu" else "sdpa")
    pools = pool_dropout(model.text_encoder) if device.type == "cpu" else []
    for pool in pools:
        pool.redraw()
    collator = Collator(subwords, model.labels, model.config.conventions, images)
    optimizer = build_optimizer(model, run.training)

    def step(batch: Batch) -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=fast):
            loss = model(batch.to(device)).losses["total"]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), run.training.clip)
        optimizer.step()
        optimizer.zero_grad()

    lengths = [len(parts[0].input_ids) for parts in subwords.windows([e.words for e in examples])]
    rows = LengthBatches(lengths, run.training).batches(0)
    model.train()
    rate = _timed(lambda chosen: step(collator([Sample(examples[i], True) for i in chosen])), rows, device)
    return rate, building, images


@torch.no_grad()
def _infer_as_written(
    model: MMNER, subwords: SubwordEncoder, examples: Sequence[Example], device: torch.device
) -> Rate:
    model.eval()
    model.text_encoder.use_attention("eager")
    collator = Collator(subwords, model.labels, model.config.conventions, PhotoFiles(model.config))

    def read(chosen: Sequence[Example]) -> None:
        batch = collator([Sample(example, True) for example in chosen]).to(device)
        model.crf.viterbi(model(batch).emissions, batch.word_mask)

    return _timed(read, [examples[i : i + BATCH] for i in range(0, len(examples), BATCH)], device)


def _infer(
    model: MMNER, subwords: SubwordEncoder, examples: Sequence[Example], images: ImageLoader, device: torch.device
) -> Rate:
    return _timed(lambda chosen: predict_tags(model, subwords, chosen, images), [examples], device, examples[:BATCH])


class _Watch:
    def __init__(self) -> None:
        self._started, self._spent = time.perf_counter(), time.process_time()

    def rate(self, sentences: int) -> Rate:
        seconds, spent = time.perf_counter() - self._started, time.process_time() - self._spent
        return Rate(sentences=sentences, seconds=seconds, processor_seconds=spent)


def _timed(
    read: Callable[[Any], object],
    parts: Sequence[Sequence[Any]],
    device: torch.device,
    first: Sequence[Any] | None = None,
) -> Rate:
    """Time reading all parts, after a warm-up on ``first`` or the first part."""
    read(parts[0] if first is None else first)
    _wait(device)
    watch = _Watch()
    for part in parts:
        read(part)
    _wait(device)
    return watch.rate(sum(map(len, parts)))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def _report(rates: dict[str, Rate], sentences: int, device: torch.device) -> dict[str, Any]:
    return {
        "sentences_per_second": {name: rate.per_second for name, rate in rates.items()},
        "ratios": _ratios({name: rate.seconds for name, rate in rates.items()}),
        # On a machine with other work the clock says little; what the processor did still counts. Not so on a GPU.
        "processor_ratios": _ratios({name: rate.processor_seconds for name, rate in rates.items()}),
        "epochs": EPOCHS,
        "sentences": sentences,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


def _ratios(seconds: dict[str, float]) -> dict[str, float]:
    """Return how many times as long the authors' algorithm takes; every measurement read the same sentences."""
    return {
        "training": seconds["training_theirs"] / seconds["training"],
        "training_with_building": EPOCHS
        * seconds["training_theirs"]
        / (EPOCHS * seconds["training"] + seconds["building"]),
        "inference": seconds["inference_theirs"] / seconds["inference"],
        "inference_stored": seconds["inference_theirs"] / seconds["inference_stored"],
    }
