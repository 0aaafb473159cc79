"""Tables of large jobs and data sets, damaged, claiming what they have not, or with rows too big for the memory."""

from __future__ import annotations

import io
import json
import math
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mmner_core.data.embedded import CACHE_FOLDER, cache_folder, unpack_image
from mmner_core.data.example import Example
from mmner_core.data.hub import find_splits, iter_dataset
from mmner_core.data.hub_write import Kind, write_dataset
from mmner_core.data.report import ReadReport
from mmner_core.errors import InputError
from mmner_core.large_jobs import row_stream, tagging
from mmner_core.large_jobs.inputs import scan
from mmner_core.large_jobs.row_requests import Defaults, row_id, to_request
from mmner_core.large_jobs.row_stream import Place, Record, iter_records
from mmner_core.large_jobs.tagging import windows
from tests.hostile.counting import count, examples
from tests.hostile.test_fuzz_files import REQUESTS, any_file, damaged, fuzzed, json_values, lines_of_json
from tests.told import refused

ROWS = [
    {"id": i, "text": f"Ada in Berlin {i}", "image": {"bytes": b"\x89PNG" + bytes(40), "path": "a.png"}, "lang": "en",
     "words": ["Ada", "in"] if i % 2 else None}
    for i in range(8)
]  # fmt: skip
EVERY = 5
DEFAULTS = Defaults(images=Path("/photos"))


@cache
def whole(suffix: str) -> bytes:
    """Return an undamaged table."""
    table, file = pa.Table.from_pylist(ROWS), io.BytesIO()
    if suffix == ".parquet":
        pq.write_table(table, file, row_group_size=EVERY)
    else:
        write_stream(file, table)
    return file.getvalue()


def write_stream(file: Any, table: pa.Table) -> None:
    """Write what ``save_to_disk`` of Hugging Face ``datasets`` writes."""
    with pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table, max_chunksize=EVERY)


def read(file: Path) -> list[Record]:
    """Read every shard of a file; each row is a request, or has a reason why not, and is written down as it is."""
    found: list[Record] = []
    scanned = scan(file, file.name, EVERY)
    for place in scanned.places:
        for record in iter_records(file, place, min(place.row + EVERY, scanned.file.rows)):
            check(record)
            found.append(record)
    return found


def check(record: Record) -> None:
    """Turn a row into a request, or set it aside with one sentence."""
    identity = row_id(record)
    assert identity is None or identity.encode() is not None
    try:
        request = to_request(record, DEFAULTS)
    except InputError as error:
        assert len(str(error).splitlines()) == 1
        return
    assert request.text.encode() is not None
    assert request.words is None or request.text == " ".join(word.text for word in request.words)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
@examples(100)
@given(data=st.data())
def test_table(tmp_path_factory: pytest.TempPathFactory, suffix: str, data: st.DataObject) -> None:
    """Rows, or one sentence that names the file."""
    count(f"{suffix} tables of a large job")
    with fuzzed(tmp_path_factory, f"fuzzed{suffix}", data.draw(any_file(whole(suffix)))) as file:
        read(file)


