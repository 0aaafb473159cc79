"""A linear layer whose result for a row is the same to the last bit, whatever the batch.

Shapes: D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmner_core.encoders.fast.fast_form import WithFastForm
from mmner_core.encoders.fast.onednn import FusedLinear
from mmner_core.encoders.fast.packed import can_pack, pack_linear


class BatchInvariantLinear(WithFastForm[FusedLinear], nn.Linear):
    """A linear layer that gives a row the same result alone and in a batch of any size or memory layout.

    oneDNN multiplies a single bfloat16 row by another kernel, which sums in another order, so a single row is computed
    as the first of two. And torch adds the bias after a first rounding where the rows do not lie one behind the other,
    as those of an expanded tensor. Without this, the scores of a text would differ in the last digits between being
    tagged alone and being tagged in a group.
    """

    def pack(self) -> None:
        """Lay the weights out for inference where this machine has kernels for it, until something drops that form."""
        self._fast = pack_linear(self) if can_pack(self.weight) else None

    def forward(self, states: Tensor) -> Tensor:
        """[..., D] -> [..., out]."""
        rows = states.reshape(-1, self.in_features).contiguous()
        two = torch.cat([rows, rows]) if len(rows) == 1 else rows
        result = super().forward(two) if (packed := self.fast) is None else packed(two)
        return result[: len(rows)].view(*states.shape[:-1], self.out_features)
