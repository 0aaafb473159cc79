"""Weights on the disk: small, and as near to the originals as promised."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy import float32

from mmner_core.checkpoints.packing import SMALL, pack_weights, quantise_rows, unpack_weights
from tests.told import refused

TABLE = "text_encoder.model.embeddings.word_embeddings.weight"


@given(arrays(float32, (4, 3), elements=st.floats(-1e4, 1e4, width=32)))
def test_a_quantised_row_is_off_by_half_a_step_at_most(table: object) -> None:
    """Rows of any size, all zeros among them, keep that bound."""
    rows = torch.as_tensor(table)
    codes, scale = quantise_rows(rows)
    assert codes.dtype == torch.int8
    error = (codes.float() * scale - rows).abs()
    assert (error <= 0.5001 * scale + 1e-30).all()


def test_packing_shrinks_large_tensors_only() -> None:
    """Embeddings become int8, other large tensors float16, small ones and counters stay."""
    state = {
        TABLE: torch.randn(SMALL // 8, 8),
        "dense.weight": torch.randn(SMALL // 8, 8),
        "crf.transitions": torch.randn(9, 9),
        "bn.num_batches_tracked": torch.tensor(7),
    }
    packed = pack_weights(state)
    assert {name: tensor.dtype for name, tensor in packed.items()} == {
        TABLE: torch.int8,
        f"{TABLE}.scale": torch.float32,
        "dense.weight": torch.float16,
        "crf.transitions": torch.float32,
        "bn.num_batches_tracked": torch.int64,
    }
    restored = unpack_weights(packed)
    assert restored.keys() == state.keys()
    assert torch.equal(restored["crf.transitions"], state["crf.transitions"])
    assert int(restored["bn.num_batches_tracked"]) == 7
    torch.testing.assert_close(restored["dense.weight"], state["dense.weight"], atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(restored[TABLE], state[TABLE], atol=0.02, rtol=0)


def test_scales_of_another_size_are_refused() -> None:
    """A table whose scales do not fit is not guessed at."""
    codes, scale = quantise_rows(torch.randn(5, 4))
    with refused("scale", "[3, 1]", "[5, 1]", by=ValueError):
        unpack_weights({TABLE: codes, f"{TABLE}.scale": scale[:3]})
