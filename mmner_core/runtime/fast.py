"""The switch for optimisations, which change no answer beyond rounding.

The environment variable ``MMNER_PLAIN`` switches them off, to compare or to look for a bug: ``all``, or some of the
names of :data:`FAST` separated by commas. ``make bench ARGS=--fast`` measures what each brings. On two cores with AMX,
work took this many times as long without:

- ``networks``: 2.1 to the first answer, 1.3 to 1.5 for each one after;
- ``packed``: 1.15 for a text;
- ``folded``: 1.6 for a text with a new image, 1.4 in batches;
- ``two_cores``: 1.2 for a text with a new image;
- ``kept_memory``: 1.05 in batches.
"""

from __future__ import annotations

import os
from functools import cache

from mmner_core.errors import InputError

PLAIN = "MMNER_PLAIN"
FAST = {
    "networks": "networks of our own for BERT and EfficientNet-Lite0, where transformers and timm take long to import",
    "packed": "linear layers laid out for the processor, and BERT's layers in fewer kernels",
    "folded": "EfficientNet-Lite0 with norms and activations folded into its convolutions",
    "two_cores": "a single text is read on one core while the other opens and encodes its photo",
    "kept_memory": "a long job keeps the memory that it frees for its next batch",
}


def is_fast(name: str) -> bool:
    """Return whether one of :data:`FAST` is in use.

    Raises:
        InputError: if the environment variable names something else.
    """
    return name not in _plain()


@cache
def _plain() -> frozenset[str]:
    names = frozenset(filter(None, map(str.strip, os.environ.get(PLAIN, "").split(","))))
    if unknown := sorted(names.difference(FAST, ["all"])):
        raise InputError(f"{PLAIN}={unknown[0]}: there is no such name; choose all, or some of {', '.join(FAST)}.")
    return frozenset(FAST) if "all" in names else names
