"""Run folders half written, damaged or made up: one sentence, and the other runs are shown all the same."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.evaluation.shard_store import ShardStore
from analysis.evaluation.writer import write_run
from analysis.run.folder import EvaluationRun
from analysis.run.lexicon import Lexicon
from analysis.views.research.library import RunLibrary
from mmner_core.errors import InputError
from mmner_core.runtime.digests import file_digest
from tests.analysis.small_run import small_table
from tests.hostile.disks import full_disk, read_only_disk
from tests.hostile.visitor import sentence

ROWS = [("Marie met Curie", "B-PER O B-PER", "B-PER O B-ORG"), ("nothing here", "O O", "O O")]
FILES = ("predictions.parquet", "provenance.json", "metrics.json")
VERSION = {b"mmner_run_version": b"1"}


def new_run(folder: Path, **options: Any) -> Path:
    """Write a small run with everything in it."""
    return write_run(
        folder,
        small_table(ROWS),
        metrics={"f1": 0.5},
        provenance={"command": "test"},
        lexicon=Lexicon(types={"Marie": frozenset({"PER"})}),
        embeddings={"text": np.eye(2, dtype=np.float16)},
        coordinates=pa.table({"x": [0.0]}),
        **options,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a whole run, to be damaged."""
    return new_run(tmp_path / "run")


def read_all(folder: Path) -> None:
    """Read whatever a run has."""
    run = EvaluationRun.open(folder)
    for condition in run.conditions:
        run.answers(condition)
    run.lexicon(), run.coordinates()
    for name in run.embedding_names():
        run.embedding(name)


def refused(folder: Path) -> str:
    """Read what must be refused; return the sentence, with the folder's name taken out."""
    with pytest.raises(InputError) as caught:
        read_all(folder)
    return sentence(caught.value).replace(str(folder), "FOLDER")


def trust(folder: Path) -> None:
    """Write down the digests anew, as someone would who makes up a run."""
    digests = {path.name: file_digest(path) for path in folder.iterdir() if path.name != "provenance.json"}
    (folder / "provenance.json").write_text(json.dumps({"files": digests}))


@pytest.mark.parametrize("missing", [[name] for name in FILES] + [list(FILES[:2]), list(FILES)], ids=" and ".join)
def test_half_written(folder: Path, missing: list[str]) -> None:
    """The file that is missing is named, and what to do."""
    for name in missing:
        (folder / name).unlink()
    assert "no run, or half written; write it anew." in refused(folder)


