"""Rows are multiplied in blocks of sizes that agree, on a processor that sums other numbers of rows otherwise."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mmner_core.encoders.fast.row_blocks import RowBlocks, agreeing_blocks, multiply_in_blocks, needs_blocks

INPUTS = 300


def sums_alike(rows: Tensor) -> Tensor:
    """Multiply each row alike."""
    return rows * 2


def sums_49_to_300_otherwise(rows: Tensor) -> Tensor:
    """Multiply as :func:`sums_alike` does, but for the last bit of one row in fifty of such a number."""
    return _otherwise(rows, 300)


def sums_49_to_900_otherwise(rows: Tensor) -> Tensor:
    """Do so for more numbers of rows."""
    return _otherwise(rows, 900)


def _otherwise(rows: Tensor, most: int) -> Tensor:
    result = sums_alike(rows)
    if 49 <= len(rows) <= most:
        result[48::50] += 1
    return result


def test_sizes_that_agree_are_found() -> None:
    """Only those; none are needed where all agree, and many rows go at once where those agree."""
    assert agreeing_blocks(sums_alike, INPUTS) is None
    assert agreeing_blocks(sums_49_to_300_otherwise, INPUTS) == RowBlocks((512, 32), unlimited=True)
    assert agreeing_blocks(sums_49_to_900_otherwise, INPUTS) == RowBlocks((32,), unlimited=False)


@pytest.mark.parametrize("rows", [32, 33, 63, 64, 100, 300, 512, 545, 1200])
def test_a_row_is_the_same_in_any_company(rows: int) -> None:
    """Whatever the number of rows, and with a second argument that is cut alike."""
    states = torch.randn(rows, INPUTS, generator=torch.Generator().manual_seed(rows))
    for product in (sums_49_to_300_otherwise, sums_49_to_900_otherwise):
        blocks = agreeing_blocks(product, INPUTS)
        assert torch.equal(multiply_in_blocks(product, blocks, states), states * 2)
        added = multiply_in_blocks(lambda one, other, of=product: of(one) + other, blocks, states, states + 3)
        assert torch.equal(added, states * 2 + (states + 3))


def test_only_long_sums_in_bfloat16_need_blocks() -> None:
    """Few rows, few inputs and full precision take the kernel as it is."""
    assert needs_blocks(torch.zeros(33, 300).bfloat16())
    assert not needs_blocks(torch.zeros(32, 300).bfloat16())
    assert not needs_blocks(torch.zeros(33, 256).bfloat16())
    assert not needs_blocks(torch.zeros(33, 300))
