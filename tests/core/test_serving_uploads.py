"""The folder of uploads is private, limited, swept, and gone when its server is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmner_core.serving.asgi import Refused, retry_after
from mmner_core.serving.uploads import UploadSpace
from tests.told import refused


def put(space: UploadSpace, name: str, size: int) -> Path:
    """Write a file as an upload is written: in a folder of its own."""
    path = space.folder / name / "photo.jpg"
    path.parent.mkdir()
    path.write_bytes(bytes(size))
    return path


def test_nobody_else_may_look_into_it(tmp_path: Path) -> None:
    """Other users of the machine see no photo."""
    space = UploadSpace(max_bytes=1, max_age=1, parent=tmp_path)
    assert space.folder.stat().st_mode & 0o777 == 0o700
    space.close()
    assert list(tmp_path.iterdir()) == []


def test_what_is_old_is_removed_with_its_folder(tmp_path: Path) -> None:
    """By the time it came, not by the time its copy claims."""
    space = UploadSpace(max_bytes=1000, max_age=0.2, parent=tmp_path)
    put(space, "old", 10)
    time.sleep(0.3)
    new = put(space, "new", 10)
    os.utime(new, (0, 0))
    assert space.sweep() == 1
    assert [path for path in space.folder.rglob("*") if path.is_file()] == [new]
    assert not (space.folder / "old").exists()


def receive(space: UploadSpace, visitor: str, *sizes: int, kept: bool = True) -> None:
    """Take in an upload, piece by piece."""
    with space.receiving(visitor) as upload:
        for size in sizes:
            upload.grow(size)
        upload.kept = kept


def test_room_is_counted_from_what_is_there(tmp_path: Path) -> None:
    """What came counts until the next look, then what is on the disk."""
    space = UploadSpace(max_bytes=1000, max_age=60, parent=tmp_path)
    put(space, "a", 700)
    receive(space, "ada", 500, 400)
    with pytest.raises(Refused, match="no room"):
        receive(space, "bob", 200)
    space.sweep()
    with pytest.raises(Refused, match="no room"):
        receive(space, "bob", 400)
    receive(space, "bob", 300)


def test_what_is_not_kept_leaves_its_room_at_once(tmp_path: Path) -> None:
    """Refused in the middle, given up, or begun without a byte."""
    space = UploadSpace(max_bytes=1000, max_age=60, parent=tmp_path)
    for _ in range(5):
        receive(space, "ada", 600, kept=False)
        with pytest.raises(Refused):
            receive(space, "ada", 600, 600)
        with space.receiving("ada"):
            pass
    receive(space, "bob", 1000)


def test_a_visitor_has_a_share(tmp_path: Path) -> None:
    """Who has used it up waits until what they sent is old; all others have the rest."""
    space = UploadSpace(max_bytes=1000, max_age=0.3, share=400, parent=tmp_path)
    receive(space, "ada", 300)
    with pytest.raises(Refused, match="all the room that one visitor may have") as told:
        receive(space, "ada", 200)
    assert told.value.refusal == retry_after(429, str(told.value), 1)
    receive(space, "bob", 400)
    time.sleep(0.4)
    receive(space, "ada", 200)


def test_a_cleaner_of_temporary_folders_does_no_harm(tmp_path: Path) -> None:
    """The folder is there again, as private and as much our own as before."""
    space = UploadSpace(max_bytes=1000, max_age=60, parent=tmp_path)
    space.folder.rmdir()
    space.sweep()
    assert space.folder.stat().st_mode & 0o777 == 0o700
    UploadSpace(max_bytes=1000, max_age=60, parent=tmp_path).close()
    assert space.folder.is_dir()


def test_a_killed_server_leaves_nothing_for_long(tmp_path: Path) -> None:
    """The next start removes its folder, but not that of a server that runs, nor what is not ours."""
    program = (
        "import os, sys; from pathlib import Path; from mmner_core.serving.uploads import UploadSpace\n"
        "space = UploadSpace(max_bytes=1, max_age=1, parent=Path(sys.argv[1]))\n"
        "(space.folder / 'photo.jpg').write_bytes(b'x')\n"
        "os.kill(os.getpid(), 9)"
    )
    result = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert result.returncode == -9
    (left,) = tmp_path.iterdir()
    stranger = tmp_path / "mmner-uploads-notes"
    stranger.mkdir()
    running = UploadSpace(max_bytes=1, max_age=1, parent=tmp_path)
    assert not left.exists()
    another = UploadSpace(max_bytes=1, max_age=1, parent=tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([stranger, running.folder, another.folder])


def test_a_folder_is_told_by_its_lock_not_by_a_number(tmp_path: Path) -> None:
    """One of a number that runs, as after a restart, goes; one that is locked stays, whatever its name."""
    reused = tmp_path / f"mmner-uploads-{os.getpid()}-abcdefgh"
    reused.mkdir()
    first = UploadSpace(max_bytes=1, max_age=1, parent=tmp_path)
    assert not reused.exists()
    gone = first.folder.rename(tmp_path / "mmner-uploads-999999999-abcdefgh")
    UploadSpace(max_bytes=1, max_age=1, parent=tmp_path)
    assert gone.is_dir()


def test_a_temporary_folder_that_cannot_be_used_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence that says which, and what to do; not quietly another."""
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nothing"))
    with refused("TMPDIR", "nothing"):
        UploadSpace(max_bytes=1, max_age=1)
