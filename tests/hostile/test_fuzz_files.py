"""Whatever bytes a file holds, its reader returns something sound or raises an input error; executions are counted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.run.folder import EvaluationRun
from mmner_core.checkpoints.folder import load_checkpoint, read_checkpoint_json, tensor_shapes
from mmner_core.cli.tag_file import Rejects
from mmner_core.config import ModelConfig
from mmner_core.data import FORMATS, read_examples
from mmner_core.encoders.tokenizer import load_tokenizer
from mmner_core.errors import InputError
from mmner_core.presets import tiny
from tests.hostile.counting import count, examples
from tests.hostile.requests_file import rows_of
from tests.hostile.test_files import BINARY, CONLL, CONLLU, PLAIN
from tests.hostile.test_run_folders import VERSION, new_run, read_all, trust

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


SIGNS = (b"\n", b"\t", b"\0", b"\xff", b"{", b'"', b"[", b"-", b"9")


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Draw what is left of a file after some bytes were changed, taken out, put in, and its end was lost."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        new = draw(st.binary(max_size=4) | st.sampled_from(SIGNS))
        content[place : place + draw(st.integers(0, 4))] = new
    return bytes(content[: len(content) - draw(st.just(0) | st.integers(0, len(content)))])


def any_file(*samples: str | bytes) -> st.SearchStrategy[bytes]:
    """Draw any bytes, or a damaged sample."""
    wholes = [sample.encode() if isinstance(sample, str) else sample for sample in samples]
    return st.binary(max_size=60) | st.sampled_from(wholes).flatmap(damaged)


@contextmanager
def fuzzed(tmp_path_factory: pytest.TempPathFactory, name: str, content: bytes) -> Iterator[Path]:
    """Write a file; whatever refuses it says its name, in one line."""
    file = tmp_path_factory.getbasetemp() / name
    file.write_bytes(content)
    try:
        yield file
    except InputError as error:
        assert str(file) in str(error)
        assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize("fmt", ["auto", *FORMATS])
@examples(100)
@given(content=any_file(PLAIN, CONLL, CONLLU, *(whole[:200] for whole in BINARY.values())))
def test_data_file(tmp_path_factory: pytest.TempPathFactory, fmt: str, content: bytes) -> None:
    """Sentences with a legal tag for every word, or a sentence that names the file."""
    count(f"data files read as {fmt}")
    with fuzzed(tmp_path_factory, "fuzzed.txt", content) as file:
        examples, report = read_examples(file, fmt=fmt)
        assert report.sentences == len(examples) > 0
        assert all(e.tags is not None and len(e.tags) == len(e.words) > 0 and all(e.words) for e in examples)


lines_of_json = st.lists(json_values.map(json.dumps), max_size=3).map("\n".join).map(str.encode)
REQUESTS = '{"text": "Jordan \\ud83d", "image": "a.png", "lang": "en", "id": 1}\n{"text": "Paris"}\n'


@examples(200)
@given(content=any_file(REQUESTS) | lines_of_json)
def test_lines_of_json(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Requests with a text, or a sentence that names file and line."""
    count("files of JSON lines")
    with fuzzed(tmp_path_factory, "fuzzed.jsonl", content) as file:
        rows = list(rows_of(file, Rejects(skip=False)))
        assert all(row.request.text.strip() for row in rows)


