"""The port reproduces numbers that the authors' own code computed, within 1e-4.

Every ``*.safetensors`` in the folder named by ``MMNER_PARITY_DIR`` (default: ``../shared/parity``) is a fixture:
``in/*`` what the encoders said, ``weights/*`` the authors' state dict behind the encoders, ``out/*`` their numbers.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from mmner_core.checkpoints.mmnerd_weights import load_author_weights
from mmner_core.encoders.image import ImageStates
from mmner_core.encoders.text import TextStates
from mmner_core.labels import DEFAULT_TYPES
from mmner_core.network.model import MMNER
from mmner_core.network.outputs import ModelOutput
from mmner_core.presets import paper_code
from mmner_core.text.encoding import Batch

TOLERANCE = 1e-4
FOLDER = Path(os.environ.get("MMNER_PARITY_DIR", Path(__file__).parents[2] / "shared" / "parity"))
FIXTURES = sorted(FOLDER.glob("*.safetensors"))
if not FIXTURES:
    pytest.skip(f"{FOLDER} holds no fixture; set MMNER_PARITY_DIR to a folder that does", allow_module_level=True)


class Recorded(nn.Module):
    """An encoder of known width and grid; the fixture's text states, or nothing, stand for what it would say."""

    def __init__(self, width: int, grid: tuple[int, int] = (1, 1), states: TextStates | None = None) -> None:
        super().__init__()
        self.width, self.grid, self.states = width, grid, states

    def forward(self, *_: Tensor) -> TextStates | None:
        """Return what was recorded."""
        return self.states


class Replay(NamedTuple):
    """A fixture, and what our model makes of it."""

    want: dict[str, Tensor]
    output: ModelOutput
    viterbi: list[list[int]]
    mask: Tensor


def build_batch(fixture: dict[str, Tensor]) -> Batch:
    """Turn the fixture's inputs into a batch whose images are already encoded."""
    mask = fixture["in/word_mask"].bool()
    tokens, pooled = fixture["in/token_states"], fixture["in/resnet_pooled"]
    n_sentences, n_subwords = tokens.shape[:2]
    return Batch(
        input_ids=torch.zeros(n_sentences, n_subwords, dtype=torch.long),
        attention_mask=torch.ones(n_sentences, n_subwords, dtype=torch.long),
        word_to_token=fixture["in/word_to_token"].long(),
        word_mask=mask,
        convention=torch.zeros(n_sentences, dtype=torch.long),
        image_index=torch.arange(n_sentences),
        image_states=ImageStates(fixture["in/vit_tokens"], pooled[:, :, None, None]),
        tags=fixture["in/labels"].long(),
    )


def build_model(fixture: dict[str, Tensor]) -> MMNER:
    """Build preset ``paper_code`` at the fixture's sizes around its recorded encoder states, with its weights."""
    text = TextStates(fixture["in/token_states"], fixture["in/sentence_vector"])
    _, n_tokens, vit_width = fixture["in/vit_tokens"].shape
    n_types = len(fixture["weights/classifier.bias"]) // 2
    types = DEFAULT_TYPES if n_types == len(DEFAULT_TYPES) else tuple(f"TYPE{i}" for i in range(n_types))
    model = MMNER(
        replace(paper_code(), types=types),
        Recorded(text.tokens.shape[-1], states=text),
        Recorded(vit_width, (n_tokens - 1, 1)),
        Recorded(fixture["in/resnet_pooled"].shape[-1]),
    )
    weights = {name.removeprefix("weights/"): v for name, v in fixture.items() if name.startswith("weights/")}
    left = load_author_weights(model, weights)
    assert all(name.startswith("fusion.null_keys.") for name in left)
    return model.eval()


@pytest.fixture(scope="module", params=FIXTURES, ids=lambda file: file.stem)
def replay(request: pytest.FixtureRequest) -> Replay:
    """Run our model on one fixture."""
    fixture = {k: v.float() if v.is_floating_point() else v for k, v in load_file(request.param).items()}
    model, batch = build_model(fixture), build_batch(fixture)
    with torch.no_grad():
        output = model(batch)
    want = {name.removeprefix("out/"): v for name, v in fixture.items() if name.startswith("out/")}
    return Replay(want, output, model.crf.viterbi(output.emissions, batch.word_mask), batch.word_mask)


def test_emissions_are_the_authors(replay: Replay) -> None:
    """On every word, each tag gets the score that their code gives it."""
    torch.testing.assert_close(
        replay.output.emissions[replay.mask], replay.want["emissions"][replay.mask], atol=TOLERANCE, rtol=0
    )


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("contrastive_vit", "contrastive_vit"),
        ("contrastive_cnn", "contrastive_resnet"),
        ("crf", "crf_nll"),
        ("total", "total_loss"),
    ],
)
def test_each_loss_is_the_authors(replay: Replay, ours: str, theirs: str) -> None:
    """Both contrastive losses, the CRF's mean negative log-likelihood and the total agree."""
    want = replay.want[theirs].reshape(())
    torch.testing.assert_close(replay.output.losses[ours], want, atol=TOLERANCE, rtol=0)


def test_viterbi_finds_the_authors_tags(replay: Replay) -> None:
    """The best tag sequence of each sentence is theirs."""
    for found, want, mask in zip(replay.viterbi, replay.want["viterbi"], replay.mask, strict=True):
        assert found == want[mask].tolist()
