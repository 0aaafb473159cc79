"""What the tests of tagger, checkpoint and command line share: a model whose answer is known."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from mmner_core.inference.tagger import Tagger
    from mmner_core.network.model import MMNER


@pytest.fixture(scope="session")
def person_checkpoint(tiny_model: MMNER, tokenizer_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a model that takes every word for the name of a person, whatever the number format it runs in."""
    import torch

    from mmner_core.checkpoints.folder import save_checkpoint

    model = copy.deepcopy(tiny_model)
    with torch.no_grad():
        model.classifier.bias[model.labels.begin("PER")] += 20
    return save_checkpoint(
        tmp_path_factory.mktemp("checkpoints") / "person",
        model,
        tokenizer_folder,
        metrics={"best_epoch": 1},
        provenance={"command": "tests/core/conftest.py"},
        card="# person\n\nTakes every word for a person.\n",
    )


@pytest.fixture(scope="session")
def person_tagger(person_checkpoint: Path) -> Tagger:
    """Load that model."""
    from mmner_core.inference.tagger import Tagger

    return Tagger.load(person_checkpoint)
