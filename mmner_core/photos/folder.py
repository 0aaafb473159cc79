"""Finds an image id's file, never outside the image folder."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from mmner_core.errors import InputError

MAX_NAME_BYTES, MAX_PATH_BYTES = 255, 4096
SHORT = 50
"""No id of so few characters can be too long a name."""
EXTENSIONS = (".jpg", ".jpeg", ".png", ".webp")


class ImageFolder:
    """A folder of images, listed once, so that looking up 100,000 ids costs no system call each.

    A file that is itself a symbolic link is followed: whoever owns the folder put it there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self._names = {entry.name for entry in os.scandir(folder)}
        except OSError as error:
            raise InputError(f"The image folder {folder} cannot be read: {error.strerror or error}.") from error

    def resolve(self, image_id: str, where: str = "") -> tuple[Path, bool]:
        """Return the file of an image id and whether it exists.

        The id is taken literally first (``a%2Fb`` is the file ``a%2Fb.jpg``), then with its ``%`` escapes decoded,
        where that stays inside the folder. Extensions are tried in the order of ``EXTENSIONS``; without any file
        the answer is ``<id>.jpg``.

        Raises:
            InputError: if the id points outside the folder, or no file can have such a name.
        """
        begin = f"{where}: the image id" if where else "The image id"
        if not is_inside(image_id):
            raise InputError(f"{begin} {image_id[:60]!r} points outside the image folder.")
        for name in _spellings(image_id):
            if self._exists(name):
                return self.folder / name, True
        file = self.folder / f"{image_id}.jpg"
        if len(image_id) > SHORT and _is_too_long(file):
            raise InputError(f"{begin} {image_id[:60]!r} is longer than a file name may be.")
        return file, False

    def _exists(self, name: str) -> bool:
        return os.path.isfile(self.folder / name) if "/" in name else name in self._names


def _is_too_long(file: Path) -> bool:
    """Return whether the system refuses a name of this length, for which even ``exists`` would raise."""
    encoded = str(file).encode("utf-8", "replace")
    return len(encoded) >= MAX_PATH_BYTES or max(map(len, encoded.split(b"/"))) > MAX_NAME_BYTES


def resolve_image(images_dir: str | Path, image_id: str) -> Path:
    """Return the file of an image id, existing or not; see :meth:`ImageFolder.resolve`."""
    return ImageFolder(Path(images_dir)).resolve(image_id)[0]


def _spellings(image_id: str) -> list[str]:
    """Return the file names an id may stand for, most likely first."""
    names = [image_id + extension for extension in EXTENSIONS]
    if image_id.lower().endswith(EXTENSIONS):
        names.append(image_id)
    if "%" in image_id and is_inside(decoded := unquote(image_id)):
        names += [decoded + extension for extension in EXTENSIONS]
    return names


def is_inside(image_id: str) -> bool:
    """Say whether a relative path with this name stays below the folder it is joined to."""
    if not image_id or "\0" in image_id:
        return False
    name = image_id.replace("\\", "/")
    return not name.startswith("/") and ":" not in name.split("/")[0][:2] and ".." not in PurePosixPath(name).parts
