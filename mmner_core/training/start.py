"""A run's first weights, from pretrained encoders or a checkpoint, and which of them it leaves as they are."""

from __future__ import annotations

from mmner_core.checkpoints.folder import load_checkpoint
from mmner_core.errors import InputError
from mmner_core.network.model import MMNER
from mmner_core.training.config import Recipe


def start_from(model: MMNER, run: Recipe) -> None:
    """Give a new model its first weights and freeze what the run leaves alone.

    Raises:
        InputError: if the weights are not to be had or do not fit, or nothing is left to train.
    """
    init, trainable = run.training.init, run.training.trainable
    if init is None:
        model.load_pretrained()
    else:
        checkpoint = load_checkpoint(init)
        if checkpoint.model.config != run.model:
            raise InputError(f"{init} holds another model than this run trains; begin with a checkpoint of its preset.")
        model.load_state_dict(checkpoint.model.state_dict())
    freeze_others(model, trainable)


def freeze_others(model: MMNER, trainable: tuple[str, ...]) -> None:
    """Leave only the parameters free whose names begin so; empty: all that the model leaves free.

    Raises:
        InputError: if there are none.
    """
    for name, parameter in model.named_parameters():
        if trainable and not name.startswith(trainable):
            parameter.requires_grad_(False)
    if not any(p.requires_grad for p in model.parameters()):
        raise InputError(f"No parameter is left to train: none begins with {', '.join(trainable)}.")
