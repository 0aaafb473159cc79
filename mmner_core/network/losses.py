"""The training losses of a model: that of the CRF, the contrastive ones, and those of grounded attention.

Shapes: B sentences, W words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from mmner_core.network.grounding_loss import grounding_losses
from mmner_core.runtime.distributed import process_count

if TYPE_CHECKING:
    from mmner_core.network.model import MMNER, ModelOutput
    from mmner_core.text.encoding import Batch


def training_losses(model: MMNER, output: ModelOutput, batch: Batch) -> dict[str, Tensor]:
    """Return the losses of a batch with gold tags, and their total.

    The total is 2 * (alpha * crf + (1 - alpha) * sum of contrastive losses), and those of grounded attention.
    """
    assert batch.tags is not None  # noqa: S101 (the forward pass asks only then)
    losses = {"crf": model.crf(output.emissions, batch.tags, batch.word_mask, batch.unannotated).mean()}
    contrastive = _contrast(model, output, batch)
    losses.update(contrastive)
    alpha = model.config.alpha
    aligned = sum(contrastive.values(), output.emissions.new_zeros(()))
    losses["total"] = 2 * (alpha * losses["crf"] + (1 - alpha) * aligned)
    if model.grounding is not None and output.attention:
        named = (batch.tags > 0) & batch.word_mask  # [B, W], ``O`` is tag 0
        losses.update(grounding_losses(output.attention, named, batch.regions, batch.looking))
        losses["total"] = losses["total"] + losses["pointing"] + losses["looking"]
    return losses


def _contrast(model: MMNER, output: ModelOutput, batch: Batch) -> dict[str, Tensor]:
    """Return each stream's contrastive loss over the aligned pairs; empty where there are none."""
    paired = batch.image_present if batch.aligned is None else batch.image_present & batch.aligned
    alone = not model.training or process_count() == 1  # else others wait for this process's pairs, even if none
    if output.text_projection is None or (alone and not bool(paired.any())):
        return {}
    text, index = output.text_projection[paired], batch.image_index[paired]
    key = None
    if model.config.alignment.mask_same_image:
        key = index if batch.image_key is None else batch.image_key[paired]
    losses = {}
    for stream in model.image_projections:
        images = output.image_projection.get(stream)
        losses[f"contrastive_{stream}"] = model.contrastive(text, text[:0] if images is None else images[index], key)
    return losses