@examples(150)
@given(content=any_file(REQUESTS) | lines_of_json)
def test_lines(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """As many rows as lines that are not blank, or one sentence that names the file."""
    count("JSONL of a large job")
    with fuzzed(tmp_path_factory, "fuzzed-job.jsonl", content) as file:
        assert len(read(file)) == sum(1 for line in content.split(b"\n") if line.strip())


cells = json_values | st.binary(max_size=5) | st.text(st.characters(), max_size=5)


@examples(200)
@given(st.dictionaries(st.sampled_from(["id", "text", "words", "image", "lang", "convention"]), cells))
def test_row_of_any_types(values: dict[str, Any]) -> None:
    """Whatever stands in the columns, the row is a request or is set aside, and what is set aside is JSON."""
    count("rows of any types")
    check(Record(row=0, values=values))


@pytest.fixture(scope="module", params=["parquet", "disk"])
def data_set(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a data set with class labels and embedded photos."""
    folder = tmp_path_factory.mktemp("data-set")
    Image.new("RGB", (8, 8)).save(folder / "a.png")
    tags = ("B-PER", "O", "B-LOC")
    example = Example(
        words=("Ada", "in", "Berlin"), tags=tags, language="en", image_id="a.png", image=folder / "a.png", where=""
    )
    kind: Kind = request.param
    target = folder / ("train.parquet" if kind == "parquet" else "saved")
    write_dataset(target, lambda: [example] * 6, kind=kind, embed=True)
    return target


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unpack photos into a folder of the test."""
    monkeypatch.setenv(CACHE_FOLDER, str(tmp_path / "cache"))


def read_data_set(path: Path) -> list[Example]:
    """Read every split."""
    found = [example for part in find_splits(path) for example, _ in iter_dataset(path, part.name, ReadReport())]
    assert all(len(example.words) == len(example.tags or example.words) for example in found)
    return found


@pytest.mark.usefixtures("photos")
@examples(40)
@given(data=st.data())
def test_data_set(data_set: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Sentences, or one sentence that names the data set."""
    count("data sets of Hugging Face datasets")
    copy = tmp_path_factory.getbasetemp() / f"fuzzed-{data_set.name}"
    if data_set.is_file():
        files = [shutil.copyfile(data_set, copy)]
    else:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(data_set, copy)
        files = sorted(file for file in copy.rglob("*") if file.is_file())
    file = data.draw(st.sampled_from(files))
    file.write_bytes(data.draw(damaged(file.read_bytes())))
    try:
        read_data_set(copy)
    except InputError as error:
        assert str(copy) in str(error)
        assert len(str(error).splitlines()) == 1


@pytest.mark.usefixtures("photos")
@examples(100)
@given(content=st.binary(max_size=20), name=st.none() | st.text(max_size=8) | st.just("../a.png\0") | st.just("/b.JPG"))
def test_embedded_photo(content: bytes, name: str | None) -> None:
    """Whatever a table calls it, it lies in the folder of unpacked photos, whole."""
    count("embedded photos")
    file = unpack_image(content, name)
    assert file.read_bytes() == content
    assert file.parent.parent == cache_folder()


def led_astray(stream: bytes) -> bytes:
    """Change an offset of the texts, so that the second begins 16 MB behind the file."""
    offsets = b"".join((15 * i).to_bytes(4, "little") for i in range(3))
    place = stream.index(offsets) + 6
    return stream[:place] + b"\x01" + stream[place + 1 :]


def test_offsets_that_lead_outside(tmp_path: Path) -> None:
    """An Arrow file has no checksum: what would be read from anywhere in the memory is refused."""
    file = tmp_path / "astray.arrow"
    file.write_bytes(led_astray(whole(".arrow")))
    with refused("rows from 0", "Offset"):
        read(file)


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize("data_set", ["disk"], indirect=True)
def test_offsets_of_a_data_set_that_lead_outside(data_set: Path, tmp_path: Path) -> None:
    """As well in what ``save_to_disk`` wrote."""
    assert len(read_data_set(data_set)) == 6
    copy = shutil.copytree(data_set, tmp_path / "saved")
    (file,) = copy.rglob("*.arrow")
    languages = b"".join((2 * i).to_bytes(4, "little") for i in range(5))
    content = file.read_bytes()
    place = content.index(languages) + 7
    file.write_bytes(content[:place] + b"\x01" + content[place + 1 :])
    with pytest.raises(InputError, match="Offset"):
        read_data_set(copy)


def test_more_rows_than_a_file_can_hold(tmp_path: Path) -> None:
    """A file of some hundred bytes that claims a billion rows is refused before anything is planned for them."""
    file = tmp_path / "claims.arrow"
    write_claim = pa.RecordBatch.from_arrays([pa.nulls(10**9)], names=["text"])
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, write_claim.schema) as stream:
        stream.write_batch(write_claim)
    with refused("1,000,000,000 rows"):
        scan(file, file.name, EVERY)


def test_names_of_columns_that_are_no_text(tmp_path: Path) -> None:
    """They are damage like any other."""
    file = tmp_path / "names.arrow"
    file.write_bytes(whole(".arrow").replace(b"lang", b"l\xffng"))
    with pytest.raises(InputError, match="damaged"):
        read(file)


def test_what_a_library_says_in_many_lines_is_one(tmp_path: Path) -> None:
    """The sentence about a damaged Parquet file stays a sentence."""
    content = whole(".parquet")
    file = tmp_path / "footer.parquet"
    footer = int.from_bytes(content[-8:-4], "little")
    file.write_bytes(content[: -8 - footer] + b"\xff" * footer + content[-8:])
    with pytest.raises(InputError, match="footer.parquet") as told:
        scan(file, file.name, EVERY)
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_big_rows_are_read_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    """So that a table of photos of many megabytes takes no more memory than one of small ones."""
    monkeypatch.setattr(row_stream, "READ_BYTES", 1_000_000)
    monkeypatch.setattr(tagging, "WINDOW_BYTES", 1_000_000)
    size, rows = 200_000, 60
    table = pa.table({"text": ["Ada"] * rows, "image": [bytes([i]) * size for i in range(rows)]})
    file = tmp_path / f"big{suffix}"
    if suffix == ".parquet":
        pq.write_table(table, file, use_dictionary=False, write_batch_size=1)  # or all rows are one page
    else:
        write_stream(file, table)
    del table
    before, most = pa.total_allocated_bytes(), 0.0
    lengths = []
    for window in windows(iter_records(file, Place(0), rows)):
        lengths.append(len(window))
        most = max(most, pa.total_allocated_bytes() - before)
    assert lengths == [math.ceil(1_000_000 / (size + 3))] * 12
    assert most < 3_000_000


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ({"words": ["Ada in Berlin"]}, ["words", "str"]),
        ({"words": [["Ada"]], "image": [{"bytes": "x", "path": "a"}]}, ["image", "bytes", "path"]),
    ],
)
def test_columns_of_other_types(tmp_path: Path, columns: dict[str, Any], named: list[str]) -> None:
    """A text in place of words is not taken apart into its letters."""
    file = tmp_path / "train.parquet"
    pq.write_table(pa.table(columns), file)
    with refused(*named):
        read_data_set(file)


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize(("language", "tag"), [(-1, 0), (7, 0), (0, -1), (0, 9), (0, None)])
def test_labels_that_no_class_has(tmp_path: Path, language: int, tag: int | None) -> None:
    """A number below nought is not counted from the end, and one that is missing is no label."""
    from datasets import ClassLabel, Features, List, Value

    features = Features({"words": List(Value("string")), "tags": List(ClassLabel(names=["O", "B-PER"])),
                         "lang": ClassLabel(names=["en", "fr"])})  # fmt: skip
    table = pa.Table.from_pylist([{"words": ["Ada"], "tags": [tag], "lang": language}], features.arrow_schema)
    file = tmp_path / "train.parquet"
    pq.write_table(table, file)
    with refused("2 class labels"):
        read_data_set(file)


def test_names_of_many_columns_are_not_all_told(tmp_path: Path) -> None:
    """Nor does one that holds line breaks break the sentence."""
    file = tmp_path / "names.parquet"
    pq.write_table(pa.table({"a\nb": [1], "c" * 100: [1]} | {f"x{i}": [1] for i in range(1000)}), file)
    with pytest.raises(InputError, match=r"its columns: 'a\\nb', 'c{40}', x0, .*x9, and 990 more\)") as told:
        scan(file, file.name, EVERY)
    assert len(str(told.value).splitlines()) == 1


def test_rows_set_aside_are_json(tmp_path: Path) -> None:
    """A line of any kind is kept with its reason."""
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b'{"text": "Ada"}\n\xff\xfe\n[1]\n{"text": NaN}\n')
    problems = [record.problem for record in read(file)]
    assert [problem is None for problem in problems] == [True, False, False, True]
    assert json.loads(json.dumps(problems)) == problems
