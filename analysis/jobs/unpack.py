"""Opens a visitor's zip: only files of the wanted kinds come out, below the folder, and no more than there is room for.

Every name is judged before the first byte is written, and a zip with a single bad one is refused as a whole.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mmner_core.errors import InputError, brief
from mmner_core.photos.folder import MAX_NAME_BYTES, is_inside

MOST_MEMBERS = 50_000
_MOST_PATH = 500  # bytes of a name with its folders
_MOST_FOLDERS = 8
_BLOCK = 1 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others take gigabytes to undo
_ENCRYPTED = 1
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    MemoryError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """What came out of a zip.

    Attributes:
        files: paths below the folder.
        left_out: how many files of which other kind stayed in it.
    """

    files: tuple[Path, ...]
    left_out: dict[str, int]

    def notes(self, what: str) -> list[str]:
        """Say what stayed in the zip, one sentence at most."""
        kinds = ", ".join(f"{n:,} {kind}" for kind, n in sorted(self.left_out.items()))
        return [f"Left out of {what}: {kinds}."] if kinds else []


def unpack_zip(
    file: Path, folder: Path, *, endings: Collection[str], max_file: int, max_bytes: int, what: str
) -> Unpacked:
    """Unpack the files of the wanted kinds.

    Args:
        file: the zip.
        folder: where they go; made here.
        endings: of the wanted files, lower case, with the dot.
        max_file: bytes of a file.
        max_bytes: of all files together.
        what: what to call the zip.

    Raises:
        InputError: if it is no zip, is encrypted or damaged, has too many or too big files, a name twice, a link, or a
            name that does not stay below the folder.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            wanted, left_out = _judged(archive.infolist(), endings, what)
            _check_sizes(wanted, max_file, max_bytes, what)
            folder.mkdir(parents=True, exist_ok=True)
            return Unpacked(files=tuple(_written(archive, info, folder) for info in wanted), left_out=dict(left_out))
    except InputError:
        raise
    except _DAMAGE as error:
        raise InputError(f"{what} cannot be unpacked: {brief(error).rstrip('.')}; pack it anew.") from error


def _judged(
    members: list[zipfile.ZipInfo], endings: Collection[str], what: str
) -> tuple[list[zipfile.ZipInfo], Counter[str]]:
    """Return the wanted members, and how many others there are by kind."""
    if len(members) > MOST_MEMBERS:
        raise InputError(f"{what} holds {len(members):,} files; at most {MOST_MEMBERS:,} are read.")
    wanted: list[zipfile.ZipInfo] = []
    left_out: Counter[str] = Counter()
    seen: set[str] = set()
    for info in members:
        _check_name(info, what)
        if info.is_dir():
            continue
        path = PurePosixPath(info.filename)
        # Zips of a Mac hold a shadow of every file.
        if path.parts[0] == "__MACOSX" or path.name.startswith("."):
            left_out["hidden"] += 1
        elif path.suffix.lower() not in endings:
            left_out[path.suffix.lower()[:12] or "without ending"] += 1
        else:
            if str(path) in seen:
                raise InputError(f"{what} holds {_told(info)} twice.")
            seen.add(str(path))
            wanted.append(info)
    _check_folders(seen, what)
    return wanted, left_out


def _check_name(info: zipfile.ZipInfo, what: str) -> None:
    """Refuse a member whose name leads elsewhere, that is a link or device, or that needs a password."""
    name = info.orig_filename  # zipfile cuts a name at its first NUL
    parts = PurePosixPath(name).parts
    if not is_inside(name) or "\\" in name or not name.isprintable() or not parts:
        raise InputError(f"{what}: the name {_told(info)} does not stay below the folder, or is none.")
    encoded = [part.encode("utf-8", "replace") for part in parts]
    too_long = max(map(len, encoded)) > MAX_NAME_BYTES or sum(map(len, encoded)) > _MOST_PATH
    if too_long or len(parts) > _MOST_FOLDERS:
        raise InputError(f"{what}: the name {_told(info)} is too long, or in too many folders.")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise InputError(f"{what}: {_told(info)} is a link or a device, not a file.")
    if info.flag_bits & _ENCRYPTED:
        raise InputError(f"{what} is encrypted; pack it without a password.")
    if info.compress_type not in _METHODS:
        raise InputError(f"{what}: {_told(info)} is compressed in an unusual way; pack it as an ordinary zip.")


def _check_folders(names: Iterable[str], what: str) -> None:
    """Refuse a zip in which a name is a file and a folder as well."""
    names = set(names)
    for name in names:
        for folder in PurePosixPath(name).parents:
            if str(folder) in names:
                raise InputError(f"{what} holds {str(folder)[:60]!r} as a file and as a folder.")


def _check_sizes(members: list[zipfile.ZipInfo], max_file: int, max_bytes: int, what: str) -> None:
    """Refuse a zip whose files are announced to be too big; no more than is announced is ever read."""
    if not members:
        raise InputError(f"{what} holds no file of a kind that is read here.")
    biggest = max(members, key=lambda info: info.file_size)
    if biggest.file_size > max_file:
        raise InputError(
            f"{what}: {_told(biggest)} has {biggest.file_size / 1e6:,.1f} MB; at most {max_file / 1e6:g} MB are read."
        )
    total = sum(info.file_size for info in members)
    if total > max_bytes:
        raise InputError(
            f"{what} takes {total / 1e6:,.0f} MB when unpacked; there is room for {max_bytes / 1e6:,.0f} MB."
        )


def _written(archive: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path) -> Path:
    """Write a member below the folder; return its path there."""
    path = Path(*PurePosixPath(info.filename).parts)
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(info) as source, target.open("xb") as out:
        while block := source.read(_BLOCK):
            out.write(block)
    return path


def _told(info: zipfile.ZipInfo) -> str:
    return repr(info.orig_filename[:60])
