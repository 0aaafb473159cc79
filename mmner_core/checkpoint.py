"""A checkpoint is a folder: safetensors, config, labels, tokenizer, metrics, provenance, model card. Never a pickle.

Written to a neighbour first and renamed, so that a reader sees the old folder or the new one.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmner_core.config import ModelConfig
from mmner_core.encoders.text import load_tokenizer
from mmner_core.errors import InputError
from mmner_core.labels import LabelSet
from mmner_core.model import MMNER

WEIGHTS = "model.safetensors"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
REQUIRED = (WEIGHTS, "config.json", "labels.json", "tokenizer.json", "metrics.json", "provenance.json", "README.md")
EMBEDDINGS = "word_embeddings.weight"
SMALL = 100_000
"""Tensors with fewer entries stay float32: they cost nothing and the CRF's sums deserve it."""


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


def quantise_rows(table: Tensor) -> tuple[Tensor, Tensor]:
    """Round a [N, D] table to int8 with one float16 scale per row; the error is at most half a scale."""
    scale = (table.float().abs().amax(dim=1, keepdim=True) / 127).clamp(min=1e-8).half()
    return (table.float() / scale.float()).round().clamp(-127, 127).to(torch.int8), scale


def pack(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Shrink weights for the disk: word embeddings to int8 rows, other large tensors to float16."""
    packed: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if name.endswith(EMBEDDINGS) and tensor.ndim == 2 and tensor.numel() >= SMALL:
            packed[name], packed[f"{name}.scale"] = quantise_rows(tensor)
        elif tensor.is_floating_point():
            packed[name] = tensor.half() if tensor.numel() >= SMALL else tensor.float()
        else:
            packed[name] = tensor
    return {name: tensor.contiguous() for name, tensor in packed.items()}


def unpack(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Undo :func:`pack`, in float32."""
    state: dict[str, Tensor] = {}
    for name, tensor in packed.items():
        if name.endswith(".scale") and name.removesuffix(".scale") in packed:
            continue
        scale = packed.get(f"{name}.scale")
        value = tensor if scale is None else tensor.float() * scale.float()
        state[name] = value.float() if value.is_floating_point() else value
    return state


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

    folder = Path(folder)
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        save_file(pack(model.state_dict()), partial / WEIGHTS, metadata={"format": "pt"})
        (partial / WEIGHTS).chmod(0o644)  # safetensors writes it for the owner alone
        _write_json(partial / "config.json", model.config.to_dict())
        _write_json(partial / "labels.json", list(model.labels.tags))
        _write_json(partial / "metrics.json", metrics)
        _write_json(partial / "provenance.json", provenance)
        (partial / "README.md").write_text(card, encoding="utf-8")
        for name in TOKENIZER_FILES:
            if (Path(tokenizer_folder) / name).is_file():
                shutil.copyfile(Path(tokenizer_folder) / name, partial / name)
        _swap(partial, folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise InputError(f"{folder}: the checkpoint could not be written ({error.strerror or error}).") from error
    return folder


def _swap(partial: Path, folder: Path) -> None:
    old = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _write_json(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def load_checkpoint(folder: str | Path) -> Checkpoint:
    """Load a checkpoint folder, checking every file, tensor name, shape and value.

    Raises:
        InputError: saying which file is missing, damaged, of a newer version, or does not fit.
    """
    folder = Path(folder)
    _check_files(folder)
    config = ModelConfig.from_dict(_read_json(folder / "config.json"), str(folder / "config.json"))
    tags = _read_json(folder / "labels.json")
    if tags != list(LabelSet(config.types).tags):
        raise InputError(f"{folder / 'labels.json'} does not list the tags that config.json's types call for.")
    model = MMNER.build(config)
    _load_weights(model, folder / WEIGHTS)
    return Checkpoint(
        path=folder,
        model=model.eval(),
        tokenizer=load_tokenizer(folder),
        digest=folder_digest(folder),
        metrics=_read_json(folder / "metrics.json"),
        provenance=_read_json(folder / "provenance.json"),
    )


def folder_digest(folder: Path) -> str:
    """Return the SHA-256 of weights, config and labels, 16 hex digits."""
    digest = hashlib.sha256()
    for name in (WEIGHTS, "config.json", "labels.json"):
        with (folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def _check_files(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(f"There is no checkpoint folder {folder}; give the folder that holds {WEIGHTS}.")
    missing = [name for name in REQUIRED if not (folder / name).is_file()]
    if missing:
        pickles = [file.name for file in folder.iterdir() if file.suffix in (".bin", ".pt", ".pth", ".pkl", ".ckpt")]
        hint = f"; {pickles[0]} is a pickle, which may run code and is not read" if pickles else ""
        raise InputError(f"{folder} is not a whole checkpoint: {missing[0]} is missing{hint}.")


def _read_json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file} is not readable JSON ({error}); the checkpoint is damaged.") from error


def _load_weights(model: MMNER, file: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = unpack(load_file(file))
    except (SafetensorError, OSError) as error:
        raise InputError(f"{file} is damaged or cut short ({error}); copy the checkpoint again.") from error
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
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise InputError(f"{file}: tensor {name} holds values that are not numbers; the checkpoint is damaged.")
    model.load_state_dict(state)
