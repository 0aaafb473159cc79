"""Looks at an upload in a process of its own: unpacks it, reads it, opens its photos, and writes the description.

Run as ``python -m analysis.jobs.look BYTES BYTES_OF_A_FILE [LANGUAGE]`` in the job's folder. Whatever is in the upload,
this process takes no more memory, time and disk than it may.
"""

from __future__ import annotations

import resource
import sys
from dataclasses import replace
from pathlib import Path

from analysis.jobs.description import Description, data_file, describe_upload, photo_folders
from analysis.jobs.job import DATA, PHOTOS, UPLOAD, write_description
from analysis.jobs.unpack import unpack_zip
from mmner_core.data.tables import JSON_LINES
from mmner_core.errors import InputError
from mmner_core.photos.folder import EXTENSIONS

DATA_ENDINGS = (".txt", ".conll", ".conllu", ".bio", ".tsv", ".csv", ".parquet", *JSON_LINES)
MEMORY = 6 << 30
SECONDS = 180
_TOO_BIG = "The data set takes more memory than this server allows; upload a part of it."


def look(folder: Path, *, max_bytes: int, max_file: int, language: str | None) -> Description:
    """Unpack, read and describe what lies in the folder's ``upload``.

    Args:
        folder: of the job, the working folder of this process.
        max_bytes: that all unpacked files may take.
        max_file: bytes of a photo.
        language: of a file that does not say.
    """
    notes: list[str] = []
    try:
        data, beside = _data(folder, max_bytes, notes)
        images = _photos(folder, max_bytes, max_file, notes)
        found = describe_upload(data, [*images, *beside], language)
    except InputError as error:
        return Description(problem=str(error))
    except MemoryError:
        return Description(problem=_TOO_BIG)
    return replace(found, notes=(*found.notes, *notes))


def _data(folder: Path, max_bytes: int, notes: list[str]) -> tuple[Path, list[Path]]:
    """Return what is to be read, and the folders of photos that came with it."""
    data = folder / DATA
    packed = folder / UPLOAD / "data.zip"
    if not packed.is_file():
        return next(data.iterdir()), []
    endings = (*DATA_ENDINGS, *EXTENSIONS)
    out = unpack_zip(
        packed, data, endings=endings, max_file=max_bytes, max_bytes=max_bytes, what="The zip of the data set"
    )
    packed.unlink()
    notes += out.notes("the zip of the data set")
    found = data_file(data)
    return found, [images] if (images := found / "images").is_dir() else []


def _photos(folder: Path, max_bytes: int, max_file: int, notes: list[str]) -> list[Path]:
    photos, packed = folder / PHOTOS, folder / UPLOAD / "photos.zip"
    if packed.is_file():
        out = unpack_zip(
            packed, photos, endings=EXTENSIONS, max_file=max_file, max_bytes=max_bytes, what="The zip of photos"
        )
        packed.unlink()
        notes += out.notes("the zip of photos")
        return photo_folders(photos)
    return [photos] if photos.is_dir() else []


def main() -> None:
    """Look at the upload in the working folder."""
    max_bytes, max_file, *language = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    folder = Path()
    found = look(folder, max_bytes=int(max_bytes), max_file=int(max_file), language=next(iter(language), None))
    write_description(folder, found)


if __name__ == "__main__":
    main()
