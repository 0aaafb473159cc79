"""Let torchvision import beside a CPU build of torch.

PyPI's torchvision 0.28.0 ships a C++ extension linked against CUDA. Beside the CPU build of torch 2.13.0 that
extension does not load, and torchvision's Python part then fails at import with "operator torchvision::nms does not
exist", because it registers shape rules for operators that nobody defined. Defining the two schemas it names is
enough: we use torchvision's transforms through open_clip and timm, never its detection operators.
"""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from typing import Any

_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


@cache
def make_torchvision_importable() -> Any:
    """Define the missing operator schemas, once, unless torchvision is imported or its extension loads by itself."""
    import torch

    if "torchvision" in sys.modules or _extension_loads():
        return None
    library = torch.library.Library("torchvision", "DEF")  # must outlive the process: the cache keeps it
    for schema in _SCHEMAS.values():
        library.define(schema)
    return library


def _extension_loads() -> bool:
    """Say whether torchvision's C++ part can be loaded here."""
    import torch

    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return True  # not installed: nothing to cure, the import itself will say so
    folder = Path(spec.origin).parent
    try:
        for file in folder.glob("_C*.so"):
            torch.ops.load_library(str(file))
    except OSError:
        return False
    return True
