"""Pipes, devices and links in place of files: read once, written to, never replaced; and ends that are quiet."""

from __future__ import annotations

import functools
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner

from mmner_core.cli.main import app
from mmner_core.runtime.streams import STANDARD_OUTPUT, descriptor, is_stream
from tests.core.test_cli import PHOTO, REPOSITORY, TINY, call, parsed, refused
from tests.told import names

pytestmark = pytest.mark.slow  # starts the program again and again

SENTENCES = TINY / "en" / "test.txt"
LONG = "x" * 300
STOPPED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from mmner_core.cli.endings import prepare_process
from mmner_core.runtime.atomic import atomic_write
prepare_process()
with atomic_write(Path(sys.argv[1])) as part:
    part.write_text("half")
    os.kill(os.getpid(), signal.SIGTERM)
"""
CTRL_C = "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(10)\n"


def lines(n: int, **fields: Any) -> str:
    """Return JSONL with n texts."""
    return "".join(json.dumps({"text": f"Ada {i}", "lang": "en", **fields}) + "\n" for i in range(n))


def feed(fifo: Path, text: str) -> Thread:
    """Write to a named pipe, once, as the program before it does."""
    os.mkfifo(fifo)
    writer = Thread(target=fifo.write_text, args=(text,), daemon=True)
    writer.start()
    return writer


def drain(fifo: Path, into: list[bytes]) -> Thread:
    """Read a named pipe, as the program behind it does."""
    os.mkfifo(fifo)
    reader = Thread(target=lambda: into.append(fifo.read_bytes()), daemon=True)
    reader.start()
    return reader


def process(*arguments: object, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run the program in a process of its own."""
    command = [sys.executable, "-m", "mmner_core", *map(str, arguments)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run(command, cwd=REPOSITORY, check=False, **options)


def test_a_dash_is_standard_input_and_output(person_checkpoint: Path, tmp_path: Path) -> None:
    """Each line in gives a line out, and nothing else is on standard output; what was done is said on the other."""
    arguments = ["tag", "--input", "-", "--output", "-", "--checkpoint", str(person_checkpoint)]
    result = CliRunner().invoke(app, arguments, input=lines(40))
    assert result.exit_code == 0
    assert [json.loads(line)["text"] for line in result.stdout.splitlines()] == [f"Ada {i}" for i in range(40)]
    assert result.stderr == "40 texts tagged into /dev/stdout.\n"


def test_a_pipe_is_read_once(person_checkpoint: Path, tmp_path: Path) -> None:
    """A named pipe, which is what ``<(...)`` gives a program, comes out whole; paths in it are the working folder's."""
    writer = feed(tmp_path / "pipe", lines(3) + json.dumps({"text": "Ada", "image": str(PHOTO)}) + "\n")
    arguments = ["--input", tmp_path / "pipe", "--output", tmp_path / "out.jsonl", "--checkpoint", person_checkpoint]
    assert call("tag", *arguments).exit_code == 0
    writer.join(10)
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 4


def test_lines_of_a_stream_do_not_wait_for_others(person_checkpoint: Path) -> None:
    """Who writes a line to the program reads its result, before the next line is written."""
    arguments = ["tag", "--input", "-", "--output", "-", "--checkpoint", str(person_checkpoint)]
    command = [sys.executable, "-m", "mmner_core", *arguments]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as program:
        assert program.stdin is not None and program.stdout is not None
        for i in range(2):
            program.stdin.write(json.dumps({"text": f"Ada {i}", "lang": "en"}) + "\n")
            program.stdin.flush()
            assert json.loads(program.stdout.readline())["text"] == f"Ada {i}"
        program.stdin.close()
        assert program.wait(60) == 0


def test_bad_lines_beside_a_stream_are_told(person_checkpoint: Path) -> None:
    """There is no file to set them aside in, so standard error has them whole."""
    arguments = ["tag", "--input", "-", "--output", "-", "--skip-bad", "--checkpoint", str(person_checkpoint)]
    result = CliRunner().invoke(app, arguments, input='nope\n{"text": "Ada", "lang": "en"}\n')
    assert result.exit_code == 0 and len(result.stdout.splitlines()) == 1
    told, done, counted = result.stderr.splitlines()
    assert json.loads(told)["line"] == "nope" and json.loads(told)["where"] == "/dev/stdin:1"
    assert "1 texts tagged" in done and "1 lines could not be tagged; see above." in counted


def test_unknown_fields_are_handed_through(person_checkpoint: Path, tmp_path: Path) -> None:
    """They stand in the result as they were given, and what the program did not read is said."""
    fields = {"source": "x", "tweet": {"user": "☃", "likes": [1, 2.5, None]}, "lnag": "de"}
    (tmp_path / "in.jsonl").write_text(lines(2, **fields), encoding="utf-8")
    arguments = [
        "--input",
        tmp_path / "in.jsonl",
        "--output",
        tmp_path / "out.jsonl",
        "--checkpoint",
        person_checkpoint,
    ]
    result = call("tag", *arguments)
    assert "Handed through unread: source, tweet, lnag." in result.stderr
    for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        assert {name: record[name] for name in fields} == fields
        assert list(record) == [*fields, "text", "language", "entities", "notes"]


@pytest.mark.parametrize("kind", ["device", "pipe"])
def test_what_is_no_file_is_written_to_and_stays(person_checkpoint: Path, tmp_path: Path, kind: str) -> None:
    """A device or pipe is not replaced, ``--overwrite`` or not, and nothing is left beside it."""
    target, got = tmp_path / "target", [b""]
    if kind == "device":
        try:
            os.mknod(target, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("only root makes devices")
        reader = None
    else:
        reader = drain(target, got)
    (tmp_path / "in.jsonl").write_text(lines(3))
    before = os.lstat(target)
    options = ["--checkpoint", person_checkpoint, *(["--overwrite"] if kind == "device" else [])]
    assert call("tag", "--input", tmp_path / "in.jsonl", "--output", target, *options).exit_code == 0
    if reader is not None:
        reader.join(10)
        assert len(got[-1].splitlines()) == 3
    assert stat.S_IFMT(os.lstat(target).st_mode) == stat.S_IFMT(before.st_mode)
    assert os.lstat(target).st_ino == before.st_ino
    assert {path.name for path in tmp_path.iterdir()} == {"target", "in.jsonl"}


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    """What it points to has the new content and the permissions of the old; a link to nothing gets its file."""
    (tmp_path / "folder").mkdir()
    real, link, dangling = tmp_path / "folder" / "real", tmp_path / "link", tmp_path / "dangling"
    real.write_text("old")
    real.chmod(0o600)
    link.symlink_to(real)
    dangling.symlink_to("folder/new")
    for target in (link, dangling):
        assert call("convert", SENTENCES, target, "--to", "mmnerd", "--overwrite").exit_code == 0
        assert target.is_symlink() and target.read_bytes() == SENTENCES.read_bytes()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert sorted(path.name for path in (tmp_path / "folder").iterdir()) == ["new", "real"]
    assert "exists" in refused("convert", SENTENCES, link, "--to", "mmnerd")


def test_standard_output_under_any_name(tmp_path: Path) -> None:
    """The system's names of it and links to them are told from files."""
    (tmp_path / "link").symlink_to("/dev/stdout")
    for path in (STANDARD_OUTPUT, Path("/dev/fd/1"), Path("/proc/self/fd/1"), tmp_path / "link"):
        assert descriptor(path) == 1 and is_stream(path)
    assert not is_stream(tmp_path / "1") and not is_stream(tmp_path)


def test_other_commands_read_and_write_streams(person_checkpoint: Path, tmp_path: Path) -> None:
    """``convert - -`` and ``evaluate --data -``; errors name the stream and line, not a file of ours."""
    data = SENTENCES.read_text(encoding="utf-8")
    result = CliRunner().invoke(app, ["convert", "-", "-", "--to", "mmnerd"], input=data)
    assert (result.exit_code, result.stdout) == (0, data)
    assert "3 sentences" in result.stderr
    target: list[bytes] = []
    reader = drain(tmp_path / "pipe", target)
    assert parsed("convert", SENTENCES, tmp_path / "pipe", "--to", "parquet")["sentences"] == 3
    reader.join(10)
    assert target[0].startswith(b"PAR1")
    arguments = ["evaluate", "--data", "-", "--lang", "en", "--checkpoint", str(person_checkpoint), "--json"]
    result = CliRunner().invoke(app, arguments, input=data)
    assert json.loads(result.stdout)["sentences"] == 3 and json.loads(result.stdout)["data"] == "/dev/stdin"
    result = CliRunner().invoke(app, ["convert", "-", "-", "--to", "mmnerd"], input="a\tO\nb\tX-PER\n")
    assert result.exit_code == 2 and result.stderr.startswith("/dev/stdin:")


def test_a_large_job_says_why_it_needs_a_file(person_checkpoint: Path, tmp_path: Path) -> None:
    """It reads its input more than once; and a folder cannot go to standard output."""
    arguments = ["--output", tmp_path / "out", "--checkpoint", person_checkpoint]
    assert names(refused("tag-many", "--input", "-", *arguments), "/dev/stdin", "stream")
    assert names(refused("tag-many", "--input", SENTENCES, "--output", "-"), "standard output")


EMPTY, TOO_LONG, NO_FOLDER = "it is empty; name a file or folder", "File name too long", "Not a directory"
IMPOSSIBLE: dict[str, tuple[list[object], str]] = {
    "an empty output": (["tag", "--input", "IN", "--output", ""], f"'--output': {EMPTY}"),
    "an empty output after =": (["tag", "--input", "IN", "--output="], f"'--output': {EMPTY}"),
    "an empty input": (["tag", "--input", "", "--output", "OUT"], f"'--input': {EMPTY}"),
    "an empty argument": (["convert", "IN", "", "--to", "conll"], EMPTY),
    "a long output": (["tag", "--input", "IN", "--output", LONG], TOO_LONG),
    "a long input": (["tag", "--input", LONG, "--output", "OUT"], TOO_LONG),
    "a long checkpoint": (["info", LONG], TOO_LONG),
    "a long source": (["convert", LONG, "OUT", "--to", "conll"], TOO_LONG),
    "a long target": (["convert", SENTENCES, LONG, "--to", "conll"], TOO_LONG),
    "a long data set": (["convert", SENTENCES, LONG, "--to", "disk"], TOO_LONG),
    "a long folder": (["tag-many", "--input", "IN", "--output", LONG], TOO_LONG),
    "a file as folder": (["tag", "--input", "IN", "--output", "IN/x"], NO_FOLDER),
    "a file as parent": (["convert", SENTENCES, "IN/x", "--to", "disk"], NO_FOLDER),
    "a file as output folder": (["tag-many", "--input", "IN", "--output", "IN"], "is not a folder"),
}


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_a_name_that_cannot_be_is_one_sentence(tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the command, and before anything heavy is loaded."""
    (tmp_path / "in.jsonl").write_text(lines(1))
    monkeypatch.chdir(tmp_path)
    arguments, sentence = IMPOSSIBLE[what]
    assert sentence in refused(*(str(argument).replace("IN", "in.jsonl") for argument in arguments))
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_the_longest_name_there_is_will_do(person_checkpoint: Path, tmp_path: Path) -> None:
    """Though the file of rejects could not be called after it."""
    (tmp_path / "in").write_text(lines(1))
    arguments = [
        "tag",
        "--input",
        tmp_path / "in",
        "--output",
        tmp_path / LONG[:255],
        "--checkpoint",
        person_checkpoint,
    ]
    assert call(*arguments).exit_code == 0
    assert "rejected.jsonl cannot be written" in refused(*arguments, "--overwrite", "--skip-bad")


def test_output_that_nobody_reads_ends_quietly(person_checkpoint: Path) -> None:
    """Closed by its reader, such as ``head``, or by the shell: no word, and the exit code of SIGPIPE."""
    unread, pipe = os.pipe()
    os.close(unread)
    done = process("info", person_checkpoint, "--json", stdout=pipe)
    os.close(pipe)
    assert (done.returncode, done.stderr) == (141, b"")
    done = process("info", person_checkpoint, preexec_fn=lambda: os.close(1))
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_full_disk_is_one_sentence(person_checkpoint: Path, tmp_path: Path) -> None:
    """Standard output that takes nothing, and a device; nothing is claimed to be written."""
    with open("/dev/full", "wb") as full:
        done = process("info", person_checkpoint, stdout=full)
    assert done.returncode == 2
    assert names(done.stderr.decode(), "No space left on device")
    for target_format in ("mmnerd", "parquet"):
        sentence = refused("convert", SENTENCES, "/dev/full", "--to", target_format)
        assert names(sentence, "/dev/full", "No space left on device")


def test_stopped_processes_leave_nothing(tmp_path: Path) -> None:
    """Ctrl-C while the program is being imported ends it without a word; SIGTERM takes what is half written away."""
    (tmp_path / "typer.py").write_text(CTRL_C)
    heard = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # whoever runs the tests may ignore it
    done = process("info", env={**os.environ, "PYTHONPATH": str(tmp_path)}, preexec_fn=heard)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")
    folder = tmp_path / "out"
    folder.mkdir()
    command = [sys.executable, "-c", STOPPED_WHILE_WRITING, folder / "file"]
    assert subprocess.run(command, cwd=REPOSITORY, check=False).returncode == 128 + signal.SIGTERM
    assert list(folder.iterdir()) == []
