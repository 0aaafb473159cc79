"""An explainer of the tiny model with a fusion loud enough for a photo to matter, for the tests of this folder."""

from dataclasses import replace

import numpy as np
import torch
from PIL import Image

from analysis.heat_maps.explainer import ModelExplainer
from mmner_core.network.model import MMNER
from mmner_core.presets import tiny
from mmner_core.text.encoding import SubwordEncoder


def tiny_explainer(subwords: SubwordEncoder, **fusion: object) -> ModelExplainer:
    """Build an explainer with fixed random weights; ``fusion`` replaces fields of the fusion's config."""
    config = tiny()
    config = replace(config, fusion=replace(config.fusion, **fusion))  # type: ignore[arg-type]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = MMNER.build(config)
        for parameter in model.fusion.parameters():
            parameter.data.add_(torch.randn_like(parameter) * 0.3)
        for parameter in model.to_width.parameters():
            parameter.data.mul_(200)  # an untrained CNN says next to nothing
        for parameter in model.classifier.parameters():
            parameter.data.mul_(2)
    return ModelExplainer(model, subwords)


def drawn_photo(seed: int = 0, size: tuple[int, int] = (64, 64)) -> Image.Image:
    """Draw coarse random colours."""
    blocks = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize(size, Image.Resampling.NEAREST)
