"""Gives a run its initial weights, from pretrained encoders or a checkpoint, and freezes those it does not train."""

from __future__ import annotations

import logging

from torch import Tensor

from mmner_core.checkpoints.folder import load_checkpoint
from mmner_core.errors import InputError
from mmner_core.network.model import MMNER
from mmner_core.training.config import Recipe

log = logging.getLogger(__name__)


def start_from(model: MMNER, run: Recipe) -> None:
    """Give a new model its first weights and freeze what the run leaves alone.

    Of a checkpoint it takes all that it has a place for. Parts that the checkpoint lacks, such as another fusion block
    to try on the same encoders, begin at random; they must be among those that the run trains.

    Raises:
        InputError: if the weights are not to be had or do not fit, or nothing is left to train.
    """
    init, trainable = run.training.init, run.training.trainable
    if init is None:
        model.load_pretrained()
    else:
        held, own = _held(init, run), model.state_dict()
        fit = {name: weight for name, weight in held.items() if name in own and own[name].shape == weight.shape}
        if untrained := [name for name in own if name not in fit and trainable and not name.startswith(trainable)]:
            raise InputError(f"{init} holds another model than this run trains: {untrained[0]} does not fit.")
        if new := sorted({name.split(".", 1)[0] for name in own if name not in fit}):
            log.info("%s has no weights that fit %s: these begin at random", init, ", ".join(new))
        model.load_state_dict({**own, **fit})
    freeze_others(model, trainable)


def _held(init: str, run: Recipe) -> dict[str, Tensor]:
    """Return the weights of a checkpoint that reads texts and images as the run's model does.

    Raises:
        InputError: if it does not.
    """
    checkpoint = load_checkpoint(init)
    held, wanted = checkpoint.model.config, run.model
    for part in ("types", "conventions", "text", "vit", "cnn"):
        theirs, ours = getattr(held, part), getattr(wanted, part)
        if theirs != ours and ours is not None:
            raise InputError(f"{init} holds another model than this run trains; begin with one of the same {part}.")
    return checkpoint.model.state_dict()


def freeze_others(model: MMNER, trainable: tuple[str, ...]) -> None:
    """Freeze all parameters except those with these name prefixes; empty: all that the model trains.

    Raises:
        InputError: if there are none.
    """
    for name, parameter in model.named_parameters():
        if trainable and not name.startswith(trainable):
            parameter.requires_grad_(False)
    if not any(p.requires_grad for p in model.parameters()):
        raise InputError(f"No parameter is left to train: none begins with {', '.join(trainable)}.")