@pytest.mark.parametrize("name", [*FILES, "lexicon.parquet", "embeddings.safetensors", "coordinates.parquet"])
@pytest.mark.parametrize(
    "damage",
    [lambda content: b"", lambda content: content[: len(content) // 2], lambda content: content + b"x",
     lambda content: b"\0" * len(content), lambda content: b"\x80\x04cos\nsystem\n."],
    ids=["empty", "cut", "longer", "zeros", "pickle"],
)  # fmt: skip
def test_damaged_file(folder: Path, name: str, damage: Callable[[bytes], bytes]) -> None:
    """Each file is checked when it is read, and named."""
    (folder / name).write_bytes(damage((folder / name).read_bytes()))
    assert f"FOLDER/{name}" in refused(folder)


@pytest.mark.parametrize("name", FILES)
def test_folder_in_place_of_a_file(folder: Path, name: str) -> None:
    """It is no run."""
    (folder / name).unlink()
    (folder / name).mkdir()
    assert "half written" in refused(folder)


@pytest.mark.parametrize("name", ["metrics.json", "provenance.json"])
@pytest.mark.parametrize("content", ["[]", "null", "7", '"x"', "{", "[" * 100_000, "\ud800"], ids=range(7))
def test_json_that_is_no_object(folder: Path, name: str, content: str) -> None:
    """A list, a number, half an object, an endless nest."""
    (folder / name).write_bytes(content.encode("utf-8", "surrogatepass"))
    if name == "metrics.json":
        trust(folder)
    assert f"FOLDER/{name}" in refused(folder)


@pytest.mark.parametrize(
    "files", [None, [], "x", {}, {"predictions.parquet": 7}, {"predictions.parquet": None}], ids=str
)
def test_digests_that_are_none(folder: Path, files: object) -> None:
    """Without a digest of the table nothing says that it belongs here."""
    (folder / "provenance.json").write_text(json.dumps({"files": files}))
    assert "write the run anew." in refused(folder)


TABLES: dict[str, Callable[[pa.Table], pa.Table]] = {
    "no rows and no columns": lambda table: pa.table({}),
    "another table": lambda table: pa.table({"a": [1]}),
    "no condition": lambda table: table.drop_columns(["condition"]),
    "no words": lambda table: table.drop_columns(["words"]),
    "numbers for words": lambda table: table.set_column(5, "words", pa.array([[1], [2]])),
    "numbers for conditions": lambda table: table.set_column(9, "condition", pa.array([{"a": 1}, {"a": 2}])),
    "no condition's name": lambda table: table.set_column(9, "condition", pa.array([None, None], pa.string())),
    "fewer tags than words": lambda table: table.set_column(10, "tags", pa.array([["O"], ["O"]])),
    "tags that are none": lambda table: table.set_column(10, "tags", pa.array([["X", "Y", "Z"], ["O", "O"]])),
    "one sentence twice": lambda table: pa.concat_tables([table, table]),
    "a probability of 7": lambda table: table.set_column(12, "gold_span_confidence", pa.array([[7.0, 7.0], []])),
    "entities that are not the tags'": lambda table: table.set_column(
        11, "entities", pa.array([[], []], table.schema.field("entities").type)
    ),
}


@pytest.mark.parametrize("edit", TABLES.values(), ids=TABLES)
def test_made_up_table(folder: Path, edit: Callable[[pa.Table], pa.Table]) -> None:
    """A table that breaks the rules is refused even where its digest is right."""
    table = edit(pq.read_table(folder / FILES[0]))
    pq.write_table(table.replace_schema_metadata(VERSION), folder / FILES[0])
    trust(folder)
    assert f"FOLDER/{FILES[0]}" in refused(folder)


@pytest.mark.parametrize("version", [b"3", b"99999999999999999999", b"", b"one", b"-1", b"9" * 5000], ids=range(6))
def test_another_version(folder: Path, version: bytes) -> None:
    """A newer version is not guessed at; no version is no run."""
    table = pq.read_table(folder / FILES[0]).replace_schema_metadata({b"mmner_run_version": version})
    pq.write_table(table, folder / FILES[0])
    trust(folder)
    assert "this workbench reads up to 2" in (said := refused(folder)) or "is not the predictions table" in said


@pytest.mark.parametrize(
    "table",
    [pa.table({"a": [1]}), pa.table({"surface": [1], "types": [2]}), pa.table({"surface": [None], "types": [7]})],
)
def test_made_up_lexicon(folder: Path, table: pa.Table) -> None:
    """Other columns, other types."""
    pq.write_table(table, folder / "lexicon.parquet")
    trust(folder)
    assert "FOLDER/lexicon.parquet" in refused(folder)


def test_one_broken_run_among_good_ones(tmp_path: Path) -> None:
    """The list of runs and every whole one are shown; the broken one is told when it is chosen."""
    new_run(tmp_path / "good")
    shutil.copy(new_run(tmp_path / "broken") / FILES[1], tmp_path / "provenance.json")
    (tmp_path / "broken" / FILES[0]).write_bytes(b"")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    new_run(tmp_path / ".hidden.partial")
    library = RunLibrary([tmp_path])
    assert {"good", "broken"} <= library.paths().keys() and ".hidden.partial" not in library.paths()
    assert library.run("good").metrics == {"f1": 0.5}
    with pytest.raises(InputError, match=r"predictions\.parquet"):
        library.run("broken")


@pytest.mark.parametrize(
    "record", [b"", b"[]", b"7", b'{"files": []}', b'{"files": {"x": 1}}', b'{"files": {"../x": "0"}}', b"[" * 100_000]
)
def test_unfinished_parts_are_made_again(tmp_path: Path, record: bytes) -> None:
    """A part whose record is damaged does not count as finished; nothing breaks."""
    store = ShardStore.open(tmp_path / ".run.parts", {"job": 1}, 1)
    store.write(0, small_table(ROWS), {"text": np.eye(2)}, {})
    assert store.finished(0)
    (tmp_path / ".run.parts" / "part-00000.json").write_bytes(record)
    assert not store.finished(0)


def test_full_disk_leaves_the_old_run(tmp_path: Path) -> None:
    """Writing a run anew where there is no room for it: one sentence, the old run is whole, no half one stays."""
    with full_disk(tmp_path / "disk", room=100_000) as disk:
        new_run(disk / "run")
        vectors = {"text": np.random.default_rng(0).random((99, 999))}
        with pytest.raises(InputError) as caught:
            write_run(disk / "run", small_table(ROWS), metrics={}, provenance={}, embeddings=vectors, overwrite=True)
        assert "the run could not be written" in sentence(caught.value)
        read_all(disk / "run")
        assert EvaluationRun.open(disk / "run").metrics == {"f1": 0.5}
        assert [path.name for path in disk.iterdir()] == ["run"]


def test_full_disk_stops_tagging_with_a_sentence(tmp_path: Path) -> None:
    """What is finished stays, so that the same command goes on there."""
    with full_disk(tmp_path / "disk", room=100_000) as disk:
        store = ShardStore.open(disk / ".run.parts", {"job": 1}, 2)
        store.write(0, small_table(ROWS), {"text": np.eye(2)}, {})
        with pytest.raises(InputError) as caught:
            store.write(1, small_table(ROWS), {"text": np.random.default_rng(0).random((99, 999))}, {})
        assert "what is finished stays" in sentence(caught.value)
        assert store.finished(0) and not store.finished(1)


def test_read_only_folder(tmp_path: Path) -> None:
    """A run on it is shown; writing one there is told."""
    with read_only_disk(tmp_path / "disk", lambda disk: new_run(disk / "run")) as disk:
        read_all(disk / "run")
        with pytest.raises(InputError) as caught:
            new_run(disk / "new")
        assert "could not be written (Read-only file system)" in sentence(caught.value)
