"""Reads images and the types of what they show from a pair table.

Shapes: N photos, T types and one for mere objects.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mmner_core.errors import InputError

OBJECT = "object"
"""How the pair table notes a photo of a thing that has no name."""
MISLEADING = "misleading:"
_COLUMNS = {"id", "split", "type", "note"}


@dataclass(frozen=True, slots=True)
class TypedPhotos:
    """Photos of one split and what they show.

    Attributes:
        files: N files.
        targets: [N, T] probabilities; a photo that serves names of two types is half of each.
    """

    files: tuple[Path, ...]
    targets: Tensor


def read_typed_photos(table: Path, images: Path, split: str, types: Sequence[str]) -> TypedPhotos:
    """Read from a pair table what each photo of a split shows.

    Args:
        table: ``pairs.tsv`` with the columns id, split, type and note.
        images: folder of ``<id>.jpg``.
        split: rows of another split are not looked at.
        types: the model's types.

    Raises:
        InputError: if a column, a photo or a type is missing or unknown, or there is no row of the split.
    """
    shown: dict[str, Counter[str]] = {}
    classes = (*types, OBJECT)
    with table.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        if absent := _COLUMNS - set(rows.fieldnames or ()):
            raise InputError(f"{table}:1: no column {', '.join(sorted(absent))}; write the columns' names there.")
        for number, row in enumerate(rows, start=2):
            if row["split"] != split:
                continue
            what = row["note"].removeprefix(MISLEADING) if row["note"] else row["type"]
            if what not in classes:
                raise InputError(f"{table}:{number}: type {what!r} is none of {', '.join(classes)}; correct it.")
            shown.setdefault(row["id"], Counter())[what] += 1
    if not shown:
        raise InputError(f"{table} has no row of split {split!r}.")
    names = sorted(shown)
    counts = torch.tensor([[shown[name][c] for c in classes] for name in names], dtype=torch.float32)
    return TypedPhotos(tuple(images / f"{name}.jpg" for name in names), counts / counts.sum(1, keepdim=True))
