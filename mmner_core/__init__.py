"""2M-NER (arXiv 2404.17122): multilingual, multimodal named entity recognition.

Use it from a program::

    from mmner_core import Tagger

    for entity in Tagger.load("checkpoints/mini").tag("best of Jordan", "photo.jpg").entities:
        ...

The names of ``__all__`` are imported when they are first used, so that ``import mmner_core`` is quick.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmner_core.checkpoints.folder import load_checkpoint
    from mmner_core.errors import InputError
    from mmner_core.evaluation.evaluate import evaluate
    from mmner_core.inference.tagger import Tagger
    from mmner_core.results import Prediction, TaggedEntity

__all__ = ["InputError", "Prediction", "TaggedEntity", "Tagger", "evaluate", "load_checkpoint"]

_MODULES = {
    "InputError": "errors",
    "Prediction": "results",
    "TaggedEntity": "results",
    "Tagger": "inference.tagger",
    "evaluate": "evaluation.evaluate",
    "load_checkpoint": "checkpoints.folder",
}

# torch's threads wait for work by spinning, by default for some 6 ms (300,000 rounds), on cores that photos could be
# resized on meanwhile; 20,000 rounds outlast the pauses between two operations. Read while torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "20000")

if not TYPE_CHECKING:  # type checkers would take any name for one of this module

    def __getattr__(name: str) -> Any:
        """Import a public name on its first use."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        return value
