"""Get the model libraries ready before their first import: quiet, private, and importable."""

from __future__ import annotations

import os
from functools import cache

from mmner_core.encoders.torchvision_shim import make_torchvision_importable

WEIGHTS_FOLDER = "MMNER_WEIGHTS"
"""Environment variable: the folder in which pretrained weights are looked for by name."""
_SETTINGS = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "error",  # its report on loading would mix with our output
    "TOKENIZERS_PARALLELISM": "false",  # else it warns when a data worker is forked
}


@cache
def prepare_libraries() -> None:
    """Silence transformers and the hub client, and make torchvision importable; the user's own settings win."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    make_torchvision_importable()
