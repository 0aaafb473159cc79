"""The losses that teach attention to look at the part of an image that shows the entity, and at no image that does not.

The two losses on the region are of the form of AMC (Yang et al., CVPR 2023, section 3.2), on the attention itself.

Shapes: B sentences, H heads, W words, P cells.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mmner_core.network.fusion import image_share

MARGIN = 0.5
"""By how much of the map's maximum the hottest cell inside is to stand above the hottest one outside."""
FLOOR = 1e-6


def grounding_losses(
    attention: Mapping[str, Tensor], named: Tensor, regions: Mapping[str, Tensor], looking: Tensor | None
) -> dict[str, Tensor]:
    """Return the losses "pointing" and "looking", each summed over a sentence's names' words, as means over B.

    Args:
        attention: per stream [B, H, W, 1 + P], the "no image" key first; a whole-image token may follow it.
        named: [B, W] bool, the words of names.
        regions: per stream [B, P] bool, the cells of a sentence's photo that show its name; none: not known.
        looking: [B] how much it counts that the names of a sentence look at its photo, or, below 0, that they leave it
            alone; None: nothing.
    """
    zero = named.new_zeros((), dtype=torch.float32)
    pointing, shares = [zero], [zero]
    for stream, weights in attention.items():
        mean = weights.float().mean(1)  # [B, W, 1 + P]
        if stream in regions and mean.shape[-1] > 1:
            pointing.append(_pointing(mean[..., -regions[stream].shape[1] :], named, regions[stream]))
        if looking is not None:
            shares.append(_looking(image_share(mean), named, looking))
    return {"pointing": torch.stack(pointing).sum(), "looking": torch.stack(shares).sum() / max(1, len(attention))}


def _looking(share: Tensor, named: Tensor, looking: Tensor) -> Tensor:
    """Return the cross entropy of the share on the photo, [B, W], without words that may not look, whose share is 0."""
    wanted = torch.where(looking[:, None] > 0, share, 1 - share).clamp(min=FLOOR)
    return -(wanted.log() * looking.abs()[:, None] * (named & (share > 0))).sum() / len(named)


def _pointing(cells: Tensor, named: Tensor, region: Tensor) -> Tensor:
    """Return how far attention within the photo, [B, W, P], misses the region: its mass, and its peak."""
    some = region.any(1) & ~region.all(1)
    taught = named & some[:, None]  # [B, W]
    within = cells / cells.sum(-1, keepdim=True).clamp(min=FLOOR)
    mass = (within * region[:, None]).sum(-1).clamp(min=FLOOR)
    scaled = within / within.amax(-1, keepdim=True).clamp(min=FLOOR)
    inside = scaled.masked_fill(~region[:, None], 0).amax(-1)
    outside = scaled.masked_fill(region[:, None], 0).amax(-1)
    missed = -mass.log() + (outside - inside + MARGIN).clamp(min=0)
    return (missed * taught).sum() / len(named)
