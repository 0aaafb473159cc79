"""The processes that share a run: one, or those that ``accelerate launch`` has started."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

_PATIENCE = timedelta(days=7)
"""How long a process that is done waits for the others; the default of half an hour would end long runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """The processes that share a run, and which of them this one is.

    Attributes:
        index, count: this process among how many.
        device: where it computes.
        wait: blocks until every process has come this far.
    """

    index: int = 0
    count: int = 1
    device: str = "cpu"
    wait: Callable[[], object] = lambda: None


def find_workers() -> Workers:
    """Join the processes that were launched together; alone, use a CUDA device where there is one."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        from accelerate import PartialState

        state = PartialState(timeout=_PATIENCE)
        return Workers(
            index=state.process_index,
            count=state.num_processes,
            device=str(state.device),
            wait=state.wait_for_everyone,
        )
    import torch

    return Workers(device="cuda" if torch.cuda.is_available() else "cpu")
