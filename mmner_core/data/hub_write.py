"""Write sentences as a data set of Hugging Face ``datasets``: one Parquet file, or the folder of ``save_to_disk``."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mmner_core.data.example import Example
from mmner_core.errors import InputError
from mmner_core.labels import LabelSet
from mmner_core.runtime.atomic import atomic_folder, atomic_write, would_replace

if TYPE_CHECKING:
    from datasets import Features

Kind = Literal["parquet", "disk"]
KINDS: tuple[Kind, ...] = ("parquet", "disk")
_BATCH = 500


def write_dataset(
    target: Path, read: Callable[[], Iterable[Example]], *, kind: Kind, embed: bool, overwrite: bool = False
) -> int:
    """Write sentences with columns words, tags, lang and image; the target appears complete or not at all.

    Args:
        target: file or folder.
        read: returns the sentences anew each time; they are read twice, first to learn the labels.
        kind: "parquet" or "disk".
        embed: put the photos themselves in; otherwise only what the data calls them.
        overwrite: replace the target if it exists.

    Returns:
        how many sentences name a photo that is not there.

    Raises:
        InputError: if the target exists and ``overwrite`` is off, or cannot be written.
    """
    if would_replace(target) and not overwrite:
        raise InputError(f"{target} exists; choose another name or ask to overwrite it.")
    features = _features(read(), embed=embed)
    if kind == "disk":
        with atomic_folder(target, what="the data set") as folder, tempfile.TemporaryDirectory(dir=folder) as work:
            parquet = Path(work) / "train.parquet"
            missing = _write_parquet(parquet, read(), features, embed=embed)
            _save(parquet, folder)
        return missing
    try:
        with atomic_write(target) as parquet:
            return _write_parquet(parquet, read(), features, embed=embed)
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error.strerror or error}.") from error


def _features(examples: Iterable[Example], *, embed: bool) -> Features:
    """Return the columns: class labels for the tags there are, languages and images only where there are any."""
    from datasets import ClassLabel, Features, Image, List, Value

    tags: set[str] = set()
    languages = images = False
    for example in examples:
        tags.update(example.tags or ())
        languages = languages or example.language is not None
        images = images or example.image_id is not None
    names = list(LabelSet.from_tags(sorted(tags)).tags)
    columns: dict[str, Any] = {"words": List(Value("string")), "tags": List(ClassLabel(names=names))}
    if languages:
        columns["lang"] = Value("string")
    if images:
        columns["image"] = Image() if embed else Value("string")
    return Features(columns)


def _write_parquet(file: Path, examples: Iterable[Example], features: Features, *, embed: bool) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = features.arrow_schema  # carries the features, so that the library knows the labels again
    number = {name: i for i, name in enumerate(features["tags"].feature.names)}
    missing = 0
    rows: Iterator[Example] = iter(examples)
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        while batch := list(islice(rows, _BATCH)):
            records = []
            for example in batch:
                image = _image(example) if embed else example.image_id
                missing += embed and image is None and example.image_id is not None
                tags = None if example.tags is None else [number[tag] for tag in example.tags]
                record = {"words": example.words, "tags": tags, "lang": example.language, "image": image}
                records.append({name: record[name] for name in features})
            writer.write_batch(pa.RecordBatch.from_pylist(records, schema))
    return missing


def _image(example: Example) -> dict[str, Any] | None:
    if example.image is None or not example.image.is_file():
        return None
    return {"bytes": example.image.read_bytes(), "path": example.image.name}


def _save(parquet: Path, folder: Path) -> None:
    """Let the library turn a Parquet file into the files of its own folder."""
    from datasets import Dataset, disable_progress_bars

    disable_progress_bars()
    Dataset.from_parquet(str(parquet), cache_dir=str(parquet.parent / "cache")).save_to_disk(str(folder))
