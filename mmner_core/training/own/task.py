"""The arguments of ``train own``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mmner_core.data.type_names import TypeNames
from mmner_core.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTask:
    """A training on a user's own data.

    Attributes:
        train, valid, test: files, or folders of which the split of that name is read.
        keep: the same, of data that the checkpoint knew before: it is scored on them before and after.
        out: folder of the run.
        images: folder of the photos; None: beside each file, if there.
        init: checkpoint to begin with; None: a preset.
        preset: name of a model to train from pretrained encoders; None: a checkpoint.
        convention: annotation convention of the checkpoint to learn the data by; None: its default.
        names: what types of the data are to be called.
        settings: hyper-parameters that differ from the defaults, as NAME=VALUE.
        command: what to record as the way to repeat it.

    Raises:
        InputError: if there are no data, no model or two of them, or what only one of the two kinds of model has.
    """

    train: tuple[Path, ...]
    valid: tuple[Path, ...]
    out: Path
    test: tuple[Path, ...] = ()
    keep: tuple[Path, ...] = ()
    images: Path | None = None
    init: Path | None = None
    preset: str | None = None
    convention: str | None = None
    names: TypeNames = field(default_factory=TypeNames)
    settings: tuple[str, ...] = ()
    command: str = ""

    def __post_init__(self) -> None:
        if not self.train or not self.valid:
            raise InputError("A run needs data to learn from (--train) and data to choose the best epoch by (--valid).")
        if (self.init is None) == (self.preset is None):
            raise InputError(
                "Begin either with a checkpoint (--init FOLDER) or with a model of pretrained encoders (--preset NAME)."
            )
        if self.init is None and (self.keep or self.convention):
            option = "--keep" if self.keep else "--convention"
            raise InputError(f"{option} is about a checkpoint to begin with; a preset begins without one.")
