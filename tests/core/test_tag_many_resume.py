"""Stop a large job anywhere and go on: no row lost, none repeated, and never a mixture of two jobs."""

from __future__ import annotations

import fcntl
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mmner_core.errors import InputError
from tests.core import large_jobs
from tests.told import refused

REPOSITORY = Path(__file__).parents[2]


def command(checkpoint: Path, source: Path, output: Path, *more: str) -> list[str]:
    """Return the command line of a job."""
    paths = ("--input", str(source), "--output", str(output), "--checkpoint", str(checkpoint))
    return [sys.executable, "-m", "mmner_core", "tag-many", *paths, *more]


def contents(output: Path) -> dict[str, bytes]:
    """Return every file of results by its name."""
    return {str(p.relative_to(output)): p.read_bytes() for p in sorted(output.glob("*/*")) if p.is_file()}


def assert_same_rows(ours: Path, theirs: Path) -> None:
    """Compare two outputs: all equal, but confidences only nearly, as the number of threads changes the last digits."""
    assert large_jobs.rejected(ours) == large_jobs.rejected(theirs)
    for row, other in zip(large_jobs.tagged(ours), large_jobs.tagged(theirs), strict=True):
        for name, same in zip(row.pop("entities"), other.pop("entities"), strict=True):
            assert name["confidence"] == pytest.approx(same["confidence"], abs=0.01)
            assert (name["text"], name["type"], name["start"]) == (same["text"], same["type"], same["start"])
        assert row == other


@pytest.mark.slow
def test_a_killed_job_goes_on_to_the_same_result(person_checkpoint: Path, tmp_path: Path) -> None:
    """Killed without warning in the middle, the same command ends with what one run writes, row for row."""
    source = large_jobs.write_jsonl(
        tmp_path / "in.jsonl",
        [
            {**row, "text": "?"} if i % 50 == 3 else row | {"lang": ["en", "xx"][i % 9 == 4]}
            for i, row in enumerate(large_jobs.rows(480))
        ],
    )
    large_jobs.tag(person_checkpoint, source, tmp_path / "whole", shard_rows=8)
    cut = tmp_path / "cut"
    run = command(person_checkpoint, source, cut, "--shard-rows", "8")
    with subprocess.Popen(run, cwd=REPOSITORY, stderr=subprocess.PIPE) as process:
        while len(list(cut.glob("tagged/part-*.parquet"))) < 3 and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    done = len(list(cut.glob("tagged/part-*.parquet")))
    assert process.returncode == -signal.SIGKILL
    assert 3 <= done < 60, "the run must be killed in the middle for this test to say anything"
    outcome = large_jobs.tag(person_checkpoint, source, cut, shard_rows=8)
    assert outcome.earlier == 8 * done
    assert contents(cut).keys() == contents(tmp_path / "whole").keys()
    assert_same_rows(cut, tmp_path / "whole")
    numbers = [row["row"] for row in large_jobs.tagged(cut) + large_jobs.rejected(cut)]
    assert sorted(numbers) == list(range(480))


@pytest.mark.slow
def test_a_damaged_or_lost_shard_is_done_again(person_checkpoint: Path, tmp_path: Path) -> None:
    """A file cut short, one removed, and rejected rows lost are made good; what is whole is left alone."""
    records = [row | {"image": "gone.png" if i == 12 else None} for i, row in enumerate(large_jobs.rows(40))]
    source = large_jobs.write_parquet(tmp_path / "in.parquet", records)
    output = tmp_path / "out"
    large_jobs.tag(person_checkpoint, source, output, shard_rows=10)
    before = contents(output)
    parts = sorted((output / "tagged").iterdir())
    parts[0].write_bytes(parts[0].read_bytes()[:-9])
    (output / "rejected" / "part-00001.jsonl").unlink()
    parts[2].unlink()
    (output / "tagged" / ".part-00002.parquet.x.part").write_bytes(b"half written")
    untouched = parts[3].stat().st_mtime_ns
    assert large_jobs.tag(person_checkpoint, source, output, shard_rows=10).earlier == 10
    assert contents(output) == before
    assert parts[3].stat().st_mtime_ns == untouched


