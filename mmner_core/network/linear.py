"""A linear layer whose result for a row is the same to the last bit, whatever the batch.

Shapes: D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmner_core.encoders.fast.fast_form import WithFastForm
from mmner_core.encoders.fast.onednn import FusedLinear
from mmner_core.encoders.fast.packed import can_pack, pack_linear
from mmner_core.encoders.fast.row_blocks import Product, multiply_alike


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
        if torch.is_grad_enabled():
            return super().forward(rows)
        return multiply_alike(super().forward, _lay_out, self.out_features, rows)


def _lay_out(weight: Tensor) -> Product:
    """Return torch's own product of rows with a weight [out, in]."""
    return lambda rows: nn.functional.linear(rows, weight)
