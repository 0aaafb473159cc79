"""Gathers the contrastive pairs of other processes as further negatives.

Shapes: n pairs of this process, N of all processes, D width.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor


def process_count() -> int:
    """Return the number of processes that train together; 1 outside a distributed run."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def gather_pairs(text: Tensor, image: Tensor, image_key: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    """Join this process's pairs with those of all others, in the order of the processes.

    Every process must call it at the same point, also with no pair at all; their numbers may differ. Each then
    computes the loss of the whole batch, so the gradient of its own vectors is complete without a second exchange. It
    comes back multiplied by the number of processes, because DistributedDataParallel is going to average the
    parameters' gradients, of which only this process's share flows through these vectors.

    Args:
        text: [n, D] text vectors.
        image: [n, D] image vectors of the same pairs.
        image_key: [n] integers that name the images across processes, or None in every process.

    Returns:
        [N, D] text, [N, D] image, [N] keys or None.
    """
    world = process_count()
    if world == 1:
        return text, image, image_key
    own = torch.cat([text, image], dim=1).float()  # [n, 2D]: one exchange for both
    counts = [int(n) for n in _gather(torch.tensor([len(own)], device=own.device))]
    if own.requires_grad:
        own.register_hook(lambda gradient: gradient * world)
    parts = _gather_rows(own.detach(), counts)
    parts[dist.get_rank()] = own
    joined = torch.cat(parts)  # [N, 2D]
    keys = None if image_key is None else torch.cat(_gather_rows(image_key, counts))
    return joined[:, : text.shape[1]], joined[:, text.shape[1] :], keys


def _gather_rows(rows: Tensor, counts: list[int]) -> list[Tensor]:
    """Gather [n, ...] of differing n: padded to the longest to be sent, cut again on arrival."""
    padded = rows.new_zeros(max(*counts, 1), *rows.shape[1:])
    padded[: len(rows)] = rows
    return [part[:n] for part, n in zip(_gather(padded), counts, strict=True)]


def _gather(tensor: Tensor) -> list[Tensor]:
    parts = [torch.empty_like(tensor) for _ in range(process_count())]
    dist.all_gather(parts, tensor)
    return parts
