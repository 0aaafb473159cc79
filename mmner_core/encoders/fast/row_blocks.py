"""Products whose result for a row is the same to the last bit, however many rows are multiplied at once.

oneDNN chooses by the number of rows how it sums over many inputs, and on some processors (seen with AMX, from 672
inputs on) two of its ways differ in the last bit of a few sums. There, rows are multiplied in blocks of sizes that were
seen to agree; where all sizes agree they are multiplied at once.

Shapes: T rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

_SMALLEST = 32
"""Rows of the smallest block, with which all others have to agree."""
_SIZES = (512, 256, 128, 64)
_BETWEEN = (49, 100, 200, 400)
"""Further numbers of rows that have to agree before rows are multiplied at once."""
_MANY = (1024, 800, 600)
"""Further numbers of rows that have to agree before all from the largest block on are multiplied at once."""
_FEW_INPUTS = 256
"""So few are summed in one way only."""

Product = Callable[..., Tensor]
"""Takes [T, in], and perhaps other tensors of T rows, and returns [T, out]."""


@dataclass(frozen=True, slots=True)
class RowBlocks:
    """Numbers of rows that a machine multiplies alike.

    Attributes:
        sizes: of blocks that agree, the largest first.
        unlimited: whether the largest may be larger.
    """

    sizes: tuple[int, ...]
    unlimited: bool


def multiply_alike(
    product: Product, lay_out: Callable[[Tensor], Product], outputs: int, states: Tensor, *others: Tensor
) -> Tensor:
    """Return ``product(states, *others)``, [T, outputs], each row as it comes out among any others.

    Args:
        product: computes each row from the rows of its arguments.
        lay_out: returns the product of rows with a weight [out, in] by the kernel of ``product``, to try it; a function
            of a module, since what was found is kept for each.
        outputs: width of the result.
        states: [T, in].
        others: [T, ...] each.
    """
    if not needs_blocks(states):
        return product(states, *others)
    blocks = _blocks(lay_out, outputs, states.shape[1], torch.get_num_threads())
    return multiply_in_blocks(product, blocks, states, *others)


@cache
def _blocks(lay_out: Callable[[Tensor], Product], outputs: int, inputs: int, threads: int) -> RowBlocks | None:
    """Return which numbers of rows agree; ``threads``, on which oneDNN's choice depends, are those in use."""
    weight = torch.randn(outputs, inputs, generator=torch.Generator().manual_seed(1)).bfloat16()
    return agreeing_blocks(lay_out(weight), inputs)


def needs_blocks(states: Tensor) -> bool:
    """Say whether rows [T, in] can come out otherwise than alone: long sums in bfloat16 on a CPU."""
    rows, inputs = states.shape
    return rows > _SMALLEST and inputs > _FEW_INPUTS and states.dtype == torch.bfloat16 and states.device.type == "cpu"


def agreeing_blocks(product: Product, inputs: int) -> RowBlocks | None:
    """Try on random rows which numbers of them this machine multiplies alike; None where all are.

    Args:
        product: of rows alone, [T, inputs], in bfloat16.
        inputs: of each row.
    """
    rows = torch.randn(_MANY[0], inputs, generator=torch.Generator().manual_seed(0)).bfloat16()
    expected = torch.cat([product(block) for block in rows.split(_SMALLEST)])

    def agrees(size: int, total: int) -> bool:
        whole = total - total % size
        return torch.equal(torch.cat([product(block) for block in rows[:whole].split(size)]), expected[:whole])

    agree = [size for size in (*_SIZES, *_BETWEEN) if agrees(size, _SIZES[0])]
    unlimited = _SIZES[0] in agree and all(agrees(size, _MANY[0]) for size in _MANY)
    if unlimited and len(agree) == len(_SIZES) + len(_BETWEEN):
        return None
    return RowBlocks((*(size for size in _SIZES if size in agree), _SMALLEST), unlimited)


def multiply_in_blocks(product: Product, blocks: RowBlocks | None, states: Tensor, *others: Tensor) -> Tensor:
    """Return ``product(states, *others)``, [T, out], computed in blocks of rows.

    Args:
        product: computes each row from the rows of its arguments.
        blocks: from :func:`agreeing_blocks`.
        states: [T, in], at least 32 rows.
        others: [T, ...] each.
    """
    rows = len(states)
    if blocks is None or (blocks.unlimited and rows >= blocks.sizes[0]):
        return product(states, *others)
    parts, done, smallest = [], 0, blocks.sizes[-1]
    while done < rows:
        size = next((size for size in blocks.sizes if size <= rows - done), smallest)
        start = min(done, rows - size)  # the last block overlaps the one before, so that it is as large as others
        block = product(*(tensor[start : start + size] for tensor in (states, *others)))
        parts.append(block[done - start :])
        done = start + size
    return torch.cat(parts)
