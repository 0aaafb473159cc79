"""Zips made to break the server that unpacks them: each is refused in one sentence and writes nothing elsewhere."""

from __future__ import annotations

import io
import os
import random
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.jobs import unpack as unpacking
from analysis.jobs.unpack import unpack_zip
from mmner_core.errors import InputError

PHOTO = b"\xff\xd8\xff not really"


def open_zip(file: Path, folder: Path, *, max_file: int = 10_000, max_bytes: int = 50_000) -> unpacking.Unpacked:
    """Unpack as the server does, in small."""
    return unpack_zip(file, folder, endings=(".jpg",), max_file=max_file, max_bytes=max_bytes, what="The zip of photos")


def packed(file: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write a zip whose names are what they are, however strange."""
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo("x")
            info.filename = name
            info.compress_type = compression
            archive.writestr(info, content)
    return file


def everything_below(folder: Path) -> list[Path]:
    """List all files of a folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_photos_come_out_as_they_are_named(tmp_path: Path) -> None:
    """With their folders; what is no photo, and the shadows that a Mac adds, are counted and left in."""
    members = {"a/1.jpg": PHOTO, "b ä.JPG": PHOTO, "__MACOSX/a/._1.jpg": b"x", "a/.hidden.jpg": b"x", "run.sh": b"x"}
    out = open_zip(packed(tmp_path / "z.zip", members), tmp_path / "out")
    assert sorted(map(str, out.files)) == ["a/1.jpg", "b ä.JPG"]
    assert out.left_out == {"hidden": 2, ".sh": 1}
    assert len(everything_below(tmp_path / "out")) == 2


@pytest.mark.parametrize(
    "name",
    [
        "/etc/cron.d/x.jpg", "../x.jpg", "a/../../x.jpg", "..\\x.jpg", "C:\\x.jpg", "C:/x.jpg", "a\\..\\x.jpg",
        "a\nb.jpg", "\x1b[2J.jpg", "x.jpg\0.png", "\u202egpj.exe.jpg", "d/" * 9 + "x.jpg", "x" * 300 + ".jpg",
    ],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_refuses_the_whole_zip(tmp_path: Path, name: str) -> None:
    """Not even the sound photo beside it is written, inside the folder or outside."""
    file = packed(tmp_path / "z.zip", {"fine.jpg": PHOTO, name: PHOTO})
    with pytest.raises(InputError, match="name"):
        open_zip(file, tmp_path / "in" / "out")
    assert everything_below(tmp_path) == [file]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_a_link_or_device_is_refused(tmp_path: Path, kind: int) -> None:
    """A link to the server's own files would be shown as a photo."""
    file = tmp_path / "z.zip"
    with zipfile.ZipFile(file, "w") as archive:
        info = zipfile.ZipInfo("link.jpg")
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(InputError, match="link or a device"):
        open_zip(file, tmp_path / "out")
    assert everything_below(tmp_path) == [file]


def test_a_bomb_is_refused_before_a_byte_is_unpacked(tmp_path: Path) -> None:
    """A file of zeros that would fill the disk, and many that do so together."""
    one = packed(tmp_path / "one.zip", {"big.jpg": bytes(20_000)})
    with pytest.raises(InputError, match=r"big\.jpg"):
        open_zip(one, tmp_path / "out")
    many = packed(tmp_path / "many.zip", {f"{i}.jpg": bytes(9_000) for i in range(10)})
    with pytest.raises(InputError, match="room"):
        open_zip(many, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_files_that_share_their_bytes_are_counted_each(tmp_path: Path) -> None:
    """Many entries of the directory that point to one compressed file: the bomb that needs no nesting."""
    content = packed(tmp_path / "z.zip", {f"{i:04d}.jpg": bytes(9_000) for i in range(9)}).read_bytes()
    with zipfile.ZipFile(tmp_path / "z.zip") as archive:
        offsets = [info.header_offset for info in archive.infolist()]
    for offset in offsets[1:]:
        content = content.replace(struct.pack("<L", offset), struct.pack("<L", offsets[0]))
    (tmp_path / "z.zip").write_bytes(content)
    with pytest.raises(InputError):
        open_zip(tmp_path / "z.zip", tmp_path / "out")


def test_a_file_that_is_longer_than_announced_is_not_read_on(tmp_path: Path) -> None:
    """The announced size is all that is ever written."""
    file = packed(tmp_path / "z.zip", {"x.jpg": bytes(9_000)})
    announced = struct.pack("<L", 9_000)
    file.write_bytes(file.read_bytes().replace(announced, struct.pack("<L", 100)))
    with pytest.raises(InputError):
        open_zip(file, tmp_path / "out")
    assert sum(path.stat().st_size for path in everything_below(tmp_path / "out")) <= 100


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small each is."""
    monkeypatch.setattr(unpacking, "MOST_MEMBERS", 20)
    with pytest.raises(InputError, match="21"):
        open_zip(packed(tmp_path / "z.zip", {f"{i}.jpg": b"" for i in range(21)}), tmp_path / "out")


def test_a_name_twice_is_refused(tmp_path: Path) -> None:
    """Which of the two is meant nobody knows; nor may a name be a file and a folder."""
    file = tmp_path / "z.zip"
    with zipfile.ZipFile(file, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("x.jpg", PHOTO)
        archive.writestr("x.jpg", b"another")
    with pytest.raises(InputError, match="twice"):
        open_zip(file, tmp_path / "out")
    with pytest.raises(InputError, match="folder"):
        open_zip(packed(tmp_path / "y.zip", {"x.jpg": PHOTO, "x.jpg/y.jpg": PHOTO}), tmp_path / "out")


def encrypted(file: Path) -> None:
    """Say in every header that a password is needed."""
    content = bytearray(packed(file, {"x.jpg": PHOTO}).read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1
    file.write_bytes(content)


@pytest.mark.parametrize(
    "write",
    [
        encrypted,
        lambda file: packed(file, {"x.jpg": PHOTO * 40}, zipfile.ZIP_LZMA),
        lambda file: packed(file, {"x.txt": b"no photo"}),
        lambda file: file.write_bytes(b"PK\x05\x06" + bytes(18)),
        lambda file: file.write_bytes(b"no zip at all"),
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(packed(file, {"x.jpg": os.urandom(5_000)}).read_bytes()[:3_000]),
    ],
    ids=["encrypted", "lzma", "no photo", "empty zip", "no zip", "no bytes", "cut short"],
)
def test_what_cannot_be_unpacked_is_one_sentence(tmp_path: Path, write: Callable[[Path], object]) -> None:
    """Which says whose fault it is and leaves no photo behind."""
    write(tmp_path / "z.zip")
    with pytest.raises(InputError, match="The zip of photos"):
        open_zip(tmp_path / "z.zip", tmp_path / "out")
    assert everything_below(tmp_path) == [tmp_path / "z.zip"]


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_zip_never_does_more_than_refuse(tmp_path: Path, seed: int) -> None:
    """Bytes changed anywhere: either the photos come out, or one sentence."""
    random_bytes = random.Random(seed)
    content = bytearray(packed(tmp_path / "z.zip", {f"{i}.jpg": os.urandom(50) for i in range(4)}).read_bytes())
    for _ in range(1 + seed % 7):
        content[random_bytes.randrange(len(content))] = random_bytes.randrange(256)
    (tmp_path / "z.zip").write_bytes(io.BytesIO(bytes(content)).getvalue())
    try:
        open_zip(tmp_path / "z.zip", tmp_path / "in" / "out")
    except InputError as error:
        assert "\n" not in str(error)
    outside = [path for path in everything_below(tmp_path) if not path.is_relative_to(tmp_path / "in" / "out")]
    assert outside == [tmp_path / "z.zip"]