def test_a_finished_job_has_nothing_left_to_do(person_checkpoint: Path, tmp_path: Path) -> None:
    """The same command again counts the results and stops, without loading the model."""
    source = large_jobs.write_jsonl(tmp_path / "in.jsonl", large_jobs.rows(12))
    large_jobs.tag(person_checkpoint, source, tmp_path / "out", shard_rows=5)
    again = large_jobs.tag(person_checkpoint, source, tmp_path / "out", shard_rows=5)
    assert (again.tagged, again.earlier, again.seconds) == (12, 12, 0.0)


CHANGES: list[tuple[str, dict[str, Any], str]] = [
    ("a changed row", {}, "in.jsonl changed"),
    ("a new file", {}, "more.jsonl was added"),
    ("another language", {"lang": "fr"}, "lang was None and is fr"),
    ("other shards", {"shard_rows": 7}, "shard-rows was 5 and is 7"),
    ("no comparison", {"compare": False}, "compare was True and is False"),
]


@pytest.mark.parametrize(("change", "options", "message"), CHANGES, ids=[name for name, *_ in CHANGES])
def test_another_job_is_refused(
    person_checkpoint: Path, tmp_path: Path, change: str, options: dict[str, Any], message: str
) -> None:
    """Results of two inputs or settings never mix: one sentence says what changed, and nothing is touched."""
    folder = tmp_path / "in"
    folder.mkdir()
    large_jobs.write_jsonl(folder / "in.jsonl", large_jobs.rows(6))
    large_jobs.tag(person_checkpoint, folder, tmp_path / "out", shard_rows=5)
    before = contents(tmp_path / "out")
    if change == "a changed row":
        large_jobs.write_jsonl(folder / "in.jsonl", large_jobs.rows(5) + [{"text": "other"}])
    if change == "a new file":
        large_jobs.write_jsonl(folder / "more.jsonl", large_jobs.rows(1))
    with pytest.raises(InputError, match="begun with something else") as error:
        large_jobs.tag(person_checkpoint, folder, tmp_path / "out", **{"shard_rows": 5, **options})
    assert message in str(error.value)
    assert contents(tmp_path / "out") == before


def test_another_checkpoint_is_refused(person_checkpoint: Path, tiny_checkpoint: Path, tmp_path: Path) -> None:
    """Half a job by one model and half by another would be worth nothing."""
    source = large_jobs.write_jsonl(tmp_path / "in.jsonl", large_jobs.rows(2))
    large_jobs.tag(person_checkpoint, source, tmp_path / "out")
    with refused("checkpoint", "was", "is"):
        large_jobs.tag(tiny_checkpoint, source, tmp_path / "out")


def test_a_job_killed_before_it_was_written_down_begins_anew(person_checkpoint: Path, tmp_path: Path) -> None:
    """What such a run leaves behind is not taken for somebody else's file."""
    source = large_jobs.write_jsonl(tmp_path / "in.jsonl", large_jobs.rows(2))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".job.json.0123456789abcdef.part").write_text('{"inp')
    assert large_jobs.tag(person_checkpoint, source, tmp_path / "out").tagged == 2


def test_a_job_file_nested_without_end_is_one_sentence(person_checkpoint: Path, tmp_path: Path) -> None:
    """Even what no parser can hold is called damaged."""
    source = large_jobs.write_jsonl(tmp_path / "in.jsonl", large_jobs.rows(2))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "job.json").write_text("[" * 100_000)
    with refused("job.json"):
        large_jobs.tag(person_checkpoint, source, tmp_path / "out")


