"""Compiles the repeated layers of the transformers with torch.compile, one layer at a time."""

from __future__ import annotations

import os
import shutil

from torch import nn

from mmner_core.errors import InputError
from mmner_core.network.model import MMNER


def compile_layers(model: MMNER, backend: str = "inductor") -> int:
    """Compile each layer of text encoder and ViT in place; return their number. Names of weights stay as they are.

    The layers of a stack share one compiled form, whatever the lengths of the sentences, so that the compiler runs for
    one layer and not for twelve.

    Raises:
        InputError: if there is no C++ compiler, without which torch.compile does nothing.
    """
    if not any(shutil.which(name) for name in (os.environ.get("CXX", "g++"), "clang++")):
        raise InputError(
            "compile_layers needs a C++ compiler (g++ or clang++, or the one that CXX names); there is none."
        )
    layers = [layer for encoder in (model.text_encoder, model.vit_encoder) for layer in _stack(encoder)]
    for layer in layers:
        layer.compile(dynamic=True, backend=backend)
    return len(layers)


def _stack(encoder: nn.Module | None) -> list[nn.Module]:
    """Return the longest list of layers of one kind inside an encoder."""
    lists = [m for m in encoder.modules() if isinstance(m, nn.ModuleList | nn.Sequential)] if encoder else []
    alike = [list(m) for m in lists if len({type(layer) for layer in m}) == 1]
    return max(alike, key=len, default=[])
