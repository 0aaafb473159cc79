"""The fused kernels of oneDNN: a product with bias, activation and residual added while its result is in the cache.

torch has them for its compiler and gives them no public name; the compiler itself takes minutes for each new shape of a
batch. Another torch may rename them: then :func:`can_fuse` is false, the plain layers compute the same more slowly, and
a test says so.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mmner_core.encoders.fast.row_blocks import Product, multiply_alike

_NAMES = ("_linear_pointwise", "_reorder_linear_weight", "_convolution_pointwise", "_reorder_convolution_weight")
_TYPICAL_ROWS = 1024  # the blocking that the weights are laid out for; other sizes work as well
_DILATION = [1, 1]
_RELU6: tuple[Any, ...] = ("hardtanh", [0.0, 6.0], "")
_NOTHING: tuple[Any, ...] = ("none", [], "")


def can_fuse(weight: Tensor) -> bool:
    """Say whether these weights can be laid out for the kernels: on a CPU, in a torch that has them."""
    return (
        weight.device.type == "cpu"
        and torch.backends.mkldnn.is_available()
        and all(hasattr(torch.ops.mkldnn, name) for name in _NAMES)
    )


class FusedLinear:
    """A linear layer with its weights laid out; its results carry no gradient.

    From two rows on, a row of bfloat16 comes out the same among any others.

    Args:
        weight: [out, in].
        bias: [out].
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self._outputs = len(weight)
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight, _TYPICAL_ROWS)
        self._bias = bias

    def __call__(self, states: Tensor) -> Tensor:
        """[T, in] -> [T, out]."""
        return self._multiply(states, *_NOTHING)

    def gelu(self, states: Tensor) -> Tensor:
        """[T, in] -> [T, out], through the exact GELU."""
        return self._multiply(states, "gelu", [], "none")

    def relu6(self, states: Tensor) -> Tensor:
        """[T, in] -> [T, out], through ReLU6."""
        return self._multiply(states, *_RELU6)

    def plus(self, states: Tensor, residual: Tensor) -> Tensor:
        """[T, in] and [T, out] -> [T, out], their sum."""

        def add(rows: Tensor, others: Tensor) -> Tensor:
            return torch.ops.mkldnn._linear_pointwise.binary(rows, others, self._weight, self._bias, "add")

        return multiply_alike(add, _lay_out, self._outputs, states, residual)

    def _multiply(self, states: Tensor, *activation: Any) -> Tensor:
        def multiply(rows: Tensor) -> Tensor:
            return torch.ops.mkldnn._linear_pointwise(rows, self._weight, self._bias, *activation)

        return multiply_alike(multiply, _lay_out, self._outputs, states)


def _lay_out(weight: Tensor) -> Product:
    """Return the product of rows with a weight [out, in]."""
    packed = torch.ops.mkldnn._reorder_linear_weight(weight, _TYPICAL_ROWS)
    return lambda rows: torch.ops.mkldnn._linear_pointwise(rows, packed, None, *_NOTHING)


class FusedPointwiseConvolution:
    """A convolution with a kernel of 1 x 1: the same linear layer for each cell; its results carry no gradient.

    oneDNN's own kernel of that shape lays its weights out anew at every call where the image has another size than it
    expects, which takes a hundred times as long as the product; its linear kernel takes any size.

    Args:
        weight: [out, in, 1, 1].
        bias: [out].
        relu6: whether ReLU6 follows.
    """

    def __init__(self, weight: Tensor, bias: Tensor, *, relu6: bool) -> None:
        self._linear = FusedLinear(weight.flatten(1).contiguous(), bias)
        self._relu6 = relu6

    def __call__(self, states: Tensor, residual: Tensor | None = None) -> Tensor:
        """[B, C, h, w] -> [B, out, h, w], ``residual`` of that shape added instead of ReLU6."""
        cells = _rows_of_cells(states)
        if residual is not None:
            result = self._linear.plus(cells, _rows_of_cells(residual))
        else:
            result = self._linear.relu6(cells) if self._relu6 else self._linear(cells)
        images, _, height, width = states.shape
        return result.view(images, height, width, -1).permute(0, 3, 1, 2)


class FusedConvolution:
    """A convolution with its weights laid out; its results carry no gradient.

    Args:
        weight: [out, in / groups, k, k].
        bias: [out].
        padding, stride: of both axes.
        groups: of channels.
        relu6: whether ReLU6 follows.
    """

    def __init__(self, weight: Tensor, bias: Tensor, *, padding: int, stride: int, groups: int, relu6: bool) -> None:
        self._layout = ([padding] * 2, [stride] * 2, _DILATION, groups)
        innermost = weight.contiguous(memory_format=torch.channels_last)
        self._weight = torch.ops.mkldnn._reorder_convolution_weight(innermost, *self._layout, [])
        self._bias = bias
        self._activation = _RELU6 if relu6 else _NOTHING

    def __call__(self, states: Tensor, residual: Tensor | None = None) -> Tensor:
        """[B, C, h, w] -> [B, out, h / stride, w / stride], ``residual`` of that shape added instead of ReLU6."""
        kernel, weights = torch.ops.mkldnn._convolution_pointwise, (self._weight, self._bias)
        if residual is None:
            return kernel(states, *weights, *self._layout, *self._activation)
        return kernel.binary(states, residual, *weights, *self._layout, "add", 1.0, None, [], None)


def _rows_of_cells(states: Tensor) -> Tensor:
    """[B, C, h, w] -> [B * h * w, C], without a copy where the channels lie innermost."""
    return states.permute(0, 2, 3, 1).reshape(-1, states.shape[1])