def test_the_output_must_be_the_jobs_own(person_checkpoint: Path, tmp_path: Path) -> None:
    """A folder with other files is not written to, nor one that another run is writing to."""
    source = large_jobs.write_jsonl(tmp_path / "in.jsonl", large_jobs.rows(2))
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "mine.txt").touch()
    with refused("mine.txt"):
        large_jobs.tag(person_checkpoint, source, tmp_path / "photos")
    (tmp_path / "busy").mkdir()
    with (tmp_path / "busy" / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="Another run is writing"):
            large_jobs.tag(person_checkpoint, source, tmp_path / "busy")


def test_rows_are_read_from_any_place_on(tmp_path: Path) -> None:
    """Wherever a shard begins and ends, in whatever format and row groups, it has the rows that are there."""
    from datasets import Dataset

    from mmner_core.large_jobs.inputs import scan
    from mmner_core.large_jobs.row_stream import Place, iter_records

    records = [{"id": i, "text": f"Jordan {i} é"} for i in range(23)]
    jsonl = large_jobs.write_jsonl(tmp_path / "a.jsonl", records)
    jsonl.write_text(jsonl.read_text(encoding="utf-8").replace("\n", "\r\n\n \n"), encoding="utf-8")
    parquet = large_jobs.write_parquet(tmp_path / "b.parquet", records, row_group_size=4)
    Dataset.from_list(records).save_to_disk(tmp_path / "disk")
    for path in (jsonl, parquet, next((tmp_path / "disk").glob("*.arrow"))):
        starts = scan(path, path.name, 1).places
        assert [place.row for place in starts] == list(range(23))
        for start in (*starts, Place(0)):
            found = [(r.row, r.values["id"]) for r in iter_records(path, start, min(start.row + 6, 23))]
            assert found == [(i, i) for i in range(start.row, min(start.row + 6, 23))]


@pytest.mark.slow
def test_ray_writes_and_resumes_the_same(person_checkpoint: Path, tmp_path: Path) -> None:
    """Two actors finish what one process began; the result is the same, row for row."""
    records = [row | {"image": "../x" if i % 11 == 5 else None} for i, row in enumerate(large_jobs.rows(60))]
    source = large_jobs.write_parquet(tmp_path / "in.parquet", records)
    large_jobs.tag(person_checkpoint, source, tmp_path / "whole", shard_rows=10)
    shutil.copytree(tmp_path / "whole", tmp_path / "out")
    for index in (0, 1, 3, 4):
        (tmp_path / "out" / "tagged" / f"part-{index:05}.parquet").unlink()
        (tmp_path / "out" / "rejected" / f"part-{index:05}.jsonl").unlink(missing_ok=True)
    run = command(
        person_checkpoint, source, tmp_path / "out", "--shard-rows", "10", "--engine", "ray", "--workers", "2"
    )
    result = subprocess.run(run, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "Going on: 20 of 60 rows were done before." in result.stderr
    assert_same_rows(tmp_path / "out", tmp_path / "whole")


def test_an_actor_hands_back_the_users_mistake(person_checkpoint: Path, tmp_path: Path) -> None:
    """A damaged table is told in the same sentence by a worker far away, whose exceptions arrive only as tracebacks."""
    import numpy as np

    from mmner_core.large_jobs.cluster import ShardTagger
    from mmner_core.large_jobs.row_requests import Defaults

    source = large_jobs.write_parquet(tmp_path / "in.parquet", large_jobs.rows(9))
    damaged = bytearray(source.read_bytes())
    damaged[4:60] = b"\xff" * 56
    source.write_bytes(damaged)
    (tmp_path / "tagged").mkdir()
    shard = {"index": 0, "path": str(source), "name": "in.parquet", "stop": 9, "row": 0, "offset": 0, "line": 1}
    batch = {column: np.array([value]) for column, value in shard.items()}
    settings = {"output": tmp_path, "job": "", "compare": True}
    for checkpoint, message in (
        (person_checkpoint, "the rows from 0 on cannot be read"),
        (tmp_path, "is not a whole checkpoint"),
    ):
        answer = ShardTagger(str(checkpoint), Defaults(images=tmp_path), settings)(batch)
        assert message in answer["problem"][0]
        assert answer["tagged"][0] == 0
