"""A corpus of small images, each broken in many ways: an image within the limits, or an input error; counted."""

from __future__ import annotations

import random
import time
import warnings

import pytest
from PIL import ExifTags, Image

from mmner_core.errors import InputError
from mmner_core.photos.limits import ImageLimits
from mmner_core.photos.open import open_photo
from tests.hostile import odd_images
from tests.hostile.counting import TIMES, count
from tests.hostile.odd_images import encode, plain
from tests.hostile.visitor import sentence

MUTATIONS = 80 * TIMES
LIMITS = ImageLimits(max_pixels=500_000, max_memory=10_000_000, max_seconds=1.0)
EXIF = Image.Exif()
EXIF[ExifTags.Base.Orientation] = 6
NOISE = Image.effect_noise((48, 32), 80).convert("RGB")
MORE = [plain((48, 32), colour) for colour in ((0, 0, 255), (255, 255, 255))]
CORPUS = {
    "jpeg": encode(NOISE, "JPEG", exif=EXIF, icc_profile=odd_images.rgb_profile()),
    "jpeg-progressive": encode(NOISE, "JPEG", progressive=True),
    "jpeg-cmyk": encode(NOISE.convert("CMYK"), "JPEG"),
    "jpeg-grey": encode(NOISE.convert("L"), "JPEG", icc_profile=odd_images.grey_profile(2.2)),
    "png": encode(NOISE, "PNG", exif=EXIF, icc_profile=odd_images.rgb_profile()),
    "png-palette": encode(NOISE.quantize(16), "PNG", transparency=0),
    "png-16-bit": odd_images.png_of_deep_pixels(24, 16, (50_000, 1_000, 30_000, 40_000)),
    "png-animated": encode(NOISE, "PNG", save_all=True, append_images=MORE),
    "gif": encode(NOISE, "GIF", interlace=1),
    "gif-animated": encode(NOISE, "GIF", save_all=True, append_images=MORE, loop=0),
    "webp": encode(NOISE, "WEBP", exif=EXIF, icc_profile=odd_images.rgb_profile()),
    "webp-lossless": encode(NOISE.convert("RGBA"), "WEBP", lossless=True),
    "webp-animated": encode(NOISE, "WEBP", save_all=True, append_images=MORE),
    "bmp": encode(NOISE, "BMP"),
    "bmp-palette": encode(NOISE.convert("L"), "BMP"),
    "tiff": encode(NOISE, "TIFF", exif=EXIF),
    "tiff-lzw": encode(NOISE, "TIFF", compression="tiff_lzw", icc_profile=odd_images.rgb_profile()),
    "tiff-jpeg": encode(NOISE, "TIFF", compression="jpeg"),
    "tiff-cmyk": encode(NOISE.convert("CMYK"), "TIFF", compression="tiff_deflate"),
    "tiff-pages": encode(NOISE, "TIFF", save_all=True, append_images=MORE),
    "tiff-tile": odd_images.tiff_of_one_tile(64),
    "avif": encode(NOISE, "AVIF", exif=EXIF),
    "avif-animated": encode(NOISE, "AVIF", save_all=True, append_images=MORE),
}  # fmt: skip


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Break a file: flip bits, overwrite numbers, repeat or drop a stretch, cut the end, or join two halves."""
    broken = bytearray(data)
    head = min(len(broken), chance.choice((64, 256, len(broken))))  # headers are where the harm is done
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        place = chance.randrange(head)
        kind = chance.randrange(6)
        if kind <= 1:
            broken[place] ^= 1 << chance.randrange(8)
        elif kind == 2:
            broken[place : place + 4] = chance.choice(
                (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\1\0\1")
            )
        elif kind == 3:
            stretch = broken[place : place + chance.randrange(1, 32)]
            broken[place:place] = stretch * chance.randrange(1, 4)
        elif kind == 4:
            del broken[place : place + chance.randrange(1, 16)]
        else:
            broken[place] = chance.randrange(256)
        head = min(head, len(broken)) or 1
        broken = broken or bytearray(b"\0")
    return bytes(broken[: chance.randrange(len(broken))] if chance.random() < 0.15 else broken)


@pytest.mark.parametrize("name", CORPUS)
def test_mutated_image(name: str) -> None:
    """Whatever is broken in it: upright RGB of the size it claims, within limits and in time, or one sentence."""
    chance = random.Random(f"hostile {name}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of what it can live with
        assert open_photo(CORPUS[name]).size in ((48, 32), (32, 48), (24, 16), (16, 16))
        for _ in range(MUTATIONS):
            check(mutate(CORPUS[name], chance), chance.choice((None, 8)))


@pytest.mark.parametrize("length", range(0, 40, 13))
def test_first_bytes_of_every_kind(length: int) -> None:
    """Cut in the middle of the header."""
    for data in CORPUS.values():
        check(data[:length], None)


def check(data: bytes, target: int | None) -> None:
    """Open what may be broken."""
    count("mutated images")
    began = time.thread_time()
    try:
        photo = open_photo(data, target=target, limits=LIMITS)
    except InputError as error:
        assert sentence(error).startswith("The image")
    else:
        assert photo.image.mode == "RGB"
        assert 0 < photo.size[0] * photo.size[1] <= LIMITS.max_pixels
        assert photo.image.size == photo.size or target is not None
    assert time.thread_time() - began < 2
