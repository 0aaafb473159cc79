"""The photo's gate: what the text settles no photo changes, and what the text says does not depend on the gate."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from mmner_core.encoding import Pixels
from mmner_core.errors import InputError
from mmner_core.model import MMNER
from mmner_core.photo_gate import HIDDEN, PhotoGate
from mmner_core.presets import tiny
from tests.core.test_model import batch_of, build, photos

COST = 0.3


@pytest.fixture
def gated() -> MMNER:
    """Build a gated model that takes every word for a name, as untrained ones do not by themselves."""
    model = build(fusion=replace(tiny().fusion, gate=True))
    with torch.no_grad():
        model.classifier.bias[0] -= 5
    return model


def openness(model: MMNER) -> Tensor:
    """Return how open the gate is for each word of the batch, [B, W]."""
    batch = batch_of()
    words = model(batch).word_states
    assert model.gate is not None
    return model.gate(words, batch.word_mask, model.read_alone(words))


def set_gate(model: MMNER, logit: float) -> None:
    """Make the gate say the same of every name."""
    assert model.gate is not None
    with torch.no_grad():
        model.gate.open.weight.zero_()
        model.gate.open.bias.fill_(logit)


@torch.no_grad()
def test_without_a_photo_a_gate_changes_no_bit(gated: MMNER) -> None:
    """Text alone is read as by the same model without a gate."""
    plain = build()
    plain.load_state_dict({name: value for name, value in gated.state_dict().items() if not name.startswith("gate.")})
    text_only = batch_of().without_images()
    assert torch.equal(gated(text_only).emissions, plain(text_only).emissions)
    assert not torch.allclose(gated(batch_of()).emissions[0], plain(batch_of()).emissions[0], atol=1e-4)


@torch.no_grad()
def test_shut_it_hides_the_photo_and_open_it_hides_nothing(gated: MMNER) -> None:
    """At either end the emissions are those of the text alone, or those of a model without a gate."""
    plain = build()
    plain.load_state_dict({name: value for name, value in gated.state_dict().items() if not name.startswith("gate.")})
    alone = gated(batch_of().without_images()).emissions
    for logit, expected in ((-200.0, alone), (200.0, plain(batch_of()).emissions)):
        set_gate(gated, logit)
        torch.testing.assert_close(gated(batch_of()).emissions, expected, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_a_sentence_without_photo_beside_others_is_read_alone(gated: MMNER) -> None:
    """In a batch with photos the sentence that has none keeps its answer."""
    together, alone = gated(batch_of()).emissions, gated(batch_of([1])).emissions
    torch.testing.assert_close(together[1, :2], alone[0], atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_no_photo_can_talk_it_open(gated: MMNER) -> None:
    """How open a word is follows from its text: other photos, or none, give the same."""
    before = openness(gated)
    assert torch.all((before > 0) & (before < 1))
    words = gated(batch_of(pixels=Pixels(cnn=-photos()))).word_states
    assert gated.gate is not None
    torch.testing.assert_close(gated.gate(words, batch_of().word_mask, gated.read_alone(words)), before)


@torch.no_grad()
def test_what_the_text_takes_for_no_name_stays_none(gated: MMNER) -> None:
    """A photo decides what a name is, never that there is one."""
    gated.classifier.bias[0] += 50
    assert torch.all(openness(gated) == 0)
    assert torch.equal(gated(batch_of()).emissions, gated(batch_of().without_images()).emissions)


@torch.no_grad()
def test_a_margin_opens_it_in_use_and_not_in_training(gated: MMNER) -> None:
    """The logit of every name rises by the margin in eval mode alone."""
    assert gated.gate is not None
    words, mask = gated(batch_of()).word_states, batch_of().word_mask
    alone = gated.read_alone(words)
    before = gated.gate(words, mask, alone)
    gated.gate.margin = 1.5
    torch.testing.assert_close(gated.gate(words, mask, alone).logit(), before.logit() + 1.5, atol=1e-4, rtol=1e-4)
    gated.gate.dropout.p = 0.0
    torch.testing.assert_close(gated.gate.train()(words, mask, alone), before)


def test_a_cost_of_looking_shuts_it_and_a_reward_opens_it(gated: MMNER) -> None:
    """The gate's loss is the cost times the sum over words of how open they are, a mean over sentences."""
    gated.requires_grad_(False)
    assert gated.gate is not None
    gated.gate.requires_grad_()
    before = openness(gated).detach()
    batch = batch_of(looking_cost=[COST, 0.0, -COST])
    losses = gated(batch).losses
    expected = (COST * before[0].sum() - COST * before[2][batch.word_mask[2]].sum()) / 3
    torch.testing.assert_close(losses["gate"], expected)
    torch.testing.assert_close(losses["total"], gated(batch_of()).losses["total"] + expected)
    for cost, moves in ((COST, torch.lt), (-COST, torch.gt)):
        model = build(fusion=replace(tiny().fusion, gate=True))
        model.load_state_dict(gated.state_dict())
        assert model.gate is not None
        model(batch_of(looking_cost=[cost] * 3)).losses["gate"].backward()
        torch.optim.SGD(model.gate.parameters(), lr=0.1).step()
        assert torch.all(moves(openness(model)[0], before[0]))


