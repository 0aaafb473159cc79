"""The models that a run may be made with: the server's checkpoints, and models of one's own that a setting allows."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from analysis.own_model.factory import check_name
from mmner_core.config import ModelConfig
from mmner_core.errors import InputError
from mmner_core.runtime.json_files import read_object


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Models by name.

    Attributes:
        checkpoints: folder of each checkpoint, the default first.
        own: factory and options of each model of somebody's own.
    """

    checkpoints: Mapping[str, Path]
    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, checkpoints: Mapping[str, Path], settings: Iterable[str]) -> Models:
        """Read the setting that allows models.

        Args:
            checkpoints: folders by name.
            settings: each a factory, ``package.module:factory``, and its options, ``NAME=VALUE``.

        Raises:
            InputError: if one is no factory, or two have the same name.
        """
        own: dict[str, tuple[str, ...]] = {}
        for setting in settings:
            factory, *options = shlex.split(setting) or [""]
            check_name(factory)
            if factory in own:
                raise InputError(f"run_models: {factory} is there twice; write a factory for each model.")
            own[factory] = (factory, *options)
        return cls(checkpoints=checkpoints, own=own)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names to choose from."""
        return (*self.checkpoints, *self.own)

    def check(self, name: object) -> str:
        """Return a name, the default's for an empty one.

        Raises:
            InputError: if there is no such model.
        """
        if name == "" or name is None:
            return self.names[0]
        if not isinstance(name, str) or name not in self.names:
            raise InputError(f"There is no model {str(name)[:60]!r}; choose one of: {', '.join(self.names)}.")
        return name

    def config(self, name: str) -> ModelConfig | None:
        """Return what a checkpoint says of itself; None for a model of somebody's own, which is asked only by its run.

        Raises:
            InputError: if the checkpoint is damaged.
        """
        if name not in self.checkpoints:
            return None
        file = self.checkpoints[name] / "config.json"
        return ModelConfig.from_dict(read_object(file, "the checkpoint is damaged"), file.name)
