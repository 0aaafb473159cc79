"""NT-Xent against a literal double loop over the definition."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from mmner_core.config import AlignmentConfig
from mmner_core.network.alignment import NTXent, Projection


def reference(text: Tensor, image: Tensor, temperature: float, image_key: list[int] | None = None) -> float:
    """Compute the loss by hand: for each of the 2B vectors, its partner against all other vectors that count."""
    n = len(text)
    vectors = [v / v.norm() for v in torch.cat([text, image]).double()]
    key = [*(image_key or range(n))] * 2
    total = 0.0
    for i in range(2 * n):
        partner = (i + n) % (2 * n)
        positive = math.exp(vectors[i] @ vectors[partner] / temperature)
        negatives = sum(
            math.exp(vectors[i] @ vectors[j] / temperature)
            for j in range(2 * n)
            if j not in (i, partner) and key[j] != key[i]
        )
        total -= math.log(positive / (positive + negatives))
    return total / (2 * n)


def pairs(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return n random text and image vectors of width 6."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 6, generator=generator), torch.randn(n, 6, generator=generator)


@given(n=st.integers(2, 6), seed=st.integers(0, 1000), temperature=st.floats(0.05, 2.0))
def test_the_loss_is_the_definition(n: int, seed: int, temperature: float) -> None:
    """For any batch and temperature the vectorised loss equals the double loop."""
    text, image = pairs(n, seed)
    loss = NTXent(AlignmentConfig(temperature=temperature))(text, image)
    assert loss.item() == pytest.approx(reference(text, image, temperature), rel=1e-4, abs=1e-5)


@given(keys=st.lists(st.integers(0, 2), min_size=2, max_size=6), seed=st.integers(0, 1000))
def test_pairs_of_one_image_are_not_pushed_apart(keys: list[int], seed: int) -> None:
    """Two sentences that share an image are no negatives of each other, in either modality."""
    text, image = pairs(len(keys), seed)
    loss = NTXent(AlignmentConfig())(text, image, torch.tensor(keys))
    assert loss.item() == pytest.approx(reference(text, image, 0.5, keys), rel=1e-4, abs=1e-5)


def test_one_pair_has_nothing_to_contrast() -> None:
    """The loss is 0, and still part of either graph, for whose gradients a distributed run waits."""
    text, image = (v.requires_grad_() for v in pairs(1))
    loss = NTXent(AlignmentConfig())(text, image)
    loss.backward()
    assert loss.item() == 0
    for vectors in (text, image):
        assert vectors.grad is not None and not vectors.grad.any()


def test_a_learnt_temperature_is_learnt_and_bounded() -> None:
    """It starts at the value given, gets a gradient, and the inverse never exceeds 100."""
    loss = NTXent(AlignmentConfig(temperature=0.07, learn_temperature=True))
    assert loss.inverse_temperature.item() == pytest.approx(1 / 0.07)
    loss(*pairs(4)).backward()
    assert loss.log_inverse_temperature.grad is not None and loss.log_inverse_temperature.grad != 0
    loss.log_inverse_temperature.data.fill_(50.0)
    assert loss.inverse_temperature.item() == pytest.approx(100)


def test_a_fixed_temperature_is_no_parameter() -> None:
    """The paper's 0.5 is part of the checkpoint, but the optimiser does not see it."""
    loss = NTXent(AlignmentConfig())
    assert list(loss.parameters()) == []
    assert "log_inverse_temperature" in loss.state_dict()


def test_aligned_pairs_cost_less_than_shuffled_ones() -> None:
    """Images equal to their texts give a lower loss than the same images in another order."""
    text, _ = pairs(5)
    loss = NTXent(AlignmentConfig())
    assert loss(text, text.clone()) < loss(text, text.roll(1, 0))


def test_the_projection_is_linear_relu_linear() -> None:
    """Its output is the two dense layers around a ReLU."""
    projection = Projection(4, 3)
    first, _, second = projection
    x = torch.randn(2, 4)
    torch.testing.assert_close(projection(x), second(first(x).clamp(min=0)))
