"""EfficientNet-Lite0 in plain PyTorch: what timm's ``tf_efficientnet_lite0`` computes, under the same names of weights.

It is the shipped model's image encoder. Importing timm, and torchvision with it, takes longer than all else that
loading the model needs, so the one network used every day is spelt out here; every other CNN comes from timm, and a
test holds the two equal. Architecture: Tan and Le, arXiv 1905.11946, with the changes of the Lite family (no
squeeze-and-excite, ReLU6), and TensorFlow's padding.

Shapes: B images, C channels.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (the field's name for it)
from torch.utils.checkpoint import checkpoint

from mmner_core.encoders.fast.fast_form import WithFastForm
from mmner_core.encoders.fast.folded import FoldedBlock, FoldedConvolution, FoldedNetwork, can_fold

NAME = "tf_efficientnet_lite0"
_STEM, _LAST = 32, 1280
_EPSILON = 1e-3
# Per stage: blocks, kernel, stride of the first block, expansion, channels.
_STAGES = (
    *((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80)),
    *((3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)),
)


class SameConv2d(nn.Conv2d):
    """A convolution with TensorFlow's padding: as little as the stride needs, the odd pixel right and below."""

    def __init__(self, channels: int, out: int, kernel: int, *, stride: int = 1, groups: int = 1) -> None:
        super().__init__(channels, out, kernel, stride=stride, groups=groups, bias=False)

    def forward(self, states: Tensor) -> Tensor:
        """[B, C, h, w] -> [B, out, h / stride, w / stride], rounded up."""
        return super().forward(pad_same(states, self.kernel_size[0], self.stride[0]))


def pad_same(states: Tensor, kernel: int, stride: int) -> Tensor:
    """Pad [B, C, h, w] with zeros for a convolution."""
    down, right = (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in states.shape[-2:])
    if not (down or right):
        return states
    return F.pad(states, (right // 2, right - right // 2, down // 2, down - down // 2))


class _Block(nn.Module):
    """Convolutions, each with its norm, under timm's names; the input is added where the shapes allow.

    Args:
        steps: name of a convolution, the convolution, whether ReLU6 follows.
    """

    def __init__(self, *steps: tuple[str, SameConv2d, bool]) -> None:
        super().__init__()
        self._steps: list[tuple[str, str, bool]] = []
        for i, (name, conv, active) in enumerate(steps, start=1):
            self.add_module(name, conv)
            self.add_module(f"bn{i}", nn.BatchNorm2d(conv.out_channels, eps=_EPSILON))
            self._steps.append((name, f"bn{i}", active))
        first, last = steps[0][1], steps[-1][1]
        self.skips = first.in_channels == last.out_channels and all(conv.stride == (1, 1) for _, conv, _ in steps)

    def forward(self, states: Tensor) -> Tensor:
        """[B, C, h, w] -> [B, out, h / stride, w / stride]."""
        result = states
        for name, norm, active in self._steps:
            result = self.get_submodule(norm)(self.get_submodule(name)(result))
            result = F.relu6(result) if active else result
        return result + states if self.skips else result

    def fold(self, dtype: torch.dtype) -> FoldedBlock:
        """Return the block with norms and activations folded into its convolutions."""
        parts: Any = dict(self.named_children())
        steps = [FoldedConvolution(parts[name], parts[norm], dtype, relu6=on) for name, norm, on in self._steps]
        return FoldedBlock(steps, self.skips)


class EfficientNetLite0(WithFastForm[FoldedNetwork]):
    """The network without its classifier: 224 x 224 pixels become a map of 7 x 7 cells."""

    num_features = _LAST
    reduction = 32

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem = SameConv2d(3, _STEM, 3, stride=2)
        self.bn1 = nn.BatchNorm2d(_STEM, eps=_EPSILON)
        stages, channels = [], _STEM
        for blocks, kernel, stride, expansion, out in _STAGES:
            stage = []
            for i in range(blocks):
                stage.append(_block(channels, out, kernel, stride if i == 0 else 1, expansion))
                channels = out
            stages.append(nn.Sequential(*stage))
        self.blocks = nn.Sequential(*stages)
        self.conv_head = SameConv2d(channels, _LAST, 1)
        self.bn2 = nn.BatchNorm2d(_LAST, eps=_EPSILON)
        self._checkpointed = False

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Forget the activations inside each block until the backward pass, under the name that timm's models have."""
        self._checkpointed = enable

    def fold(self, dtype: torch.dtype) -> FoldedNetwork | None:
        """Return the network for inference in another number format, made from the weights in their present one.

        None where this machine has no kernels for it. See :meth:`use`.
        """
        if not can_fold(self.conv_stem.weight):
            return None
        stem = FoldedConvolution(self.conv_stem, self.bn1, dtype, relu6=True)
        head = FoldedConvolution(self.conv_head, self.bn2, dtype, relu6=True)
        blocks = [block.fold(dtype) for block in self.modules() if isinstance(block, _Block)]
        return FoldedNetwork([FoldedBlock([stem], False), *blocks, FoldedBlock([head], False)])

    def use(self, folded: FoldedNetwork | None) -> None:
        """Take what :meth:`fold` returned wherever no gradients are computed, until something drops it."""
        self._fast = folded

    def forward_features(self, pixels: Tensor) -> Tensor:
        """[B, 3, h, w] -> [B, 1280, h / 32, w / 32]."""
        if (folded := self.fast) is not None:
            return folded(pixels)
        states = F.relu6(self.bn1(self.conv_stem(pixels)))
        for stage in self.blocks.children():
            for block in stage.children():
                if self._checkpointed and torch.is_grad_enabled():
                    states = checkpoint(block, states, use_reentrant=False)
                else:
                    states = block(states)
        return F.relu6(self.bn2(self.conv_head(states)))


def _block(channels: int, out: int, kernel: int, stride: int, expansion: int) -> _Block:
    """Build timm's DepthwiseSeparableConv (expansion 1) or InvertedResidual."""
    inner = channels * expansion
    depthwise = SameConv2d(inner, inner, kernel, stride=stride, groups=inner)
    if expansion == 1:
        return _Block(("conv_dw", depthwise, True), ("conv_pw", SameConv2d(inner, out, 1), False))
    return _Block(
        ("conv_pw", SameConv2d(channels, inner, 1), True),
        ("conv_dw", depthwise, True),
        ("conv_pwl", SameConv2d(inner, out, 1), False),
    )
