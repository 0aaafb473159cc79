"""A CNN for inference on a CPU: norm, activation and addition folded into each convolution, few images at a time.

Such a convolution computes little with each number that it reads, so memory bounds its speed. The maps of the first
blocks are large; one or a few images at a time they stay in the caches, and no memory is mapped anew for them. The last
blocks consist of weights for the most part, so they are faster with many images at a time.

Shapes: B images, C channels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import accumulate, groupby
from operator import itemgetter

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (the field's name for it)

from mmner_core.encoders.fast.onednn import FusedConvolution, FusedPointwiseConvolution, can_fuse
from mmner_core.runtime.fast import is_fast

_BYTES_AT_ONCE = 5 << 20  # largest states within a block; twice as many are read from memory, half leave cores idle


def can_fold(weight: Tensor) -> bool:
    """Return whether to fold these weights: only where there are kernels for it."""
    return can_fuse(weight) and is_fast("folded")


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
        bias = (norm.bias.float() - norm.running_mean.float() * scale).detach()
        self._stride = stride
        self._bytes_per_cell = dtype.itemsize * convolution.out_channels / stride**2
        weight, bias = weight.detach().to(dtype), bias.to(dtype)
        self._convolve = (
            FusedPointwiseConvolution(weight, bias, relu6=relu6)
            if kernel == stride == convolution.groups == 1
            else FusedConvolution(
                weight, bias, padding=kernel // 2, stride=stride, groups=convolution.groups, relu6=relu6
            )
        )

    def result_bytes(self, cells: int) -> tuple[float, int]:
        """Return the size of the result for an image of ``cells`` cells, and how many cells that has."""
        return self._bytes_per_cell * cells, cells // self._stride**2

    def __call__(self, states: Tensor, residual: Tensor | None = None) -> Tensor:
        """[B, C, h, w] -> [B, out, h / stride, w / stride], ``residual`` of that shape added; even h and w only."""
        return self._convolve(states, residual)


class FoldedBlock:
    """Convolutions one after the other; the block's input is added by the last one if it ``skips``."""

    def __init__(self, convolutions: list[FoldedConvolution], skips: bool) -> None:
        self._convolutions = convolutions
        self._skips = skips

    def result_bytes(self, cells: int) -> tuple[float, int]:
        """Return the size of the largest result inside for an image of ``cells`` cells, and the cells of the last."""
        largest = 0.0
        for convolution in self._convolutions:
            size, cells = convolution.result_bytes(cells)
            largest = max(largest, size)
        return largest, cells

    def __call__(self, states: Tensor) -> Tensor:
        """[B, C, h, w] -> [B, out, h / stride, w / stride]."""
        result = states
        for convolution in self._convolutions[:-1]:
            result = convolution(result)
        return self._convolutions[-1](result, states if self._skips else None)


class FoldedNetwork:
    """Folded blocks in a row; the result for an image does not depend on how many are computed at a time."""

    def __init__(self, blocks: list[FoldedBlock]) -> None:
        self._blocks = blocks

    def __call__(self, pixels: Tensor) -> Tensor:
        """[B, 3, h, w] -> [B, C, h / stride, w / stride]."""
        states = pixels.contiguous(memory_format=torch.channels_last)
        for images, blocks in self._stages(pixels.shape[2] * pixels.shape[3]):
            parts = []
            for part in states.split(images):
                for block in blocks:
                    part = block(part)
                parts.append(part)
            states = torch.cat(parts) if len(parts) > 1 else parts[0]
        return states

    def _stages(self, cells: int) -> Iterator[tuple[int, list[FoldedBlock]]]:
        """Yield runs of blocks with the number of images to take through each at a time, which never decreases."""
        fitting = []
        for block in self._blocks:
            size, cells = block.result_bytes(cells)
            fitting.append(2 ** int(math.log2(max(1, _BYTES_AT_ONCE / size))))  # so that batches part evenly
        at_once = [*accumulate(reversed(fitting), min)][::-1]
        for images, run in groupby(zip(at_once, self._blocks, strict=True), key=itemgetter(0)):
            yield images, [block for _, block in run]