def places(record: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in a JSON record."""
    items = record.items() if isinstance(record, dict) else enumerate(record) if isinstance(record, list) else ()
    return [path, *(place for key, value in items for place in places(value, (*path, key)))]


CONFIG = json.loads(json.dumps(tiny().to_dict()))


@examples(200)
@given(place=st.sampled_from(places(CONFIG)), value=json_values)
def test_config(place: tuple[Any, ...], value: object) -> None:
    """A config with any value anywhere is read, written and read again the same, or refused by the field's name."""
    count("configs")
    record: Any = json.loads(json.dumps(CONFIG))
    parent = record
    for key in place[:-1]:
        parent = parent[key]
    if place:
        parent[place[-1]] = value
    else:
        record = value
    try:
        config = ModelConfig.from_dict(record)
    except InputError:
        return
    again = ModelConfig.from_dict(json.loads(json.dumps(config.to_dict())))
    assert json.dumps(again.to_dict()) == json.dumps(config.to_dict())


@examples(150)
@given(data=st.data())
def test_weights(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Shapes, or a sentence that names the file."""
    count("headers of weights")
    whole = (tiny_checkpoint / "model.safetensors").read_bytes()
    file = tmp_path_factory.getbasetemp() / "fuzzed.safetensors"
    file.write_bytes(data.draw(damaged(whole[:4000])) + whole[4000:])
    try:
        tensor_shapes(file)
    except InputError as error:
        assert str(file) in str(error)


@examples(20)
@given(data=st.data())
def test_checkpoint(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """A checkpoint with one damaged file is loaded or refused."""
    count("checkpoints")
    folder = tmp_path_factory.getbasetemp() / "fuzzed"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(tiny_checkpoint, folder)
    names = ["model.safetensors", "config.json", "labels.json", "tokenizer.json", "metrics.json", "provenance.json"]
    file = folder / data.draw(st.sampled_from(names))
    file.write_bytes(data.draw(damaged(file.read_bytes())))
    try:
        load_checkpoint(folder)
    except InputError as error:
        assert str(folder) in str(error)


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json"])
@examples(50)
@given(data=st.data())
def test_tokenizer(
    tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    """A tokenizer, or a sentence."""
    count("tokenizers")
    folder = tmp_path_factory.getbasetemp() / "fuzzed-tokenizer"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for file in tiny_checkpoint.glob("*token*"):
        shutil.copyfile(file, folder / file.name)
    (folder / name).write_bytes(data.draw(damaged((tiny_checkpoint / name).read_bytes())))
    try:
        load_tokenizer(folder)
    except InputError as error:
        assert str(folder) in str(error)


@examples(100)
@given(content=any_file('{"files": {"a": "b"}, "x": [1.5, null]}') | lines_of_json)
def test_json(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """A value, or a sentence that names the file."""
    count("JSON files")
    file = tmp_path_factory.getbasetemp() / "fuzzed.json"
    file.write_bytes(content)
    try:
        read_checkpoint_json(file)
    except InputError as error:
        assert str(file) in str(error)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a whole run."""
    return new_run(tmp_path_factory.mktemp("run") / "run")


@examples(60)
@given(data=st.data())
def test_run_folder(run: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """A run with one damaged file, its digest made to fit or not, is read to the last value or refused."""
    count("run folders")
    folder = tmp_path_factory.getbasetemp() / "fuzzed-run"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(run, folder)
    file = folder / data.draw(st.sampled_from(sorted(path.name for path in run.iterdir())))
    file.write_bytes(data.draw(damaged(file.read_bytes())))
    if data.draw(st.booleans()) and file.name != "provenance.json":
        trust(folder)
    try:
        read_all(folder)
    except InputError as error:
        assert str(folder) in str(error)


@examples(50)
@given(data=st.data())
def test_made_up_run(run: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Columns dropped, swapped, or of another row: read or refused, with every digest right."""
    count("made-up predictions tables")
    folder = tmp_path_factory.getbasetemp() / "made-up-run"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(run, folder)
    table = pq.read_table(run / "predictions.parquet")
    for _ in range(data.draw(st.integers(1, 3))):
        name, other = (data.draw(st.sampled_from(table.column_names)) for _ in range(2))
        place = table.column_names.index(name)
        if data.draw(st.booleans()) and table.num_columns > 1:
            table = table.remove_column(place)
        else:
            column = table[other].combine_chunks()
            table = table.set_column(place, name, column.take([1, 0]) if data.draw(st.booleans()) else column)
    pq.write_table(table.replace_schema_metadata(VERSION), folder / "predictions.parquet")
    trust(folder)
    try:
        EvaluationRun.open(folder).answers()
    except InputError as error:
        assert str(folder) in str(error) or "no image condition" in str(error)
