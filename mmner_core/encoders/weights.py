"""Finds pretrained weights: a local folder or file first, then the hub."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mmner_core.encoders.libraries import WEIGHTS_FOLDER
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

_IN_FOLDER = ("model.safetensors", "open_clip_model.safetensors")
"""What the hub's folders of timm and open_clip models hold."""


def places() -> list[Path]:
    """Return where local weights are looked for: here, then each folder or file that ``MMNER_WEIGHTS`` names.

    Several are joined as in ``PATH``. A folder may hold a sub-folder per encoder, or be an encoder's own; a file
    serves the encoder that it is named after.
    """
    return [Path(), *(Path(place) for place in os.environ.get(WEIGHTS_FOLDER, "").split(os.pathsep) if place)]


def use_weights(named: list[Path]) -> None:
    """Put places given by the user before those that ``MMNER_WEIGHTS`` names already.

    Raises:
        InputError: naming one that is not there.
    """
    for place in named:
        if not place.exists():
            raise InputError(
                f"There is no {place} to take pretrained weights from; give a folder or .safetensors file."
            )
    os.environ[WEIGHTS_FOLDER] = os.pathsep.join(map(str, [*map(Path.absolute, named), *places()[1:]]))


def find_text(name: str) -> str:
    """Return the local folder of a text encoder, else its hub name."""
    for place in places():
        for folder in (place / name, *([place] if place.name == name else [])):
            if (folder / "config.json").is_file():
                return str(folder)
    return name


def find_image_weights(name: str, pretrained: str) -> Path | None:
    """Return the local weights file of an image encoder, if there is one.

    Args:
        name: the encoder's name.
        pretrained: a file, or how the encoder's library calls these weights.
    """
    return next((file for place in places() for file in _candidates(place, name, pretrained) if file.is_file()), None)


def _candidates(place: Path, name: str, pretrained: str) -> Iterator[Path]:
    yield place / pretrained
    yield place / f"{name}.safetensors"
    for file in _IN_FOLDER:
        yield place / name / file
        if place.name == name:
            yield place / file
    if place.name == f"{name}.safetensors":
        yield place


def read_image_weights(file: Path) -> dict[str, Tensor]:
    """Read an image encoder's tensors, in float32: of a file of its own, or of a whole open_clip model.

    Raises:
        InputError: if the file is damaged or no safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(file)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{file} is damaged or no safetensors file ({error}); fetch it again.") from error
    if any(key.startswith("visual.") for key in state):  # the text tower beside it has tensors of the same names
        state = {key.removeprefix("visual."): value for key, value in state.items() if key.startswith("visual.")}
    state = {key.removeprefix("trunk."): value for key, value in state.items()}
    return {key: value.float() if value.is_floating_point() else value for key, value in state.items()}
