"""Trains an image encoder alone to tell in each cell which entity type is there.

ImageNet has no classes for organisations and few for works, and a frozen network inherits that blindness. Here its last
stages are tuned together with its cell classifier (:mod:`mmner_core.network.grounding`), on scenes made of photos of
known type: the mean of the logits over each part's cells has to give the part's type, and every cell outside the parts
has to give "nothing". The text encoder is not touched, so answers without a photo do not change.

Shapes: N scenes, P cells, C width of a cell, R parts, T types and one for mere objects and nothing.
"""

from __future__ import annotations

import json
import logging
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (the field's name for it)

from mmner_core.config import ImageConfig
from mmner_core.encoders.image import CnnEncoder, VitEncoder
from mmner_core.errors import InputError
from mmner_core.photos.preprocess import in_threads, normalise
from mmner_core.runtime.atomic import atomic_write
from mmner_core.training.images.drawn_scenes import DrawnScene, Scenes, SceneShares

log = logging.getLogger(__name__)
STATE = "state.pt"


@dataclass(frozen=True, kw_only=True)
class PhotoTypesConfig:
    """Hyper-parameters of the stage.

    Attributes:
        trainable: beginnings of the names of the encoder's weights that learn; the early stages see edges and colours,
            which are the same everywhere, and cost most of the time.
        scenes: how many an epoch has.
        valid_scenes: on how many the best epoch is chosen; they are the same for every epoch.
        shares: of each kind of scene.
        outside: how much it counts that cells outside of all parts tell nothing.
    """

    trainable: tuple[str, ...] = ("blocks.3.", "blocks.4.", "blocks.5.", "blocks.6.", "conv_head.", "bn2.")
    epochs: int = 4
    scenes: int = 4000
    valid_scenes: int = 400
    shares: SceneShares = SceneShares()
    batch: int = 32
    lr: float = 1e-4
    reader_lr: float = 5e-4
    reader_steps: int = 300
    warmup: float = 0.1
    weight_decay: float = 0.05
    dropout: float = 0.2
    label_smoothing: float = 0.1
    outside: float = 0.5
    seed: int = 19


class Eye(nn.Module):
    """An image encoder and its cell classifier.

    The encoder stays in eval mode: the statistics of its norms come from a million photos, ours from a few thousand.
    """

    def __init__(self, encoder: CnnEncoder | VitEncoder, reader: nn.Linear, config: PhotoTypesConfig) -> None:
        super().__init__()
        self.encoder = encoder.eval()
        self.reader = reader
        self.dropout = nn.Dropout(config.dropout)
        encoder.requires_grad_(False)
        self.tuned = [p for name, p in encoder.network.named_parameters() if name.startswith(config.trainable)]
        if not self.tuned:
            raise InputError(f"The encoder has no weight whose name begins with {', '.join(config.trainable)}.")
        for parameter in self.tuned:
            parameter.requires_grad_(True)

    def forward(self, pixels: Tensor) -> Tensor:
        """[N, 3, size, size] -> [N, P, T] logits of each cell."""
        return self.reader(self.dropout(self.cells(pixels)))

    def cells(self, pixels: Tensor) -> Tensor:
        """[N, 3, size, size] -> [N, P, C]."""
        with torch.autocast(pixels.device.type, torch.bfloat16):
            states = self.encoder.states(pixels.contiguous(memory_format=torch.channels_last)).float()
        if isinstance(self.encoder, CnnEncoder):
            return states.flatten(2).transpose(1, 2)
        return states[:, 1:]  # without the class token


def train_photo_types(
    encoder: CnnEncoder | VitEncoder,
    reader: nn.Linear,
    train: Scenes,
    valid: Scenes,
    out: Path,
    config: PhotoTypesConfig,
    data: dict[str, str],
) -> list[dict[str, float]]:
    """Tune encoder and reader in place; they end with the weights of the epoch of least loss on ``valid``.

    ``out`` holds the state after each epoch, from which an interrupted run goes on; ``data`` are the digests of what it
    is trained on.

    Returns:
        per epoch the mean training loss, and loss and accuracy (of the parts' types) on ``valid``; the first row is the
        untouched encoder under a fitted reader.

    Raises:
        InputError: if ``out`` holds a run of other settings or data.
    """
    torch.manual_seed(config.seed)
    device = next(encoder.parameters()).device
    eye = Eye(encoder, reader, config).to(device)
    encoder.network.to(memory_format=torch.channels_last)
    groups = [
        {"params": eye.tuned, "lr": config.lr},
        {"params": list(reader.parameters()), "lr": config.reader_lr},
    ]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=config.weight_decay)
    schedule = _cosine(optimizer, config.epochs * math.ceil(config.scenes / config.batch), config.warmup)
    progress = _Progress(eye, optimizer, schedule, out / STATE, json.dumps([asdict(config), data], sort_keys=True))
    if not progress.resume():
        _fit_reader(eye, train, config)
        progress.note(_score(eye, valid, config))
        progress.save()
    while (epoch := len(progress.history)) <= config.epochs:
        torch.manual_seed(config.seed * 1000 + epoch)
        began = time.perf_counter()
        losses = _train_epoch(eye, train, config, epoch, optimizer, schedule)
        progress.note({**_score(eye, valid, config), "training_loss": float(np.mean(losses))})
        progress.save()
        log.warning("epoch %d: %s, %.0f s", epoch, progress.history[-1], time.perf_counter() - began)
    eye.load_state_dict(progress.best)
    encoder.requires_grad_(not encoder.config.frozen)
    return progress.history


