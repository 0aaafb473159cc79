"""Modules that keep a second form of their weights, laid out for the fast kernels of this machine."""

from __future__ import annotations

from typing import Any, Generic, Self, TypeVar

import torch
from torch import nn

Form = TypeVar("Form")


class WithFastForm(nn.Module, Generic[Form]):
    """A network that infers with ``_fast``, what its weights were turned into, where that is set.

    New weights, another device or format, and copying drop it, for it would be that of other weights; training mode
    drops it, for it has neither dropout nor gradients.
    """

    _fast: Form | None = None

    @property
    def fast(self) -> Form | None:
        """What to compute with; None: the plain layers, which are also what gradients take."""
        return None if torch.is_grad_enabled() else self._fast

    def _apply(self, *arguments: Any, **options: Any) -> Self:
        self._fast = None
        return super()._apply(*arguments, **options)

    def _load_from_state_dict(self, *arguments: Any, **options: Any) -> None:
        self._fast = None
        super()._load_from_state_dict(*arguments, **options)

    def train(self, mode: bool = True) -> Self:
        """Switch mode; in training the plain layers are used."""
        self._fast = None if mode else self._fast
        return super().train(mode)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_fast": None}
