"""Products whose result for a row is the same to the last bit, however many rows are multiplied at once.

oneDNN chooses by the number of rows how it sums over many inputs, and on some processors (seen with AMX, from 672
inputs on) two of its ways differ in the last bit of a few sums. There, rows are multiplied in blocks of sizes that were
seen to agree; where all sizes agree they are multiplied at once.

Shapes: T rows.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

_SMALLEST = 32
"""Rows of the smallest block, with which all others have to agree."""
_SIZES = (512, 256, 128, 64)
_BETWEEN = (49, 100, 200, 400)
"""Further numbers of rows that have to agree before rows are multiplied at once."""
_FEW_INPUTS = 256
"""So few are summed in one way only."""

Product = Callable[..., Tensor]
"""Takes [T, in], and perhaps other tensors of T rows, and returns [T, out]."""
BlockSizes = tuple[int, ...] | None
"""Sizes that agree, the largest first; None where all do."""


def needs_blocks(states: Tensor) -> bool:
    """Say whether rows [T, in] can come out otherwise than alone: long sums in bfloat16 on a CPU."""
    rows, inputs = states.shape
    return rows > _SMALLEST and inputs > _FEW_INPUTS and states.dtype == torch.bfloat16 and states.device.type == "cpu"


def agreeing_sizes(product: Product, inputs: int) -> BlockSizes:
    """Try on random rows which numbers of them this machine multiplies alike.

    Args:
        product: of rows alone, [T, inputs], in bfloat16.
        inputs: of each row.
    """
    rows = torch.randn(_SIZES[0], inputs, generator=torch.Generator().manual_seed(0)).bfloat16()

    def multiply(size: int) -> Tensor:
        return torch.cat([product(block) for block in rows.split(size)])

    expected = multiply(_SMALLEST)
    agree = [size for size in (*_SIZES, *_BETWEEN) if torch.equal(multiply(size), expected)]
    if len(agree) == len(_SIZES) + len(_BETWEEN):
        return None
    return (*(size for size in _SIZES if size in agree), _SMALLEST)


def multiply_in_blocks(product: Product, sizes: BlockSizes, states: Tensor, *others: Tensor) -> Tensor:
    """Return ``product(states, *others)``, [T, out], computed in blocks of rows.

    Args:
        product: computes each row from the rows of its arguments.
        sizes: of the blocks, from :func:`agreeing_sizes`.
        states: [T, in], at least 32 rows.
        others: [T, ...] each.
    """
    if sizes is None:
        return product(states, *others)
    parts, done, rows = [], 0, len(states)
    while done < rows:
        size = next((size for size in sizes if size <= rows - done), sizes[-1])
        start = min(done, rows - size)  # the last block overlaps the one before, so that it is as large as others
        block = product(*(tensor[start : start + size] for tensor in (states, *others)))
        parts.append(block[done - start :])
        done = start + size
    return torch.cat(parts)
