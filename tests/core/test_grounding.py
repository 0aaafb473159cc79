"""Grounded attention looks where a cell shows what a word may be, and its share on the photo is what the photo says."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from mmner_core.config import FusionConfig
from mmner_core.network.grounding import FLOOR, HARDLY, TEMPERATURE, WHOLLY, Grounding, believe
from mmner_core.network.grounding_loss import MARGIN, grounding_losses
from mmner_core.network.model import MMNER
from mmner_core.presets import tiny
from tests.core.test_model import batch_of, build
from tests.helpers import without_images
from tests.told import refused

HALF = math.log((share := (HARDLY + WHOLLY) / 2) / (1 - share))
"""Logit of half a share, in use."""
GROUNDED = replace(tiny().fusion, grounded=True, gated=True, word_residual=True)


@pytest.fixture
def grounded() -> MMNER:
    """Build a grounded model that takes every word for a name, as untrained ones do not by themselves."""
    model = build(fusion=GROUNDED)
    with torch.no_grad():
        model.classifier.bias[0] -= 5
    return model


def set_share(model: MMNER, logit: float) -> None:
    """Make every name give the photo the same share of its attention."""
    assert model.grounding is not None
    with torch.no_grad():
        model.grounding.look.weight.zero_()
        model.grounding.look.bias.fill_(logit)


def set_gate(model: MMNER, logit: float) -> None:
    """Make every word follow the photo equally far."""
    assert model.gate is not None
    with torch.no_grad():
        model.gate.open.weight.zero_()
        model.gate.open.bias.fill_(logit)


@torch.no_grad()
def test_without_a_photo_nothing_but_the_text_speaks(grounded: MMNER) -> None:
    """The emissions are the classifier's of the words, to the last bit, and all attention is on "no image"."""
    output = grounded(without_images(batch_of()), need_weights=True)
    assert torch.equal(output.emissions, grounded.classifier(output.word_states))
    assert all(torch.equal(weights, torch.ones_like(weights)) for weights in output.attention.values())


@torch.no_grad()
def test_a_photo_given_no_share_changes_nothing(grounded: MMNER) -> None:
    """The share on the photo is how far it changes the emissions: none of it, not by a bit; all of it, wholly."""
    alone = grounded(without_images(batch_of())).emissions
    set_share(grounded, -300.0)
    assert torch.equal(grounded(batch_of()).emissions, alone)
    shown = batch_of().image_present
    changes = []
    for logit in (HALF, 300.0):
        set_share(grounded, logit)
        changes.append((grounded(batch_of()).emissions - alone)[shown])
    torch.testing.assert_close(2 * changes[0], changes[1], atol=1e-5, rtol=1e-4)
    assert changes[1].abs().max() > 1e-3


@torch.no_grad()
def test_a_closed_gate_keeps_the_answer_of_the_text(grounded: MMNER) -> None:
    """Where the words tell the type themselves, the photo is looked at as before and decides nothing."""
    alone = grounded(without_images(batch_of())).emissions
    set_share(grounded, 300.0)
    set_gate(grounded, -300.0)
    shut = grounded(batch_of(), need_weights=True)
    assert torch.equal(shut.emissions, alone)
    assert all(weights[batch_of().image_present][..., 0].max() < 1e-6 for weights in shut.attention.values())
    set_gate(grounded, 300.0)
    assert (grounded(batch_of()).emissions - alone)[batch_of().image_present].abs().max() > 1e-3


@torch.no_grad()
def test_without_a_gate_the_share_alone_decides() -> None:
    """Grounded attention may be had without it, as a gate that is wide open; a gate without grounding may not."""
    open_wide, ungated = build(fusion=GROUNDED), build(fusion=replace(GROUNDED, gated=False))
    set_gate(open_wide, 300.0)
    state = {name: value for name, value in open_wide.state_dict().items() if not name.startswith("gate.")}
    ungated.load_state_dict(state)
    for model in (open_wide, ungated):
        model.classifier.bias[0] -= 5
    torch.testing.assert_close(ungated(batch_of()).emissions, open_wide(batch_of()).emissions)
    with refused("gated"):
        replace(tiny().fusion, gated=True)


