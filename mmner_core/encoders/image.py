"""The image encoders: a ViT (all its tokens) and a CNN (its map and pooled vector).

Shapes: B images, P tokens, C channels of the CNN, D width of the ViT.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from mmner_core.config import ImageConfig
from mmner_core.encoders.efficientnet_lite import NAME as EFFICIENTNET_LITE0
from mmner_core.encoders.efficientnet_lite import EfficientNetLite0
from mmner_core.encoders.fast.folded import FoldedNetwork
from mmner_core.encoders.libraries import WEIGHTS_FOLDER, prepare_libraries
from mmner_core.encoders.weights import find_image_weights, read_image_weights
from mmner_core.errors import InputError
from mmner_core.runtime.fast import is_fast


class ImageStates(NamedTuple):
    """The outputs of the image encoders; a field is None where the model has no such encoder.

    Attributes:
        vit: [B, P, D] tokens of the ViT's last layer, class token first.
        cnn: [B, C, h, w] the CNN's last map; its pooled vector is the mean over the cells.
    """

    vit: Tensor | None
    cnn: Tensor | None

    @property
    def n_bytes(self) -> int:
        """Size of the states in memory."""
        return sum(states.nbytes for states in self if states is not None)

    @classmethod
    def join(cls, parts: Sequence[ImageStates]) -> ImageStates:
        """Join the states of separately encoded images, at least one, into one batch."""
        return cls(*(None if column[0] is None else torch.cat(column) for column in zip(*parts, strict=True)))

    def each(self) -> list[ImageStates]:
        """Return a copy of each image's states, [1, ...], so that the batch can be freed."""
        [size] = {len(states) for states in self if states is not None}
        return [ImageStates(*(None if s is None else s[i : i + 1].clone() for s in self)) for i in range(size)]


class ImageEncoder(nn.Module):
    """The base of both image encoders: a network that may be frozen."""

    network: Any
    width: int
    grid: tuple[int, int]

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        self.config = config

    def train(self, mode: bool = True) -> ImageEncoder:
        """Switch mode, except that a frozen network stays in eval unless its BatchNorm is meant to drift."""
        return super().train(mode and (not self.config.frozen or self.config.batchnorm_drifts))

    def checkpoint_activations(self) -> None:
        """Forget the activations inside each block and compute them again for the backward pass, if it has any."""
        if not self.config.frozen and hasattr(self.network, "set_grad_checkpointing"):
            self.network.set_grad_checkpointing(True)

    def forward(self, pixels: Tensor) -> Tensor:
        """[B, 3, size, size] -> the encoder's states; see :meth:`states`."""
        with self._learning():
            return self.states(pixels)

    def states(self, pixels: Tensor) -> Tensor:
        """Encode as :meth:`forward` does, recording a graph of a frozen network too."""
        raise NotImplementedError

    def _learning(self) -> Any:
        """Record no graph of a frozen network."""
        return torch.set_grad_enabled(torch.is_grad_enabled() and not self.config.frozen)


class VitEncoder(ImageEncoder):
    """A vision transformer and every token of its last layer (paper: CLIP ViT-B/32, 50 tokens).

    It may be open_clip's own tower (CLIP), one that open_clip takes from timm (SigLIP 2, MobileCLIP2-B), or a model of
    timm. Where there is no class token, as in SigLIP, the pooled vector stands in its place.
    """

    def __init__(self, config: ImageConfig) -> None:
        super().__init__(config)
        self.tower: Any = _build_vit(config)
        self._from_timm = hasattr(self.tower, "patch_embed")
        if self._from_timm:
            self.width: int = self.tower.embed_dim
            self.grid: tuple[int, int] = tuple(self.tower.patch_embed.grid_size)
        else:
            self.tower.output_tokens = True
            self.tower.proj = None  # the paper uses the last hidden states, before CLIP's final norm and projection
            self.tower.ln_post = nn.Identity()
            self.width = self.tower.conv1.out_channels
            self.grid = tuple(self.tower.grid_size)
        self.requires_grad_(not config.frozen)

    @property
    def network(self) -> Any:
        """The module that pretrained weights are loaded into."""
        return self.tower

    def states(self, pixels: Tensor) -> Tensor:
        """[B, 3, size, size] -> [B, 1 + h * w, D], class token first."""
        if not self._from_timm:
            whole, patches = self.tower(pixels)
            return torch.cat([whole[:, None], patches], dim=1)
        tokens = self.tower.forward_features(pixels)
        pooled = None if self.tower.has_class_token else self.tower.forward_head(tokens, pre_logits=True)
        whole = tokens[:, :1] if pooled is None else pooled[:, None]
        return torch.cat([whole, tokens[:, self.tower.num_prefix_tokens :]], dim=1)