@pytest.mark.parametrize(("n_words", "moves"), [(3, 0.0), (8, 0.0), (12, 0.585), (16, 1.0), (40, 1.0)])
@torch.no_grad()
def test_a_doubt_weighs_otherwise_in_a_long_text(n_words: int, moves: float) -> None:
    """What is learnt for long texts counts nothing up to 8 words and in full from 16 on; padding makes none longer."""
    gate = PhotoGate(4, 1, dropout=0.0).eval()
    words, mask = torch.zeros(1, 50, 4), torch.arange(50)[None] < n_words
    emissions = torch.tensor([-9.0, 2.0, 2.0]).expand(1, 50, 3)
    before = gate(words, mask, emissions)
    gate.long.bias += 1
    after = gate(words, mask, emissions)
    torch.testing.assert_close(after.logit() - before.logit(), torch.full((1, 50), moves), atol=1e-3, rtol=0)
    assert torch.equal(after, before) == (moves == 0)
    unpadded = [values[:, :n_words] for values in (words, mask, emissions)]
    assert torch.equal(gate(*unpadded), after[:, :n_words])


@torch.no_grad()
def test_members_speak_by_the_mean_of_their_logits() -> None:
    """Three in one decide as the mean of three gates, each with one member's units."""
    torch.manual_seed(2)
    together = PhotoGate(4, 1, dropout=0.0, margin=-0.5, members=3).eval()
    words, mask, emissions = torch.randn(2, 5, 4), torch.ones(2, 5, dtype=torch.bool), torch.randn(2, 5, 3)
    emissions[..., 0] -= 9
    logits = []
    for units in torch.arange(3 * HIDDEN).split(HIDDEN):
        alone = PhotoGate(4, 1, dropout=0.0, margin=-0.5).eval()
        part = {"hidden.weight": 0, "hidden.bias": 0, "open.weight": 1}
        whole = together.state_dict()
        alone.load_state_dict({n: v.index_select(part[n], units) if n in part else v for n, v in whole.items()})
        logits.append(alone(words, mask, emissions).logit())
    assert not torch.allclose(logits[0], logits[1], atol=1e-2)
    mean = torch.stack(logits).mean(0)
    torch.testing.assert_close(together(words, mask, emissions).logit(), mean, atol=1e-4, rtol=1e-4)


def test_a_sentence_teaches_one_member() -> None:
    """In training all words of a sentence reach the units of one member alone, and in time every member is reached."""
    torch.manual_seed(2)
    gate = PhotoGate(4, 1, dropout=0.0, members=3).train()
    words, mask = torch.randn(1, 5, 4), torch.ones(1, 5, dtype=torch.bool)
    reached = set()
    for _ in range(40):
        gate.zero_grad()
        gate(words, mask, torch.tensor([-9.0, 2.0, 2.0]).expand(1, 5, 3)).sum().backward()
        gradient = gate.hidden.weight.grad
        assert gradient is not None
        taught = gradient.unflatten(0, (3, HIDDEN)).abs().sum(2) > 0  # [member, unit]
        assert taught.any(1).sum() == 1 and taught.sum() == HIDDEN
        reached.add(int(taught.any(1).nonzero()))
    assert reached == {0, 1, 2}


def test_a_gate_without_members_is_refused() -> None:
    """One sentence says how many there may be."""
    with pytest.raises(InputError, match=r"gate_members must lie between 1 and 64, got 0\."):
        replace(tiny().fusion, gate_members=0)


def test_one_type_is_enough() -> None:
    """A model that knows but one type of name may have a gate as well."""
    gate = PhotoGate(4, 1, dropout=0.0)
    mask = torch.ones(2, 3, dtype=torch.bool)
    assert gate(torch.zeros(2, 3, 4), mask, torch.tensor([0.0, 2.0, 2.0]).expand(2, 3, 3)).shape == (2, 3)
