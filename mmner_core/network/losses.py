"""The training losses of a model: that of the CRF, the contrastive ones, and those of grounded attention.

Shapes: B sentences, W words.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from mmner_core.config import ModelConfig
from mmner_core.network.alignment import NTXent
from mmner_core.network.crf import CRF
from mmner_core.network.grounding_loss import grounding_losses
from mmner_core.network.outputs import ModelOutput
from mmner_core.runtime.distributed import process_count
from mmner_core.text.encoding import Batch


def training_losses(
    output: ModelOutput,
    batch: Batch,
    config: ModelConfig,
    *,
    crf: CRF,
    contrastive: NTXent,
    streams: Sequence[str],
    grounded: bool,
    training: bool,
) -> dict[str, Tensor]:
    """Return the losses of a batch with gold tags, and their total.

    The total is 2 * (alpha * crf + (1 - alpha) * sum of contrastive losses), and those of grounded attention.

    Args:
        output: of the forward pass.
        batch: its input.
        config: the model's.
        crf: the model's.
        contrastive: the model's.
        streams: the image streams that are aligned.
        grounded: whether attention is grounded.
        training: whether the model learns from the losses, or they are only looked at.
    """
    assert batch.tags is not None  # noqa: S101 (the forward pass asks only then)
    losses = {"crf": crf(output.emissions, batch.tags, batch.word_mask, batch.unannotated).mean()}
    aligned = _contrast(output, batch, config, contrastive, streams, training=training)
    losses.update(aligned)
    total = sum(aligned.values(), output.emissions.new_zeros(()))
    losses["total"] = 2 * (config.alpha * losses["crf"] + (1 - config.alpha) * total)
    if grounded and output.attention:
        named = (batch.tags > 0) & batch.word_mask  # [B, W], ``O`` is tag 0
        losses.update(grounding_losses(output.attention, named, batch.regions, batch.looking))
        losses["total"] = losses["total"] + losses["pointing"] + losses["looking"]
    return losses


def _contrast(
    output: ModelOutput,
    batch: Batch,
    config: ModelConfig,
    contrastive: NTXent,
    streams: Sequence[str],
    *,
    training: bool,
) -> dict[str, Tensor]:
    """Return each stream's contrastive loss over the aligned pairs; empty where there are none."""
    paired = batch.image_present if batch.aligned is None else batch.image_present & batch.aligned
    alone = not training or process_count() == 1  # else others wait for this process's pairs, even if none
    if output.text_projection is None or (alone and not bool(paired.any())):
        return {}
    text, index = output.text_projection[paired], batch.image_index[paired]
    key = None
    if config.alignment.mask_same_image:
        key = index if batch.image_key is None else batch.image_key[paired]
    losses = {}
    for stream in streams:
        images = output.image_projection.get(stream)
        losses[f"contrastive_{stream}"] = contrastive(text, text[:0] if images is None else images[index], key)
    return losses
