"""Modules that keep a second form of their weights, laid out for the fast kernels of this machine."""

from __future__ import annotations

from typing import Any, Generic, Self, TypeVar

import torch
from torch import nn

Form = TypeVar("Form")


class WithFastForm(nn.Module, Generic[Form]):
    """A network that may have a second form of its weights, ``_fast``, to infer with.

    New weights, another device or number format, and copying drop it, since it would belong to other weights; training
    mode drops it, since it has neither dropout nor gradients.
    """

    _fast: Form | None = None

    @property
    def fast(self) -> Form | None:
        """The form to infer with; None: use the plain layers, which gradients need."""
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