class CnnEncoder(ImageEncoder):
    """A timm CNN without its classifier (paper: ResNet-152, ImageNet weights, frozen)."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__(config)
        self.model, reduction = _build_cnn(config)
        self.width: int = self.model.num_features
        self.grid: tuple[int, int] = (math.ceil(config.size / reduction),) * 2
        self.requires_grad_(not config.frozen)

    @property
    def network(self) -> Any:
        """The module that pretrained weights are loaded into."""
        return self.model

    def fold(self, device: torch.device, dtype: torch.dtype) -> FoldedNetwork | None:
        """Return the network for inference in a number format, to be :meth:`use`d once the weights are in that format.

        None where there is no such form: the network is timm's, or runs elsewhere, or a stride meets an odd size.
        """
        if not isinstance(self.model, EfficientNetLite0) or device.type != "cpu" or self.config.size % 32:
            return None
        return self.model.fold(dtype)

    def use(self, folded: FoldedNetwork | None) -> None:
        """Lay the network out for inference, in the form that :meth:`fold` returned if there is one."""
        # Convolutions want channels innermost: 9.8 -> 5.5 ms per photo (EfficientNet-Lite0, one core, bfloat16).
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if isinstance(self.model, EfficientNetLite0):
            self.model.use(folded)

    def states(self, pixels: Tensor) -> Tensor:
        """[B, 3, size, size] -> [B, C, h, w]."""
        return self.model.forward_features(pixels)


def _build_cnn(config: ImageConfig) -> tuple[Any, int]:
    """Return the network with random weights, and how many pixels a side of its map's cells stands for."""
    if config.name == EFFICIENTNET_LITE0 and is_fast("networks"):
        return EfficientNetLite0(), EfficientNetLite0.reduction
    prepare_libraries()
    import timm

    model = timm.create_model(config.name, pretrained=False, num_classes=0, global_pool="")
    return model, model.feature_info[-1]["reduction"]


def _build_vit(config: ImageConfig) -> Any:
    """Build the network with random weights.

    Raises:
        InputError: if there is none of that name, or it has no patch tokens.
    """
    prepare_libraries()
    import open_clip
    import timm
    from open_clip.model import _build_vision_tower  # the whole model would draw up to a gigabyte of text weights

    if config.library == "timm":
        tower = timm.create_model(config.name, pretrained=False, num_classes=0)
    else:
        record = open_clip.get_model_config(config.name)
        if record is None:
            raise InputError(f"open_clip has no model {config.name!r}; open_clip.list_models() names those it has.")
        vision = {**record["vision_cfg"], "image_size": config.size}
        tower = _build_vision_tower(record["embed_dim"], vision, record.get("quick_gelu", False))
        tower = getattr(tower, "trunk", tower)
    if hasattr(tower, "patch_embed") and hasattr(tower, "has_class_token"):
        if tuple(tower.patch_embed.img_size) != (config.size, config.size):
            tower.set_input_size((config.size, config.size))
    elif not hasattr(tower, "grid_size"):
        raise InputError(
            f"{config.name!r} is no plain vision transformer with a token per patch; choose one, such as "
            "ViT-B-32-SigLIP2-256 or MobileCLIP2-B."
        )
    return tower


def load_pretrained_image(encoder: VitEncoder | CnnEncoder) -> None:
    """Load the weights that the encoder's config names: local ones (see ``places``), or by name from the hub.

    Raises:
        InputError: if they are not to be had or do not fit.
    """
    config = encoder.config
    if config.pretrained is None:
        return
    file = find_image_weights(config.name, config.pretrained)
    state = read_image_weights(file) if file is not None else _fetch(encoder, config.pretrained)
    wanted = encoder.network.state_dict()
    unfit = [name for name, tensor in wanted.items() if name not in state or state[name].shape != tensor.shape]
    if unfit:
        raise InputError(
            f"{file or config.pretrained} does not hold the weights of {config.name!r}: {len(unfit)} tensors, among "
            f"them {unfit[0]}, are missing or of another shape; give a .safetensors file, or set {WEIGHTS_FOLDER} to "
            "the folder that holds it."
        )
    encoder.network.load_state_dict({name: state[name] for name in wanted})


def _fetch(encoder: VitEncoder | CnnEncoder, pretrained: str) -> dict[str, Tensor]:
    """Have the encoder's library fetch the weights.

    Raises:
        InputError: if it cannot.
    """
    prepare_libraries()
    import open_clip
    import timm

    name = encoder.config.name
    try:
        if encoder.config.library == "timm":
            source = timm.create_model(name, pretrained=True, num_classes=0)
        else:
            source = open_clip.create_model(name, pretrained=pretrained).visual
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(
            f"Weights {pretrained!r} of {name!r} are neither a local file nor to be had from the hub; give a "
            f".safetensors file, or set {WEIGHTS_FOLDER} to the folder that holds {name}.safetensors."
        ) from error
    return dict(getattr(source, "trunk", source).state_dict())