def _train_epoch(
    eye: Eye, train: Scenes, config: PhotoTypesConfig, epoch: int, optimizer: Any, schedule: Any
) -> list[float]:
    from tqdm import tqdm

    eye.dropout.train()
    losses = []
    steps = math.ceil(config.scenes / config.batch)
    for step in tqdm(range(steps), desc=f"epoch {epoch}/{config.epochs}", mininterval=5):
        seeds = [[config.seed, epoch, step, i] for i in range(config.batch)]
        loss, _ = _loss(eye, _draw(train, seeds), config)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def _draw(scenes: Scenes, seeds: list[list[int]]) -> list[DrawnScene]:
    return in_threads(lambda seed: scenes.draw(np.random.default_rng(seed)), seeds)


def _loss(eye: Eye, drawn: list[DrawnScene], config: PhotoTypesConfig) -> tuple[Tensor, Tensor]:
    """Return the loss of some scenes, and whether the type of each part is recognised, [R]."""
    device = next(eye.parameters()).device
    logits = eye(_pixels(drawn, eye.encoder.config).to(device))  # [N, P, T]
    rows = torch.tensor([n for n, scene in enumerate(drawn) for _ in scene.masks], device=device)
    masks = torch.from_numpy(np.concatenate([scene.masks for scene in drawn])).to(device).float()  # [R, P]
    targets = torch.from_numpy(np.concatenate([scene.targets for scene in drawn])).to(device)  # [R, T]
    pooled = torch.einsum("rp,rpt->rt", masks / masks.sum(1, keepdim=True), logits[rows])
    right = targets.gather(1, pooled.argmax(1, keepdim=True))[:, 0] > 0
    loss = F.cross_entropy(pooled, targets, label_smoothing=config.label_smoothing)
    outside = torch.from_numpy(np.stack([~scene.masks.any(0) for scene in drawn])).to(device)
    if bool(outside.any()):
        nothing = logits.new_full((int(outside.sum()),), logits.shape[-1] - 1, dtype=torch.long)
        loss = loss + config.outside * F.cross_entropy(logits[outside], nothing)
    return loss, right


def _pixels(drawn: list[DrawnScene], config: ImageConfig) -> Tensor:
    """Return [N, 3, size, size]."""
    squares = in_threads(lambda scene: np.asarray(scene.image.resize((config.size, config.size))), drawn)
    return normalise(list(squares), config)


@torch.no_grad()
def _score(eye: Eye, valid: Scenes, config: PhotoTypesConfig) -> dict[str, float]:
    """Return the mean loss on fixed scenes and the share of their parts whose type is recognised."""
    eye.dropout.eval()
    losses, recognised = [], []
    for start in range(0, config.valid_scenes, config.batch):
        loss, right = _loss(eye, _draw(valid, [[config.seed, 0, 1, start + i] for i in range(config.batch)]), config)
        losses.append(loss.item())
        recognised.append(right.float())
    return {"accuracy": float(torch.cat(recognised).mean()), "loss": float(np.mean(losses))}


def _fit_reader(eye: Eye, train: Scenes, config: PhotoTypesConfig) -> None:
    """Fit the classifier to the untouched encoder first: a random one would send noise into the encoder."""
    photos = train.whole_photos()
    pooled, targets = [], []
    with torch.no_grad():
        for start in range(0, len(photos), config.batch):
            drawn = in_threads(train.open_whole, photos[start : start + config.batch])
            device = next(eye.parameters()).device
            pooled.append(eye.cells(_pixels(drawn, eye.encoder.config).to(device)).mean(1))
            targets += [scene.targets for scene in drawn]
    inputs, wanted = torch.cat(pooled), torch.from_numpy(np.concatenate(targets)).to(pooled[0].device)
    optimizer = torch.optim.AdamW(eye.reader.parameters(), lr=2e-3, weight_decay=config.weight_decay)
    for _ in range(config.reader_steps):
        rows = torch.randint(len(inputs), (min(512, len(inputs)),), device=inputs.device)
        loss = F.cross_entropy(
            eye.reader(eye.dropout(inputs[rows])), wanted[rows], label_smoothing=config.label_smoothing
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


class _Progress:
    """What is saved after each epoch: weights, optimiser, scores so far and the best weights."""

    def __init__(self, eye: Eye, optimizer: Any, schedule: Any, file: Path, run: str) -> None:
        self.eye, self.optimizer, self.schedule, self.file, self.run = eye, optimizer, schedule, file, run
        self.history: list[dict[str, float]] = []
        self.best: dict[str, Tensor] = {}

    def note(self, scores: dict[str, float]) -> None:
        """Keep an epoch's scores, and the weights if they are the best."""
        if all(scores["loss"] < earlier["loss"] for earlier in self.history):
            self.best = {name: value.clone() for name, value in self.eye.state_dict().items()}
        self.history.append(scores)

    def save(self) -> None:
        """Write the state, whole or not at all."""
        state = {
            "run": self.run,
            "eye": self.eye.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "history": self.history,
            "best": self.best,
        }
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(self.file) as partial:
            torch.save(state, partial)

    def resume(self) -> bool:
        """Go on where a run in the same folder was; return whether there was one."""
        if not self.file.is_file():
            return False
        state = torch.load(self.file, weights_only=True)
        if state["run"] != self.run:
            raise InputError(f"{self.file.parent} holds a run of other settings or data; give another folder.")
        self.eye.load_state_dict(state["eye"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.history, self.best = state["history"], state["best"]
        return True


def _cosine(optimizer: torch.optim.Optimizer, steps: int, warmup: float) -> torch.optim.lr_scheduler.LRScheduler:
    from transformers import get_cosine_schedule_with_warmup

    return get_cosine_schedule_with_warmup(optimizer, round(warmup * steps), steps)
