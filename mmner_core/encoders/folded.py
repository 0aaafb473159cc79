"""A convolution for inference on a CPU with its BatchNorm, its activation and an addition folded into one kernel."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (the field's name for it)


def can_fold(weight: Tensor) -> bool:
    """Say whether these weights can be folded: on a CPU, with oneDNN's fused kernels in this torch."""
    return (
        weight.device.type == "cpu"
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_convolution_pointwise")
    )


class FoldedConvolution:
    """A convolution without bias, a BatchNorm in eval mode and perhaps ReLU6; its results carry no gradient.

    Args:
        convolution: padded as TensorFlow does.
        norm: what follows it; it becomes a factor of the weights and a bias.
        dtype: number format of the result; give weights in full precision, for a product of rounded factors is rounded
            twice.
        relu6: whether ReLU6 follows that.
    """

    def __init__(self, convolution: nn.Conv2d, norm: nn.BatchNorm2d, dtype: torch.dtype, *, relu6: bool) -> None:
        assert norm.running_mean is not None and norm.running_var is not None  # noqa: S101, PT018 (they are tracked)
        kernel, stride = convolution.kernel_size[0], convolution.stride[0]
        scale = norm.weight.float() / (norm.running_var.float() + norm.eps).sqrt()
        weight = convolution.weight.float() * scale[:, None, None, None]
        # Padding that is one wider right and below is had by a kernel with a row and column of zeros before it.
        if stride > 1:
            weight = F.pad(weight, (1, 0, 1, 0))
        self._padding = [kernel // 2] * 2
        self._stride = [stride] * 2
        self._groups = convolution.groups
        self._bias = (norm.bias.float() - norm.running_mean.float() * scale).detach().to(dtype)
        self._weight = torch.ops.mkldnn._reorder_convolution_weight(
            weight.detach().to(dtype).contiguous(memory_format=torch.channels_last),
            self._padding,
            self._stride,
            [1, 1],
            self._groups,
            [],
        )
        self._activation: tuple[Any, ...] = ("hardtanh", [0.0, 6.0], "") if relu6 else ("none", [], "")

    def __call__(self, states: Tensor, residual: Tensor | None = None) -> Tensor:
        """[B, C, h, w] -> [B, out, h / stride, w / stride], ``residual`` of that shape added; even h and w only."""
        layout = (self._padding, self._stride, [1, 1], self._groups)
        if residual is None:
            return torch.ops.mkldnn._convolution_pointwise(states, self._weight, self._bias, *layout, *self._activation)
        return torch.ops.mkldnn._convolution_pointwise.binary(
            states, residual, self._weight, self._bias, *layout, "add", 1.0, None, [], None
        )


class FoldedBlock:
    """Convolutions one after the other; the block's input is added by the last one if it ``skips``."""

    def __init__(self, convolutions: list[FoldedConvolution], skips: bool) -> None:
        self._convolutions = convolutions
        self._skips = skips

    def __call__(self, states: Tensor) -> Tensor:
        """[B, C, h, w] -> [B, out, h / stride, w / stride]."""
        result = states
        for convolution in self._convolutions[:-1]:
            result = convolution(result)
        return self._convolutions[-1](result, states if self._skips else None)
