"""Compiled layers compute what they computed, under the same names."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mmner_core.config import ImageConfig
from mmner_core.errors import InputError
from mmner_core.network.model import MMNER
from mmner_core.presets import tiny
from mmner_core.training import compiling
from mmner_core.training.compiling import compile_layers


@pytest.mark.slow
@torch.no_grad()
def test_each_layer_of_both_transformers_is_compiled(tiny_vit: str) -> None:
    """Two of BERT and two of the ViT; the weights keep their names, so that a checkpoint is the same."""
    model = MMNER.build(replace(tiny(), vit=ImageConfig(library="open_clip", name=tiny_vit, size=32)))
    names = list(model.state_dict())
    ids = torch.tensor([[0, 5, 6, 7, 2], [0, 9, 2, 1, 1]])
    model.eval()
    before = model.text_encoder(ids, (ids != 1).long()).tokens
    assert compile_layers(model, backend="eager") == 4
    assert list(model.state_dict()) == names
    torch.testing.assert_close(model.text_encoder(ids, (ids != 1).long()).tokens, before)


def test_without_a_compiler_it_is_said(tiny_model: MMNER, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence, before training starts."""
    monkeypatch.setattr(compiling.shutil, "which", lambda name: None)
    with pytest.raises(InputError, match="compile_layers needs a C\\+\\+ compiler"):
        compile_layers(tiny_model)
