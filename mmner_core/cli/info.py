"""``info``: prints what a checkpoint's files say about it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from mmner_core.cli.options import Json
from mmner_core.cli.output import make_table, print_json, print_out
from mmner_core.runtime.repository import SHIPPED


def info(
    checkpoint: Annotated[Path, typer.Argument(help="Folder of the model.", show_default="checkpoints/mini")] = SHIPPED,
    json: Json = False,
) -> None:
    """Print a model's card and key facts: digest, sizes, labels, conventions, scores."""
    facts = describe_checkpoint(checkpoint)
    if json:
        print_json(facts)
        return
    weights = ", ".join(f"{part} {count / 1e6:.1f} million" for part, count in facts["parameters"].items())
    rows = [
        ("folder", facts["path"]),
        ("digest", facts["digest"]),
        ("size", f"{facts['bytes'] / 1e6:.1f} MB"),
        ("weights", weights),
        ("text encoder", facts["config"]["text"]["name"]),
        ("image encoders", ", ".join(facts["image_encoders"]) or "none"),
        ("types", ", ".join(facts["config"]["types"])),
        ("conventions", ", ".join(facts["config"]["conventions"]) or "one"),
    ]
    print_out(facts["card"].strip(), make_table(["Fact", ""], rows, numbers_from=2))


def describe_checkpoint(folder: Path) -> dict[str, Any]:
    """Read a checkpoint's facts without building the model.

    Raises:
        InputError: if the folder is not a whole checkpoint.
    """
    from mmner_core.checkpoints.folder import check_files, folder_digest, read_checkpoint_json, read_checkpoint_object
    from mmner_core.config import ModelConfig

    check_files(folder)
    record = read_checkpoint_json(folder / "config.json")
    config = ModelConfig.from_dict(record, str(folder / "config.json"))
    return {
        "path": str(folder),
        "digest": folder_digest(folder),
        "bytes": sum(file.stat().st_size for file in folder.iterdir() if file.is_file()),
        "parameters": _count_weights(folder),
        "labels": read_checkpoint_json(folder / "labels.json"),
        "image_encoders": [encoder.name for encoder in (config.vit, config.cnn) if encoder is not None],
        "metrics": read_checkpoint_object(folder / "metrics.json"),
        "provenance": read_checkpoint_object(folder / "provenance.json"),
        "config": record,
        "card": (folder / "README.md").read_text(encoding="utf-8", errors="replace"),
    }


def _count_weights(folder: Path) -> dict[str, int]:
    """Return how many weights each part of the model has, from the files' headers."""
    from math import prod

    from mmner_core.checkpoints.folder import tensor_shapes

    counts: Counter[str] = Counter()
    for name, shape in tensor_shapes(folder).items():
        counts[name.split(".", 1)[0]] += prod(shape)
    return dict(counts.most_common())
