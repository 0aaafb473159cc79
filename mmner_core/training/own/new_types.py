"""Adds types to a checkpoint's model: known types keep their weights, new ones begin untrained.

Shapes: L tags, T types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mmner_core.checkpoints.folder import load_checkpoint
from mmner_core.errors import InputError
from mmner_core.network.grounding import Belief
from mmner_core.network.model import MMNER

_OF_TAGS = ("classifier.", "crf.")
_READERS = "grounding.readers."
_LOOKING, _GATE = "grounding.hidden.weight", "gate.hidden.weight"
UNLIKELY = 3.0
"""By how much, as a log, a cell of a photo is at first less of a new type than it is of nothing."""


def begin_with(model: MMNER, init: str) -> None:
    """Give a new model the weights of a checkpoint that knows only its first types.

    Raises:
        InputError: if the checkpoint holds another model.
    """
    before = load_checkpoint(init).model
    state = before.state_dict()
    if len(model.config.types) > len(before.config.types):
        state = add_types(state, model.state_dict(), before.config.types, model.config.types)
    if misfits := [n for n, t in model.state_dict().items() if n not in state or state[n].shape != t.shape]:
        raise InputError(f"{init} holds another model than this run trains: {misfits[0]} does not fit.")
    model.load_state_dict(state)


def add_types(
    state: Mapping[str, Tensor], fresh: Mapping[str, Tensor], before: Sequence[str], after: Sequence[str]
) -> dict[str, Tensor]:
    """Return the tensors of a model that knows more types.

    Tags that were there keep their scores. Those of a new type have the weights of a new model, and the photo says
    nothing of it yet.

    Args:
        state: of the model that knows fewer.
        fresh: of a new model that knows all.
        before: the types that it knew.
        after: these and then the new ones.
    """
    grown = dict(state)
    for name, value in state.items():
        if name.startswith(_OF_TAGS):  # the tags of types that were there come first, in the same order
            grown[name] = fresh[name].clone()
            grown[name][tuple(slice(size) for size in value.shape)] = value
        elif name.startswith(_READERS):
            nothing = value[-1:]
            new = nothing.repeat(len(after) - len(before), *[1] * (value.ndim - 1))
            grown[name] = torch.cat([value[:-1], new - UNLIKELY if name.endswith("bias") else new, nothing])
        elif name == _LOOKING:
            grown[name] = _move_columns(value, _looking(before), _looking(after))
        elif name == _GATE:
            context = [("context", str(i)) for i in range(value.shape[1] - Belief.width(len(before)))]
            grown[name] = _move_columns(value, [*context, *_said(before)], [*context, *_said(after)])
    return grown


def _said(types: Sequence[str]) -> list[tuple[str, str]]:
    """Name the entries of ``Belief.said``, in order."""
    return [("text", name) for name in ("O", *types)] + [("likeliest", str(n)) for n in range(min(2, len(types)))]


def _looking(types: Sequence[str]) -> list[tuple[str, str]]:
    """Name the inputs from which grounded attention computes how far words look, in order."""
    cells = [(how, name) for how in ("most", "mean") for name in (*types, "")]
    return [*_said(types), *cells, ("word", "most"), ("word", "mean")]


def _move_columns(weight: Tensor, before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]]) -> Tensor:
    """Return [H, inputs] with each column at the place of its input; columns of new inputs are 0."""
    moved = weight.new_zeros(len(weight), len(after))
    moved[:, [after.index(name) for name in before]] = weight
    return moved
