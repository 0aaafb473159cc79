"""One step of training on a share of a batch; as a program it is one of several gloo processes."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from mmner_core.encoding import Batch, Pixels, Window, collate
from mmner_core.model import MMNER
from mmner_core.presets import tiny

SENTENCES = ([5, 6, 7], [10, 11], [12, 13, 14], [8, 9], [15, 16], [17, 18, 19], [20, 21], [22, 23])
TAGS = ([0, 1, 2], [5, 0], [0, 7, 8], [0, 0], [1, 0], [3, 4, 4], [0, 1], [0, 0])
PICTURES = {"mixed": (0, 1, 2, -1, 3, 1, -1, 4), "one-sees-none": (0, 1, 2, 3, -1, -1, -1, -1)}
"""The photo of each sentence; the second half of the sentences is the second process's share."""
ALIGNED = (True, True, False, True, True, True, True, True)


def build() -> MMNER:
    """Build the tiny model with a frozen CNN, a learnt temperature and no dropout: one batch, one answer."""
    config = tiny()
    assert config.cnn is not None
    config = replace(
        config,
        text=replace(config.text, dropout=0.0, attention_dropout=0.0),
        cnn=replace(config.cnn, frozen=True),
        fusion=replace(config.fusion, dropout=0.0),
        alignment=replace(config.alignment, learn_temperature=True),
    )
    torch.manual_seed(3)
    return MMNER.build(config).train()


def share(case: str, first: int, last: int) -> Batch:
    """Build the batch of the sentences from ``first`` to before ``last``, with only their own photos."""
    chosen = range(first, last)
    shown = sorted({PICTURES[case][i] for i in chosen} - {-1})
    photos = torch.randn(5, 3, 64, 64, generator=torch.Generator().manual_seed(4))
    windows = [
        Window(input_ids=[0, *SENTENCES[i], 2], word_to_token=[*range(1, 1 + len(TAGS[i]))], start=0, stop=len(TAGS[i]))
        for i in chosen
    ]
    return collate(
        windows,
        pad=1,
        tags=[TAGS[i] for i in chosen],
        image_index=[shown.index(PICTURES[case][i]) if PICTURES[case][i] >= 0 else -1 for i in chosen],
        image_key=[PICTURES[case][i] for i in chosen],
        aligned=[ALIGNED[i] for i in chosen],
        pixels=Pixels(cnn=photos[shown]) if shown else None,
    )


def gradients(model: MMNER) -> dict[str, Tensor]:
    """Return the gradient of each parameter that is trained; zero where nothing flowed."""
    return {
        name: torch.zeros_like(p) if p.grad is None else p.grad
        for name, p in model.named_parameters()
        if p.requires_grad
    }


def main(rank: int, folder: Path) -> None:
    """Train one step of each case as one of two processes; write losses and gradients."""
    from safetensors.torch import save_file
    from torch import distributed
    from torch.nn.parallel import DistributedDataParallel

    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder / 'meeting'}", rank=rank, world_size=2)
    half = len(SENTENCES) // 2
    for case in PICTURES:
        model = build()
        network = DistributedDataParallel(model, find_unused_parameters=True)
        losses = network(share(case, rank * half, (rank + 1) * half)).losses
        losses["total"].backward()
        contrastive = {name: value.detach() for name, value in losses.items() if name.startswith("contrastive")}
        save_file({**contrastive, **gradients(model)}, folder / f"{case}-{rank}.safetensors")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
