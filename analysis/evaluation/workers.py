"""The processes that share a run: one, or those that a launcher has started.

``accelerate launch -m analysis run ...`` starts one per GPU (or, through MPI, per CPU node), and
``torchrun --nproc-per-node N -m analysis run ...`` any number on one machine. Accelerate recognises them all.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

_PATIENCE = timedelta(days=7)
"""How long a process that is done waits for the others; the default of half an hour would end long runs."""
_HOW_MANY = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
"""Where torchrun and the MPI launchers say how many processes they started."""


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
    import torch

    if any(int(os.environ.get(name, "1")) > 1 for name in _HOW_MANY):
        from accelerate import PartialState

        state = PartialState(cpu=not torch.cuda.is_available(), timeout=_PATIENCE)
        return Workers(
            index=state.process_index,
            count=state.num_processes,
            device=str(state.device),
            wait=state.wait_for_everyone,
        )
    return Workers(device="cuda" if torch.cuda.is_available() else "cpu")
