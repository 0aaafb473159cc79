"""A linear layer whose result for a row is the same to the last bit, whatever the batch.

Shapes: D width.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn

from mmner_core.encoders.fast.fast_form import WithFastForm
from mmner_core.encoders.fast.onednn import FusedLinear
from mmner_core.encoders.fast.packed import can_pack, pack_linear
from mmner_core.encoders.fast.row_blocks import RowBlocks, agreeing_blocks, multiply_in_blocks, needs_blocks


class BatchInvariantLinear(WithFastForm[FusedLinear], nn.Linear):
    """A linear layer that gives a row the same result alone and in a batch of any size or memory layout.

    oneDNN multiplies a single bfloat16 row by another kernel, which sums in another order, so a single row is computed
    as the first of two, and many rows in blocks where more of them are summed otherwise (``row_blocks``). And torch
    adds the bias after a first rounding where the rows do not lie one behind the other, as those of an expanded tensor.
    Without this, the scores of a text would differ in the last digits between being tagged alone and in a group.
    """

    def pack(self) -> None:
        """Lay the weights out for inference where this machine has kernels for it, until something drops that form."""
        self._fast = pack_linear(self) if can_pack(self.weight) else None

    def forward(self, states: Tensor) -> Tensor:
        """[..., D] -> [..., out]."""
        rows = states.reshape(-1, self.in_features).contiguous()
        two = torch.cat([rows, rows]) if len(rows) == 1 else rows
        result = self._plain(two) if (packed := self.fast) is None else packed(two)
        return result[: len(rows)].view(*states.shape[:-1], self.out_features)

    def _plain(self, rows: Tensor) -> Tensor:
        if torch.is_grad_enabled() or not needs_blocks(rows):
            return super().forward(rows)
        return multiply_in_blocks(super().forward, _blocks(*self.weight.shape, torch.get_num_threads()), rows)


@cache
def _blocks(outputs: int, inputs: int, threads: int) -> RowBlocks | None:
    """Return which numbers of rows agree; ``threads``, on which oneDNN's choice depends, are those in use."""
    weight = torch.randn(outputs, inputs, generator=torch.Generator().manual_seed(1)).bfloat16()
    return agreeing_blocks(lambda rows: nn.functional.linear(rows, weight), inputs)
