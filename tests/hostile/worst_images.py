"""Decode the hungriest image of each kind that is let in, each in a fresh process, and print what it took.

``python -m tests.hostile.worst_images [KIND ...]``
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from mmner_core.photos.limits import DEFAULT_LIMITS
from mmner_core.photos.open import open_photo
from tests.hostile.odd_images import encode, gif_of_comments, jpeg_of_scans, png_of_empty_chunks, rgb_profile

Image.MAX_IMAGE_PIXELS = None
REPOSITORY = Path(__file__).parents[2]
TARGET = 512
"""Short side that the shipped model asks for; images are also decoded whole, as nothing in the app does."""


def side(fmt: str) -> int:
    """Return the side of the biggest square image of a format that is let in."""
    return int(DEFAULT_LIMITS.pixels(fmt) ** 0.5)


def flat(fmt: str, mode: str) -> Image.Image:
    """Draw the biggest image of one colour."""
    return Image.new(mode, (side(fmt), side(fmt)))


def noise(fmt: str, mode: str) -> Image.Image:
    """Draw the biggest image of black and white noise in every band."""
    bands = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(19).integers(0, 2, (side(fmt), side(fmt), bands), dtype=np.uint8)
    return Image.fromarray(pixels.squeeze() * 255, mode)


KINDS: dict[str, Callable[[], bytes]] = {
    "png-palette-alpha": lambda: encode(flat("PNG", "P"), "PNG", compress_level=1, transparency=0),
    "png-noise": lambda: encode(noise("PNG", "RGB").crop((0, 0, 6000, 6000)), "PNG", compress_level=1),  # 30 MB
    "png-16-bit": lambda: encode(flat("PNG", "I;16"), "PNG", compress_level=1),
    "png-profile": lambda: encode(flat("PNG", "RGBA"), "PNG", compress_level=1, icc_profile=rgb_profile()),
    "png-chunks": lambda: png_of_empty_chunks(2_400_000),
    "gif-alpha": lambda: encode(flat("GIF", "P"), "GIF", transparency=0),
    "gif-comment": lambda: gif_of_comments(29),
    "webp-lossless": lambda: encode(flat("WEBP", "RGBA"), "WEBP", lossless=True, method=0, quality=0),
    "webp-noise": lambda: encode(noise("WEBP", "RGBA"), "WEBP", lossless=True, method=0, quality=0),
    "webp-lossy": lambda: encode(flat("WEBP", "RGBA"), "WEBP", method=0),
    "avif-noise": lambda: encode(noise("AVIF", "RGBA"), "AVIF", speed=10, quality=30),
    "tiff-float": lambda: encode(flat("TIFF", "F"), "TIFF", compression="tiff_deflate"),
    "tiff-lab": lambda: encode(flat("TIFF", "LAB"), "TIFF", compression="tiff_deflate"),
    "tiff-cmyk": lambda: encode(flat("TIFF", "CMYK"), "TIFF", compression="tiff_deflate"),
    "jpeg": lambda: encode(noise("JPEG", "RGB"), "JPEG", quality=8, subsampling=0),
    "jpeg-progressive": lambda: encode(noise("JPEG", "RGB"), "JPEG", quality=15, subsampling=0, progressive=True),
    "jpeg-cmyk": lambda: encode(flat("JPEG", "CMYK"), "JPEG", progressive=True),
    "jpeg-passes": lambda: jpeg_of_scans((side("JPEG"), side("JPEG")), 14),
}


def peak() -> int:
    """Return the most memory that this process has had, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def decode(file: Path, target: int | None) -> dict[str, object]:
    """Decode a file here and return what it took."""
    Image.init()
    before, began, clock = peak(), time.process_time(), time.perf_counter()
    try:
        photo = open_photo(file.read_bytes(), target=target)
        said = f"{photo.size[0]} x {photo.size[1]}"
    except ValueError as error:
        said = str(error)
    seconds = {"cpu": round(time.process_time() - began, 2), "wall": round(time.perf_counter() - clock, 2)}
    return {**seconds, "bytes": peak() - before, "said": said}


def measure(kind: str, target: int | None = TARGET) -> dict[str, object]:
    """Write an image in one process, decode it in another, and return what that took."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / kind
        _run("write", kind, str(file))
        size = file.stat().st_size
        record: dict[str, object] = json.loads(_run("read", str(file), str(target or 0)))
        return {**record, "file": size}


def _run(*arguments: str) -> str:
    command = [sys.executable, "-m", "tests.hostile.worst_images", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout


def main(arguments: list[str]) -> None:
    """Write, read, or measure."""
    if arguments[:1] == ["write"]:
        Path(arguments[2]).write_bytes(KINDS[arguments[1]]())
    elif arguments[:1] == ["read"]:
        sys.stdout.write(json.dumps(decode(Path(arguments[1]), int(arguments[2]) or None)))
    else:
        for kind in arguments or KINDS:
            for target in (TARGET, None):
                record = measure(kind, target)
                took = f"{record['cpu']:5.2f} s of processor time, {int(str(record['bytes'])) / 1e6:4.0f} MB"
                whole = "whole  " if target is None else "reduced"
                sys.stdout.write(
                    f"{kind:18} {int(str(record['file'])) / 1e6:5.1f} MB {whole} {took}: {record['said']}\n"
                )
                sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
