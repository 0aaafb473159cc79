"""Dropout that is fast on a CPU: masks cut from a pool drawn in advance.

torch draws dropout's random bits on one CPU thread, which costs more than the layers around it. Here a few million
mask entries are drawn once an epoch and every layer takes a random stretch of them.
"""

from __future__ import annotations

import random

import torch
from torch import Tensor, nn

POOL_SIZE = 1 << 23


class MaskPool:
    """A pool of dropout masks for one probability, redrawn on request from torch's global generator."""

    def __init__(self, p: float) -> None:
        self.p = p
        self.masks = torch.empty(0)

    def redraw(self) -> None:
        """Draw the pool anew, so that an epoch depends on its seed alone."""
        keep = torch.rand(POOL_SIZE) >= self.p
        self.masks = keep.to(torch.bfloat16) / (1 - self.p)

    def take(self, like: Tensor) -> Tensor:
        """Return a mask of the tensor's shape from a random place of the pool."""
        n = like.numel()
        if not len(self.masks):
            self.redraw()
        if n > len(self.masks):
            return (torch.rand(like.shape) >= self.p).to(like.dtype) / (1 - self.p)
        first = random.randint(0, len(self.masks) - n)
        return self.masks[first : first + n].view(like.shape)


class PooledDropout(nn.Module):
    """Dropout by a stretch of a shared pool."""

    def __init__(self, pool: MaskPool) -> None:
        super().__init__()
        self.pool = pool
        self.p = pool.p  # Hugging Face's attention reads it and drops weights by itself

    def forward(self, states: Tensor) -> Tensor:
        """Drop entries in training; return the input in evaluation."""
        return states * self.pool.take(states).to(states.dtype) if self.training else states


def pool_dropout(model: nn.Module) -> list[MaskPool]:
    """Replace every ``nn.Dropout`` in the model by one that takes its masks from a pool; return the pools."""
    pools: dict[float, MaskPool] = {}
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Dropout) and child.p > 0:
                setattr(module, name, PooledDropout(pools.setdefault(child.p, MaskPool(child.p))))
    return list(pools.values())
