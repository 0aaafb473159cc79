"""A reader finds the old content or the new, whatever stops the writer, and nothing else is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mmner_core.errors import InputError
from mmner_core.runtime.atomic import atomic_folder, atomic_write, partial_folder, remove_leftovers, restore

REPOSITORY = Path(__file__).parents[2]
KILLED_IN_A_FILE = """
import os, signal, sys
from pathlib import Path
from mmner_core.runtime.atomic import atomic_write
with atomic_write(Path(sys.argv[1])) as part:
    part.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
KILLED_BETWEEN_THE_RENAMES = """
import os, signal, sys
from pathlib import Path
from mmner_core.runtime import atomic
rename = Path.rename
def stop(self, target):
    rename(self, target)
    os.kill(os.getpid(), signal.SIGKILL)
Path.rename = stop
with atomic.atomic_folder(Path(sys.argv[1]), what="it") as partial:
    (partial / "new").touch()
"""


def names(folder: Path) -> list[str]:
    """List a folder, hidden names included."""
    return sorted(path.name for path in folder.iterdir())


def kill(program: str, path: Path) -> None:
    """Run a program that kills itself in the middle of writing a path."""
    done = subprocess.run([sys.executable, "-c", program, path], cwd=REPOSITORY, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.fixture
def old_folder(tmp_path: Path) -> Path:
    """Make a folder with one file, alone in its parent."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "old").touch()
    return folder


@pytest.fixture(params=[0o022, 0o077, 0o002], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """Set which permissions new files lack."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_a_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    """Until then the old content is read; afterwards the new, and nothing lies beside it."""
    file = tmp_path / "file"
    file.write_text("old")
    with atomic_write(file) as part:
        part.write_text("new")
        assert file.read_text() == "old"
    assert file.read_text() == "new" and names(tmp_path) == ["file"]


@pytest.mark.parametrize("error", [OSError("disk full"), ValueError("a bug"), KeyboardInterrupt()], ids=repr)
def test_an_error_leaves_the_old_file(tmp_path: Path, error: BaseException) -> None:
    """The error comes through as it is, and what was half written is gone."""
    file = tmp_path / "file"
    file.write_text("old")
    with pytest.raises(type(error)), atomic_write(file) as part:
        part.write_text("half")
        raise error
    assert file.read_text() == "old" and names(tmp_path) == ["file"]


def test_a_killed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    """What it had written is hidden, and can be taken away without touching anything else."""
    file = tmp_path / "file"
    file.write_text("old")
    kill(KILLED_IN_A_FILE, file)
    assert file.read_text() == "old" and len(names(tmp_path)) == 2
    remove_leftovers(tmp_path)
    assert names(tmp_path) == ["file"]


def test_a_file_has_the_permissions_of_any_other(tmp_path: Path, umask: int) -> None:
    """The user's umask decides, also where a library puts a file of its own in place of ours."""
    with atomic_write(tmp_path / "text") as part:
        part.write_text("new")
    with atomic_write(tmp_path / "tensors") as part:
        save_file({"x": torch.zeros(1)}, part)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o666 & ~umask}


@pytest.mark.parametrize("name", ["x" * 255, "😀" * 63], ids=["ascii", "four bytes each"])
def test_any_name_that_a_file_may_have_will_do(tmp_path: Path, name: str) -> None:
    """The hidden name has more than the file's, but is never too long."""
    with atomic_write(tmp_path / name) as part:
        part.write_text("new")
    assert (tmp_path / name).read_text() == "new"


def test_a_folder_is_not_replaced_by_a_file(old_folder: Path) -> None:
    """It is not what was asked to be replaced."""
    with pytest.raises(IsADirectoryError), atomic_write(old_folder):
        pass
    assert names(old_folder) == ["old"] and names(old_folder.parent) == ["folder"]


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    """Each fills its own, and the last one to end has written it."""
    with atomic_write(tmp_path / "file") as first, atomic_write(tmp_path / "file") as second:
        first.write_text("first")
        second.write_text("second")
    assert (tmp_path / "file").read_text() == "first" and names(tmp_path) == ["file"]


def test_a_folder_appears_when_the_block_ends(old_folder: Path) -> None:
    """It stands alone: no file of the old one, nothing beside it; a folder of the user's own stays."""
    backup = old_folder.with_name("folder.old")
    backup.mkdir()
    with atomic_folder(old_folder, what="it") as partial:
        (partial / "new").touch()
        assert names(old_folder) == ["old"]
    assert names(old_folder) == ["new"] and names(old_folder.parent) == ["folder", "folder.old"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("a bug"), KeyboardInterrupt()])
def test_an_error_leaves_the_old_folder(old_folder: Path, error: BaseException) -> None:
    """What the system refuses is told in a sentence, anything else comes through as it is."""
    expected = InputError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected) as caught, atomic_folder(old_folder, what="the thing") as partial:
        (partial / "half").touch()
        raise error
    if isinstance(error, OSError):
        reason = "the thing could not be written (No space left on device); what was there stays."
        assert str(caught.value) == f"{old_folder}: {reason}"
    assert names(old_folder) == ["old"] and names(old_folder.parent) == ["folder"]


def test_a_writer_killed_between_the_renames_loses_nothing(old_folder: Path) -> None:
    """The old folder was moved aside and the new one not yet in place: it can be put back."""
    kill(KILLED_BETWEEN_THE_RENAMES, old_folder)
    assert not old_folder.exists()
    restore(old_folder)
    assert names(old_folder) == ["old"]


def test_a_kill_and_then_an_error_lose_nothing(old_folder: Path) -> None:
    """Who writes after such a kill begins with putting it back."""
    kill(KILLED_BETWEEN_THE_RENAMES, old_folder)
    with pytest.raises(InputError, match="what was there stays"), atomic_folder(old_folder, what="it"):
        raise OSError("disk full")
    assert names(old_folder) == ["old"] and names(old_folder.parent) == ["folder"]


def test_a_folder_that_cannot_take_its_place_leaves_the_old_one(old_folder: Path) -> None:
    """Whatever fails between the renames, the old folder is put back."""
    with pytest.raises(InputError, match="what was there stays"), atomic_folder(old_folder, what="it"):
        partial_folder(old_folder).rmdir()
    assert names(old_folder) == ["old"] and names(old_folder.parent) == ["folder"]


def test_a_file_is_not_replaced_by_a_folder(tmp_path: Path) -> None:
    """It is not what was asked to be replaced."""
    (tmp_path / "file").write_text("precious")
    with pytest.raises(InputError, match="Not a directory"), atomic_folder(tmp_path / "file", what="it"):
        pass
    assert (tmp_path / "file").read_text() == "precious" and names(tmp_path) == ["file"]
