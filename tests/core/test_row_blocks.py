"""Rows are multiplied in blocks of sizes that agree, on a processor that sums other numbers of rows otherwise."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mmner_core.encoders.fast.row_blocks import agreeing_sizes, multiply_in_blocks, needs_blocks

INPUTS = 300


def sums_alike(rows: Tensor) -> Tensor:
    """Multiply each row alike."""
    return rows * 2


def sums_49_to_300_otherwise(rows: Tensor) -> Tensor:
    """Multiply as :func:`sums_alike` does, but for the last bit of one row in fifty of such a number."""
    result = sums_alike(rows)
    if 49 <= len(rows) <= 300:
        result[48::50] += 1
    return result


def test_sizes_that_agree_are_found() -> None:
    """Only those; none are needed where all agree."""
    assert agreeing_sizes(sums_alike, INPUTS) is None
    assert agreeing_sizes(sums_49_to_300_otherwise, INPUTS) == (512, 32)


@pytest.mark.parametrize("rows", [32, 33, 63, 64, 100, 300, 512, 545, 1200])
def test_a_row_is_the_same_in_any_company(rows: int) -> None:
    """Whatever the number of rows, and with a second argument that is cut alike."""
    states = torch.randn(rows, INPUTS, generator=torch.Generator().manual_seed(rows))
    sizes = agreeing_sizes(sums_49_to_300_otherwise, INPUTS)
    assert torch.equal(multiply_in_blocks(sums_49_to_300_otherwise, sizes, states), states * 2)
    added = multiply_in_blocks(lambda one, other: sums_49_to_300_otherwise(one) + other, sizes, states, states + 3)
    assert torch.equal(added, states * 2 + (states + 3))


def test_only_long_sums_in_bfloat16_need_blocks() -> None:
    """Few rows, few inputs and full precision take the kernel as it is."""
    assert needs_blocks(torch.zeros(33, 300).bfloat16())
    assert not needs_blocks(torch.zeros(32, 300).bfloat16())
    assert not needs_blocks(torch.zeros(33, 256).bfloat16())
    assert not needs_blocks(torch.zeros(33, 300))
