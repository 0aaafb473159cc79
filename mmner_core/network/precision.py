"""Chooses the number format: bfloat16 where the processor multiplies it natively, float32 elsewhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch

from mmner_core.errors import InputError
from mmner_core.network.linear import BatchInvariantLinear
from mmner_core.network.model import MMNER

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


@cache
def multiplies_bfloat16() -> bool:
    """Say whether this CPU has bfloat16 matrix instructions (AMX or AVX512-BF16); without them bf16 is slower."""
    if torch.backends.cpu.get_cpu_capability() != "AVX512":
        return False
    try:
        flags = Path("/proc/cpuinfo").read_text().split("flags", 1)[1].split("\n", 1)[0].split()
    except (OSError, IndexError):
        return False
    return "amx_bf16" in flags or "avx512_bf16" in flags


def set_precision(model: MMNER, name: str) -> MMNER:
    """Run a model in the number format named "fp32" or "bf16", whatever the machine; to compare the two.

    Raises:
        InputError: if there is no such format.
    """
    if name not in PRECISIONS:
        raise InputError(f"There is no number format {name!r}; choose {' or '.join(PRECISIONS)}.")
    if model.dtype != PRECISIONS[name]:
        model = model.to(PRECISIONS[name])
        model.crf.float()
    return model


def choose_dtype(model: MMNER, device: torch.device) -> MMNER:
    """Move a model to a device and its number format; the CRF stays in float32, where its sums belong."""
    fast = multiplies_bfloat16() if device.type == "cpu" else torch.cuda.is_bf16_supported()
    dtype = torch.bfloat16 if fast else torch.float32
    cnn = model.cnn_encoder
    folded = cnn.fold(device, dtype) if cnn is not None else None  # before its weights are rounded
    model = model.to(device, dtype)
    model.crf.float()
    model.text_encoder.pack()
    for layer in model.modules():
        if isinstance(layer, BatchInvariantLinear):
            layer.pack()
    if cnn is not None:
        cnn.use(folded)
    return model
