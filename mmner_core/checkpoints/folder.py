"""A checkpoint is a folder: safetensors, config, labels, tokenizer, metrics, provenance, model card. Never a pickle."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from mmner_core.checkpoints.packing import pack_weights, unpack_weights
from mmner_core.config import ModelConfig
from mmner_core.encoders.tokenizer import load_tokenizer
from mmner_core.errors import InputError, brief
from mmner_core.labels import LabelSet
from mmner_core.network.model import MMNER
from mmner_core.runtime import json_files
from mmner_core.runtime.atomic import atomic_folder
from mmner_core.runtime.digests import file_digest

WEIGHTS = "model.safetensors"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
REQUIRED = (WEIGHTS, "config.json", "labels.json", "tokenizer.json", "metrics.json", "provenance.json", "README.md")
_DAMAGED = "the checkpoint is damaged"
IMAGE_PARTS = ("vit_encoder.", "cnn_encoder.", "to_width.", "grounding.", "gate.", "image_projections.")
"""Tensors that only photos need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A loaded checkpoint.

    Attributes:
        model: in eval mode, float32.
        tokenizer: a fast Hugging Face tokenizer.
        digest: SHA-256 over weights, config and labels, 16 hex digits.
        metrics, provenance: what the folder says of itself.
    """

    path: Path
    model: MMNER
    tokenizer: Any
    digest: str
    metrics: dict[str, Any]
    provenance: dict[str, Any]


def save_checkpoint(
    folder: str | Path,
    model: MMNER,
    tokenizer_folder: str | Path,
    *,
    metrics: Mapping[str, Any],
    provenance: Mapping[str, Any],
    card: str,
) -> Path:
    """Write a checkpoint folder, all of it or nothing.

    Args:
        folder: where; an existing checkpoint there is replaced only once the new one is complete.
        model: its weights and config are stored.
        tokenizer_folder: where the fast tokenizer's files are.
        metrics: scores by which the model was chosen.
        provenance: data digests, command, seed, versions.
        card: the model card, Markdown.

    Raises:
        InputError: if the folder cannot be written.
    """
    from safetensors.torch import save_file

    if not (Path(tokenizer_folder) / "tokenizer.json").is_file():
        raise InputError(f"There is no tokenizer.json in {tokenizer_folder}; a checkpoint needs the tokenizer's files.")
    folder = Path(folder)
    with atomic_folder(folder, what="the checkpoint") as partial:
        save_file(pack_weights(model.state_dict()), partial / WEIGHTS, metadata={"format": "pt"})
        (partial / WEIGHTS).chmod(0o644)  # safetensors writes it for the owner alone
        _write_json(partial / "config.json", model.config.to_dict())
        _write_json(partial / "labels.json", list(model.labels.tags))
        _write_json(partial / "metrics.json", metrics)
        _write_json(partial / "provenance.json", provenance)
        (partial / "README.md").write_text(card, encoding="utf-8")
        for name in TOKENIZER_FILES:
            if (Path(tokenizer_folder) / name).is_file():
                shutil.copyfile(Path(tokenizer_folder) / name, partial / name)
    return folder


def _write_json(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def load_checkpoint(folder: str | Path, *, images: bool = True) -> Checkpoint:
    """Load a checkpoint folder, checking every file, tensor name, shape and value.

    Args:
        folder: the checkpoint.
        images: also load what only photos need; without it a model for text alone is ready much sooner.

    Raises:
        InputError: saying which file is missing, damaged, of a newer version, or does not fit.
    """
    folder = Path(folder)
    check_files(folder)
    config = ModelConfig.from_dict(read_checkpoint_json(folder / "config.json"), str(folder / "config.json"))
    _check_source(config, folder)
    _check_depth(config, folder)
    tags = read_checkpoint_json(folder / "labels.json")
    if tags != list(LabelSet(config.types).tags):
        raise InputError(f"{folder / 'labels.json'} does not list the tags that config.json's types call for.")
    # Building a model is mostly importing libraries, on one core; the file is read and hashed on the other meanwhile.
    with ThreadPoolExecutor(max_workers=1) as reader:
        state = reader.submit(_read_weights, folder, images=images)
        digest = reader.submit(folder_digest, folder)
        tokenizer = reader.submit(load_tokenizer, folder)
        model = _build(config, folder / "config.json", images=images)
        _fit_weights(model, state.result(), folder / WEIGHTS)
        _check_vocabulary(tokenizer.result(), model, folder)
        return Checkpoint(
            path=folder,
            model=model.eval(),
            tokenizer=tokenizer.result(),
            digest=digest.result(),
            metrics=read_checkpoint_object(folder / "metrics.json"),
            provenance=read_checkpoint_object(folder / "provenance.json"),
        )


def _check_source(config: ModelConfig, folder: Path) -> None:
    """Refuse an encoder whose name its library would look up on the internet or in another folder."""
    for encoder in (config.vit, config.cnn):
        if encoder is not None and ":" in encoder.name:
            why = f"{encoder.name[:60]!r} would be fetched from elsewhere"
            raise InputError(f"{folder / 'config.json'} describes no model that can be built ({why}).")


def _check_depth(config: ModelConfig, folder: Path) -> None:
    """Refuse a config with more layers than there are tensors, since building them could take for ever."""
    layers, tensors = (config.text.architecture or {}).get("num_hidden_layers"), len(tensor_shapes(folder))
    if isinstance(layers, int) and layers > tensors:
        raise InputError(
            f"{folder / 'config.json'} describes no model that can be built ({layers:,} layers, but {WEIGHTS} holds "
            f"{tensors} tensors)."
        )


def _check_vocabulary(tokenizer: Any, model: MMNER, folder: Path) -> None:
    """Refuse a tokenizer with sub-words that the model has no embedding for."""
    pieces = tokenizer.backend_tokenizer.get_vocab_size(with_added_tokens=True)
    rows = model.text_encoder.model.get_input_embeddings().weight.shape[0]
    if pieces > rows:
        raise InputError(
            f"{folder / 'tokenizer.json'} has {pieces:,} pieces, the model knows {rows:,}; it belongs to another "
            "checkpoint."
        )


def _build(config: ModelConfig, file: Path, *, images: bool) -> MMNER:
    """Build the model without initialising its weights; ``file`` is where the config was read from."""
    try:
        with _NoRandomInit():
            return MMNER.build(config, images=images)
    except InputError:
        raise
    except Exception as error:  # libraries raise all sorts on unknown names and odd sizes
        raise InputError(f"{file} describes no model that can be built ({brief(error)}).") from error


class _NoRandomInit(TorchFunctionMode):
    """Skips the random initialisation of weights, since all of them are about to be loaded."""

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        if func.__name__ in ("normal_", "uniform_", "trunc_normal_", "kaiming_uniform_", "xavier_uniform_"):
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))


def folder_digest(folder: Path) -> str:
    """Return the SHA-256 of weights, config and labels, 16 hex digits."""
    digest = hashlib.sha256()
    for file in (folder / WEIGHTS, folder / "config.json", folder / "labels.json"):
        digest.update(bytes.fromhex(file_digest(file)))
    return digest.hexdigest()[:16]


def check_files(folder: Path) -> None:
    """Check that a folder has every file of a checkpoint.

    Raises:
        InputError: naming the first missing file.
    """
    if not folder.is_dir():
        raise InputError(f"There is no checkpoint folder {folder}; give the folder that holds {WEIGHTS}.")
    missing = [name for name in REQUIRED if not (folder / name).is_file()]
    if missing:
        pickles = [file.name for file in folder.iterdir() if file.suffix in (".bin", ".pt", ".pth", ".pkl", ".ckpt")]
        hint = f"; {pickles[0]} is a pickle, which may run code and is not read" if pickles else ""
        raise InputError(f"{folder} is not a whole checkpoint: {missing[0]} is missing{hint}.")


def read_checkpoint_json(file: Path) -> Any:
    """Read one of the checkpoint's JSON files.

    Raises:
        InputError: if it is damaged.
    """
    return json_files.read_json(file, _DAMAGED)


def read_checkpoint_object(file: Path) -> dict[str, Any]:
    """Read one of the checkpoint's JSON files that hold an object.

    Raises:
        InputError: if it is damaged, or holds something else.
    """
    return json_files.read_object(file, _DAMAGED)


def tensor_shapes(folder: Path) -> dict[str, list[int]]:
    """Return name and shape of each tensor as stored, from the header of the checkpoint's file.

    Raises:
        InputError: if the file is damaged.
    """
    from safetensors import safe_open

    with _damage_reported(folder / WEIGHTS), safe_open(folder / WEIGHTS, framework="pt") as store:
        return {name: store.get_slice(name).get_shape() for name in store.keys()}  # noqa: SIM118


def _read_weights(folder: Path, *, images: bool) -> dict[str, Tensor]:
    """Read and unpack the tensors, checking that all are numbers."""
    from safetensors import safe_open

    file = folder / WEIGHTS
    with _damage_reported(file), safe_open(file, framework="pt") as store:
        wanted = [name for name in store.keys() if images or not name.startswith(IMAGE_PARTS)]  # noqa: SIM118
        state = unpack_weights({name: store.get_tensor(name) for name in wanted})
    for name, tensor in state.items():
        if not _finite(tensor):
            raise InputError(f"{file}: tensor {name} holds values that are not numbers; the checkpoint is damaged.")
    return state


def _finite(tensor: Tensor) -> bool:
    """Return whether all entries are finite; looking at the extremes is 25 times as fast as testing each entry."""
    if not tensor.is_floating_point() or not tensor.numel():
        return True
    return bool(torch.isfinite(torch.stack(torch.aminmax(tensor))).all())  # NaN is both


def _fit_weights(model: MMNER, state: dict[str, Tensor], file: Path) -> None:
    """Load the weights into the model; their names and shapes must be those that it expects."""
    expected = model.state_dict()
    if lost := sorted(expected.keys() - state.keys()):
        raise InputError(f"{file} lacks {len(lost)} tensor(s), among them {lost[0]}; it does not fit config.json.")
    if extra := sorted(state.keys() - expected.keys()):
        raise InputError(
            f"{file} has {len(extra)} unknown tensor(s), among them {extra[0]}; it does not fit config.json."
        )
    for name, tensor in state.items():
        if tensor.shape != expected[name].shape:
            shapes = f"{list(tensor.shape)} instead of {list(expected[name].shape)}"
            raise InputError(f"{file}: tensor {name} has shape {shapes}; it does not fit config.json.")
    model.load_state_dict(state, assign=True)


@contextmanager
def _damage_reported(file: Path) -> Iterator[None]:
    from safetensors import SafetensorError

    try:
        yield
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{file} is damaged or cut short ({brief(error)}); copy the checkpoint again.") from error