@torch.no_grad()
def test_the_gate_reads_the_text_alone(grounded: MMNER) -> None:
    """It is the same for a word whatever the photo, and differs between words."""
    assert grounded.gate is not None
    words = grounded(batch_of()).word_states
    belief = believe(grounded.text_only_emissions(words), 4)
    gate = grounded.gate(words, belief)
    assert gate.shape == words.shape[:2] and gate.min() > 0 and gate.max() < 1
    assert gate[0].unique().numel() > 1


@torch.no_grad()
def test_attention_is_a_distribution_whose_first_key_is_no_image(grounded: MMNER) -> None:
    """Over "no image" and the cells it sums to 1 in every head; what is not on the first is the share told."""
    output = grounded(batch_of(), need_weights=True)
    assert output.photo_share is not None
    for weights in output.attention.values():
        torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))
        shares = (1 - weights[..., 0]).mean(1)
        torch.testing.assert_close(shares, output.photo_share)


@torch.no_grad()
def test_a_sentence_without_photo_beside_others_is_read_alone(grounded: MMNER) -> None:
    """In a batch with photos the sentence that has none keeps its answer."""
    together, alone = grounded(batch_of()).emissions, grounded(batch_of([1])).emissions
    torch.testing.assert_close(together[1, :2], alone[0], atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_what_the_text_takes_for_no_name_stays_none(grounded: MMNER) -> None:
    """A photo decides what a name is, never that there is one."""
    grounded.classifier.bias[0] += 50
    assert torch.equal(grounded(batch_of()).emissions, grounded(without_images(batch_of())).emissions)


@torch.no_grad()
def test_evidence_is_how_likely_a_cell_shows_what_the_word_may_be() -> None:
    """The log of the sum over types of belief times reading, and belief is the text's, flattened."""
    emissions = torch.randn(2, 3, 9)
    belief = believe(emissions, 4)
    tags = emissions.softmax(-1)
    types = torch.stack([tags[..., 1 + 2 * t] + tags[..., 2 + 2 * t] for t in range(4)], dim=-1)
    flat = types.clamp(min=FLOOR) ** (1 / TEMPERATURE)
    torch.testing.assert_close(belief.types, flat / flat.sum(-1, keepdim=True))
    assert torch.equal(belief.named, tags[..., 0] < 0.5)
    cells = torch.randn(2, 5, 5).log_softmax(-1)
    evidence = Grounding({"cnn": 7}, {"cnn": "cnn"}, 4).evidence(belief, cells)
    for b, w, p in ((0, 0, 0), (1, 2, 4), (0, 1, 3)):
        expected = sum(belief.types[b, w, t] * cells[b, p, t].exp() for t in range(4))
        assert evidence[b, w, p].item() == pytest.approx(torch.as_tensor(expected).log().item(), abs=1e-5)


@torch.no_grad()
def test_attention_goes_where_the_reader_sees_the_words_type(grounded: MMNER) -> None:
    """With one cell that shows a word's type and others that show nothing, the peak is on that cell in every head."""
    assert grounded.grounding is not None
    batch = batch_of()
    output = grounded(batch)
    states = grounded.encode_image(batch)
    keys = grounded.image_keys(states)
    for name, own in keys.items():
        assert own.types is not None
        shown = torch.full_like(own.types, -8.0)
        shown[..., -1] = 0.0
        shown[:, 2] = torch.tensor([0.0] * 4 + [-8.0])
        keys[name] = own._replace(types=shown.log_softmax(-1))
        grounded.grounding.strength[name].fill_(3.0)
    tagged = grounded.tag_words(output.word_states, keys, batch.image_index, n_attention_rows=1)
    for weights in tagged.attention.values():
        assert torch.all(weights[0, :, batch.word_mask[0], 1:].argmax(-1) == 2)


def test_the_losses_are_those_of_the_definition() -> None:
    """By hand: the log of the mass inside, the margin of the peaks, and the cross entropy of the share on the photo."""
    weights = torch.tensor([[0.2, 0.4, 0.1, 0.3], [0.7, 0.1, 0.1, 0.1]]).view(1, 1, 2, 4).repeat(2, 1, 1, 1)
    named = torch.tensor([[True, False], [True, True]])
    region = torch.tensor([[True, True, False], [False, False, False]])
    losses = grounding_losses({"cnn": weights}, named, {"cnn": region}, torch.tensor([0.3, -0.5]))
    mass, peak = -torch.tensor(0.5 / 0.8).log(), max(0.0, 0.3 / 0.4 - 1 + MARGIN)
    torch.testing.assert_close(losses["pointing"], (mass + peak) / 2)
    shut = -0.5 * (torch.tensor(0.2).log() + torch.tensor(0.7).log())
    torch.testing.assert_close(losses["looking"], (shut - 0.3 * torch.tensor(0.8).log()) / 2)


@pytest.mark.slow
def test_the_losses_move_attention_into_the_region_and_onto_or_off_the_photo(grounded: MMNER) -> None:
    """A few steps on each loss alone do what its name says."""
    grids = grounded.grids
    region = {s: torch.zeros(3, rows * columns, dtype=torch.bool) for s, (rows, columns) in grids.items()}
    for cells in region.values():
        cells[:, 0] = True

    def after(**given: Any) -> tuple[Tensor, Tensor]:
        model = build(fusion=GROUNDED)
        model.load_state_dict(grounded.state_dict())
        optimizer = torch.optim.Adam([p for n, p in model.named_parameters() if not n.startswith("text")], lr=0.01)
        for _ in range(30 if given else 0):
            losses = model(batch_of(**given)).losses
            optimizer.zero_grad()
            (losses["pointing"] + losses["looking"]).backward()
            optimizer.step()
        output = model(batch_of(), need_weights=True)
        assert output.photo_share is not None
        cells = output.attention["cnn"][0, :, 0, 1:].mean(0).detach()
        return cells[0] / cells.sum(), output.photo_share[0, 0].detach()

    inside, share = after()
    assert after(regions=region)[0] > inside + 0.1
    assert after(looking=[-1.0] * 3)[1] < share - 0.1
    assert after(looking=[1.0] * 3)[1] > share + 0.1


@torch.no_grad()
def test_the_reader_tells_each_cell() -> None:
    """Probabilities of the types and of nothing, a row per cell; a model without a reader tells none."""
    model = build(fusion=GROUNDED)
    states = model.encode_image(batch_of())
    assert states is not None
    told = model.cell_types(states)
    assert told is not None
    rows, columns = next(iter(model.grids.values()))
    assert told.shape[1:] == (rows * columns, 5)
    torch.testing.assert_close(told.sum(-1), torch.ones_like(told[..., 0]))
    assert build().cell_types(states) is None


def test_grounding_needs_cells_and_a_way_past_the_photo() -> None:
    """A config that contradicts it is refused in one sentence."""
    with refused("null_sink", "word_residual"):
        FusionConfig(grounded=True)


def test_the_photo_speaks_through_its_attention_alone(grounded: MMNER) -> None:
    """The emissions follow from the weights: without those of the cells nothing of the photo is left."""
    output = grounded(batch_of(), need_weights=True)
    gradients = torch.autograd.grad(output.emissions[0].square().sum(), list(output.attention.values()))
    assert all(gradient[0, ..., 1:].abs().sum() > 0 for gradient in gradients)
    assert all(gradient[1].abs().sum() == 0 for gradient in gradients)  # the sentence without a photo
