"""The image encoders: an open_clip ViT tower (all its tokens) and a timm CNN (its map and pooled vector).

Shapes: B images, P tokens, C channels of the CNN, D width of the ViT.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mmner_core.config import ImageConfig
from mmner_core.encoders.libraries import WEIGHTS_FOLDER, prepare_libraries
from mmner_core.errors import InputError


class ImageStates(NamedTuple):
    """What the image encoders say; a field is None where the model has no such encoder.

    Attributes:
        vit: [B, P, D] tokens of the ViT's last layer, class token first.
        cnn: [B, C, h, w] the CNN's last map; its pooled vector is the mean over the cells.
    """

    vit: Tensor | None
    cnn: Tensor | None


class VitEncoder(nn.Module):
    """The vision tower of an open_clip model; every token of its last layer (paper: CLIP ViT-B/32, 50 tokens)."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        prepare_libraries()
        import open_clip

        model = open_clip.create_model(config.name, pretrained=None, force_image_size=config.size)
        self.config = config
        self.tower = model.visual
        self.tower.output_tokens = True
        self.tower.proj = None  # the paper uses the last layer's hidden states, before CLIP's final norm and projection
        self.tower.ln_post = nn.Identity()
        self.width: int = self.tower.conv1.out_channels
        self.grid: tuple[int, int] = tuple(self.tower.grid_size)
        _freeze(self, config)

    def forward(self, pixels: Tensor) -> Tensor:
        """[B, 3, size, size] -> [B, 1 + h * w, D], class token first."""
        pooled, patches = self.tower(pixels)
        return torch.cat([pooled[:, None], patches], dim=1)


class CnnEncoder(nn.Module):
    """A timm CNN without its classifier (paper: ResNet-152, ImageNet weights, frozen)."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        prepare_libraries()
        import timm

        self.config = config
        self.model = timm.create_model(config.name, pretrained=False, num_classes=0, global_pool="")
        self.width: int = self.model.num_features
        reduction: int = self.model.feature_info[-1]["reduction"]
        self.grid: tuple[int, int] = (math.ceil(config.size / reduction),) * 2
        _freeze(self, config)

    def train(self, mode: bool = True) -> CnnEncoder:
        """Switch mode, except that a frozen network stays in eval unless its BatchNorm is meant to drift."""
        return super().train(mode and (not self.config.frozen or self.config.batchnorm_drifts))

    def forward(self, pixels: Tensor) -> Tensor:
        """[B, 3, size, size] -> [B, C, h, w]."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.config.frozen):
            return self.model.forward_features(pixels)


def _freeze(encoder: nn.Module, config: ImageConfig) -> None:
    if config.frozen:
        encoder.requires_grad_(False)


def load_pretrained_image(encoder: VitEncoder | CnnEncoder) -> None:
    """Load the weights that the encoder's config names: a local file, or by name from the hub.

    A relative file is looked for here and in the folder named by the environment variable ``MMNER_WEIGHTS``.

    Raises:
        InputError: if they are not to be had or do not fit.
    """
    config = encoder.config
    if config.pretrained is None:
        return
    file = find_weights(config.pretrained)
    try:
        if file is not None:
            _load_file(encoder, file)
        elif isinstance(encoder, CnnEncoder):
            import timm

            source = timm.create_model(config.name, pretrained=True, num_classes=0, global_pool="")
            encoder.model.load_state_dict(source.state_dict())
        else:
            import open_clip

            tower = open_clip.create_model(config.name, pretrained=config.pretrained).visual
            encoder.tower.load_state_dict(tower.state_dict(), strict=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(
            f"Weights {config.pretrained!r} of {config.name!r} are neither a fitting local file nor to be had from the "
            f"hub; give a .safetensors file, or set {WEIGHTS_FOLDER} to the folder that holds it."
        ) from error


def find_weights(name: str) -> Path | None:
    """Return the local weights file of that name, if there is one."""
    for folder in (Path(), Path(os.environ.get(WEIGHTS_FOLDER, "."))):
        if (folder / name).is_file():
            return folder / name
    return None


def _load_file(encoder: VitEncoder | CnnEncoder, file: Path) -> None:
    from safetensors.torch import load_file

    state = {key: value.float() if value.is_floating_point() else value for key, value in load_file(file).items()}
    network = encoder.tower if isinstance(encoder, VitEncoder) else encoder.model
    state = {key.removeprefix("visual."): value for key, value in state.items()}
    result = network.load_state_dict(state, strict=False)
    if result.missing_keys:
        raise ValueError(f"{file} lacks {result.missing_keys[:3]}")
