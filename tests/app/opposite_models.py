"""Checkpoints that can be told apart: a loud model, the same under another name, and its opposite."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from mmner_core.checkpoints.folder import save_checkpoint
from mmner_core.text.encoding import SubwordEncoder
from tests.analysis.tiny_model import tiny_explainer


def write_opposite_models(folder: Path, subwords: SubwordEncoder, tokenizer_folder: Path) -> tuple[Path, Path]:
    """Write a model with a loud fusion, so that a photo matters, and two others: the same again, and its opposite.

    Returns:
        the checkpoint, and the folder that holds ``same`` and ``turned``.
    """
    model = tiny_explainer(subwords).model

    def save(place: Path) -> Path:
        return save_checkpoint(place, model, tokenizer_folder, metrics={}, provenance={"command": "x"}, card="# x\n")

    first, others = save(folder / "loud"), folder / "others"
    shutil.copytree(first, others / "same")
    with torch.no_grad():
        model.classifier.weight.neg_()
    save(others / "turned")
    return first, others
