"""One step of training on a share of a batch; as a program it is one of two gloo processes."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from mmner_core.network.model import MMNER
from mmner_core.presets import tiny
from mmner_core.text.encoding import Batch, Pixels, Window, collate
from mmner_core.training.finish import train_run
from tests.core.training_run import DATA, tiny_run

SENTENCES = ([5, 6, 7], [10, 11], [12, 13, 14], [8, 9], [15, 16], [17, 18, 19], [20, 21], [22, 23])
TAGS = ([0, 1, 2], [5, 0], [0, 7, 8], [0, 0], [1, 0], [3, 4, 4], [0, 1], [0, 0])
IMAGES = {"mixed": (0, 1, 2, -1, 3, 1, -1, 4), "one-sees-none": (0, 1, 2, 3, -1, -1, -1, -1)}
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
    shown = sorted({IMAGES[case][i] for i in chosen} - {-1})
    photos = torch.randn(5, 3, 64, 64, generator=torch.Generator().manual_seed(4))
    windows = [
        Window(input_ids=[0, *SENTENCES[i], 2], word_to_token=[*range(1, 1 + len(TAGS[i]))], start=0, stop=len(TAGS[i]))
        for i in chosen
    ]
    return collate(
        windows,
        pad=1,
        tags=[TAGS[i] for i in chosen],
        image_index=[shown.index(IMAGES[case][i]) if IMAGES[case][i] >= 0 else -1 for i in chosen],
        image_key=[IMAGES[case][i] for i in chosen],
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


def main(folder: Path, text_folder: Path, tokenizer_folder: Path) -> None:
    """Be one of the two processes that a launcher's variables describe.

    Train one step of each case, writing losses and gradients, then a whole run to its checkpoint.
    """
    from accelerate import PartialState
    from safetensors.torch import save_file
    from torch.nn.parallel import DistributedDataParallel

    torch.set_num_threads(1)
    rank = PartialState(cpu=True).process_index
    half = len(SENTENCES) // 2
    for case in IMAGES:
        model = build()
        network = DistributedDataParallel(model, find_unused_parameters=True)
        losses = network(share(case, rank * half, (rank + 1) * half)).losses
        losses["total"].backward()
        contrastive = {name: value.detach() for name, value in losses.items() if name.startswith("contrastive")}
        save_file({**contrastive, **gradients(model)}, folder / f"{case}-{rank}.safetensors")
    run = tiny_run(text_folder, frozen=True, epochs=2)
    train_run(run, DATA, folder / "run", str(tokenizer_folder), name="tiny", command="")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
