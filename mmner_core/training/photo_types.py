"""A stage of training for the eye alone: the CNN learns to tell of what type a pictured thing is.

ImageNet's classes know no organisations and few works, and a frozen network passes that blindness on. Here its last
stages are tuned to tell PER from LOC, ORG, MISC and mere objects, on photos that the pair table gives a type. The text
side is not touched, so nothing changes that is read without a photo.

Shapes: N photos, C channels of the CNN, T types and one for mere objects.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (the field's name for it)

from mmner_core.config import ImageConfig
from mmner_core.data.images import Photo, open_photo
from mmner_core.encoders.image import CnnEncoder
from mmner_core.errors import InputError
from mmner_core.preprocess import cut_square, decode_size, in_threads, normalise
from mmner_core.training.typed_photos import TypedPhotos

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PhotoTypesConfig:
    """Hyper-parameters of the stage.

    Attributes:
        trainable: beginnings of the names of the CNN's weights that learn; the early stages see edges and colours,
            which are the same everywhere, and cost most of the time.
        smallest_cut: a photo is cut at random to no less than this share of each side.
    """

    trainable: tuple[str, ...] = ("blocks.3.", "blocks.4.", "blocks.5.", "blocks.6.", "conv_head.", "bn2.")
    epochs: int = 3
    batch: int = 32
    lr: float = 1e-4
    head_lr: float = 5e-4
    head_steps: int = 300
    warmup: float = 0.1
    weight_decay: float = 0.05
    dropout: float = 0.2
    label_smoothing: float = 0.1
    smallest_cut: float = 0.7
    seed: int = 19


class PhotoTypes(nn.Module):
    """The CNN and a linear layer over its pooled vector.

    The CNN stays in eval mode: the statistics of its norms come from a million photos, ours from a few thousand.
    """

    def __init__(self, cnn: CnnEncoder, n_classes: int, config: PhotoTypesConfig) -> None:
        super().__init__()
        self.cnn = cnn.eval()
        self.head = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(cnn.width, n_classes))
        self.tuned = [p for name, p in cnn.model.named_parameters() if name.startswith(config.trainable)]
        if not self.tuned:
            raise InputError(f"The CNN has no weight whose name begins with {', '.join(config.trainable)}.")
        for parameter in self.tuned:
            parameter.requires_grad_(True)

    def forward(self, pixels: Tensor) -> Tensor:
        """[B, 3, size, size] -> [B, T] logits."""
        return self.head(self.pooled(pixels))

    def pooled(self, pixels: Tensor) -> Tensor:
        """[B, 3, size, size] -> [B, C]."""
        with torch.autocast(pixels.device.type, torch.bfloat16):
            states = self.cnn.model.forward_features(pixels.contiguous(memory_format=torch.channels_last))
        return states.float().mean((2, 3))


def train_photo_types(
    cnn: CnnEncoder, train: TypedPhotos, valid: TypedPhotos, config: PhotoTypesConfig
) -> list[dict[str, float]]:
    """Tune the CNN in place; it ends with the weights of the epoch of least loss on ``valid``.

    Returns:
        per epoch the mean training loss, and accuracy and loss on ``valid``; the first row is the untouched CNN under
        a linear layer.
    """
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    device = next(cnn.parameters()).device
    network = PhotoTypes(cnn, train.targets.shape[1], config).to(device)
    network.cnn.model.to(memory_format=torch.channels_last)
    photos = _Pixels(cnn.config, device, config)
    _fit_head(network.head, torch.cat(_pooled(network, train, photos)), train.targets.to(device), config)
    history = [_score(network, valid, photos)]
    best, weights = history[0]["loss"], _copy(cnn)
    groups = [
        {"params": network.tuned, "lr": config.lr},
        {"params": list(network.head.parameters()), "lr": config.head_lr},
    ]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=config.weight_decay)
    steps = config.epochs * math.ceil(len(train.files) / config.batch)
    schedule = _cosine(optimizer, steps, config.warmup)
    for epoch in range(config.epochs):
        began, losses = time.perf_counter(), []
        network.head.train()
        for rows in torch.from_numpy(rng.permutation(len(train.files))).split(config.batch):
            logits = network(photos.read([train.files[i] for i in rows.tolist()], rng))
            target = train.targets[rows].to(device)
            loss = F.cross_entropy(logits, target, label_smoothing=config.label_smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        history.append({**_score(network, valid, photos), "training_loss": float(np.mean(losses))})
        log.info("epoch %d: %s, %.0f s", epoch + 1, history[-1], time.perf_counter() - began)
        if history[-1]["loss"] < best:
            best, weights = history[-1]["loss"], _copy(cnn)
    cnn.load_state_dict(weights)
    cnn.requires_grad_(not cnn.config.frozen)
    return history


class _Pixels:
    """Photo files to pixels: the cut that the model reads, or a random one, mirrored half of the time."""

    def __init__(self, config: ImageConfig, device: torch.device, training: PhotoTypesConfig) -> None:
        self.config, self.device, self.smallest = config, device, training.smallest_cut

    def read(self, files: Sequence[Path], rng: np.random.Generator | None = None) -> Tensor:
        """Return [B, 3, size, size]."""
        target = decode_size(None, self.config)
        opened = in_threads(lambda file: open_photo(file, target=target), files)
        return normalise([self._cut(photo, rng) for photo in opened], self.config).to(self.device)

    def _cut(self, photo: Photo, rng: np.random.Generator | None) -> np.ndarray:
        if rng is None:
            return cut_square(photo, self.config).array
        share = self.config.crop_fraction * rng.uniform(self.smallest, 1)
        return np.ascontiguousarray(cut_square(photo, replace(self.config, crop_fraction=share), rng).array)


@torch.no_grad()
def _pooled(network: PhotoTypes, photos: TypedPhotos, pixels: _Pixels, batch: int = 64) -> list[Tensor]:
    starts = range(0, len(photos.files), batch)
    return [network.pooled(pixels.read(photos.files[start : start + batch])) for start in starts]


def _fit_head(head: nn.Module, pooled: Tensor, targets: Tensor, config: PhotoTypesConfig) -> None:
    """Fit the linear layer to the untouched CNN first: a random one would send noise into it."""
    optimizer = torch.optim.AdamW(head.parameters(), lr=2e-3, weight_decay=config.weight_decay)
    for _ in range(config.head_steps):
        rows = torch.randint(len(pooled), (min(512, len(pooled)),), device=pooled.device)
        loss = F.cross_entropy(head(pooled[rows]), targets[rows], label_smoothing=config.label_smoothing)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.no_grad()
def _score(network: PhotoTypes, photos: TypedPhotos, pixels: _Pixels) -> dict[str, float]:
    """Return the share of photos put into a class that they have, and the cross entropy."""
    network.head.eval()
    logits = network.head(torch.cat(_pooled(network, photos, pixels))).cpu()
    right = photos.targets.gather(1, logits.argmax(1, keepdim=True)) > 0
    return {"accuracy": float(right.float().mean()), "loss": float(F.cross_entropy(logits, photos.targets))}


def _copy(cnn: CnnEncoder) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in cnn.state_dict().items()}


def _cosine(optimizer: torch.optim.Optimizer, steps: int, warmup: float) -> torch.optim.lr_scheduler.LRScheduler:
    from transformers import get_cosine_schedule_with_warmup

    return get_cosine_schedule_with_warmup(optimizer, round(warmup * steps), steps)
