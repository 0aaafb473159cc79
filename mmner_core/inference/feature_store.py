"""Stores image features or pixels on disk, by the digest of the image's file.

A store is a folder of safetensors shards, each written whole or not at all, so that a build may be killed at any moment
and goes on where it was; reading maps the shards into memory. Its name is a digest of all that its content depends on:
preprocessing, weights, number format. Whatever of these changes, another folder is filled.

Shapes: N images of a shard.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from mmner_core.config import ImageConfig
from mmner_core.errors import InputError
from mmner_core.runtime.atomic import atomic_write
from mmner_core.runtime.digests import file_digest

VERSION = 2
"""Of what is written and of the preprocessing's code; raise it when either changes."""
_PREPROCESSING = ("size", "crop_fraction", "stretch", "resized", "interpolation", "mean", "std")


class FeatureStore:
    """One tensor per image, of one encoder.

    Args:
        root: folder of all stores.
        kind: what is kept, such as "cnn"; the store's folder begins with it.
        depends_on: all that the content follows from, as plain data.
    """

    def __init__(self, root: Path, kind: str, depends_on: object) -> None:
        record = json.dumps([VERSION, kind, depends_on], sort_keys=True)
        self.folder = root / f"{kind}-{hashlib.sha256(record.encode()).hexdigest()[:16]}"
        self._shards: list[Tensor] = []
        self._rows: dict[str, tuple[int, int]] = {}
        for file in sorted(self.folder.glob("*.safetensors")):
            self._open(file)

    def __contains__(self, digest: object) -> bool:
        return digest in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, digests: Sequence[str], values: Tensor) -> None:
        """Write a shard of N images, [N, ...], whole or not at all."""
        from safetensors.torch import save_file

        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"{hashlib.sha256(' '.join(digests).encode()).hexdigest()[:16]}.safetensors"
        with atomic_write(file) as part:
            save_file({"values": values.contiguous()}, part, metadata={"digests": json.dumps(list(digests))})
        self._open(file)

    def read(self, digests: Sequence[str]) -> Tensor:
        """Return the images' tensors, [len(digests), ...], read from the disk where they are not in memory yet."""
        return torch.stack([self._shards[shard][row] for shard, row in map(self._rows.__getitem__, digests)])

    def _open(self, file: Path) -> None:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(file, framework="pt") as shard:
                digests = json.loads(shard.metadata()["digests"])
                values = shard.get_tensor("values")  # a view of the mapped file: pages come in as rows are read
        except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
            raise InputError(f"{file} is damaged ({error}); delete it, and it is computed again.") from error
        self._rows.update({digest: (len(self._shards), row) for row, digest in enumerate(digests)})
        self._shards.append(values)


def preprocessing_of(config: ImageConfig) -> dict[str, object]:
    """Return the settings that, with the photo, determine an encoder's pixels."""
    return {name: value for name, value in asdict(config).items() if name in _PREPROCESSING}


def weights_digest(network: nn.Module) -> str:
    """Return the SHA-256 of a network's weights and buffers, names and shapes included."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)};".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def digest_files(paths: Iterable[Path]) -> dict[Path, str]:
    """Return the SHA-256 of each file that can be read; the same image under two names has one digest."""
    ordered = list(paths)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        digests = pool.map(_digest_file, ordered)
        return {path: digest for path, digest in zip(ordered, digests, strict=True) if digest is not None}


def _digest_file(path: Path) -> str | None:
    try:
        return file_digest(path)
    except OSError:
        return None
