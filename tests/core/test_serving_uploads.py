"""The folder of uploads is private, limited, swept, and gone when its server is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from mmner_core.serving.uploads import UploadSpace


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


def test_room_is_counted_from_what_is_there(tmp_path: Path) -> None:
    """What was announced counts until the next look, then what is on the disk."""
    space = UploadSpace(max_bytes=1000, max_age=60, parent=tmp_path)
    put(space, "a", 700)
    assert space.reserve(900)
    assert not space.reserve(200)
    space.sweep()
    assert not space.reserve(400)
    assert space.reserve(300)


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
