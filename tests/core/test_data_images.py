"""Images come back upright, RGB and whole, or with one sentence that says why not."""

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from mmner_core.data import ImageLimits, open_image, open_photo
from mmner_core.errors import InputError
from tests.told import refused

RED, WHITE = (200, 10, 10), (255, 255, 255)
READABLE = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")


def encode(image: Image.Image, fmt: str = "PNG", **options: Any) -> bytes:
    """Return the bytes of an image file."""
    buffer = io.BytesIO()
    image.save(buffer, fmt, **options)
    return buffer.getvalue()


def red(size: tuple[int, int] = (40, 30), mode: str = "RGB") -> Image.Image:
    """Draw one colour."""
    return Image.new("RGB", size, RED).convert(mode)


def png_claiming(width: int, height: int) -> bytes:
    """Build a PNG whose header claims a size that its few bytes of data do not hold."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000))


def near(image: Image.Image, colour: tuple[int, int, int]) -> bool:
    """Say whether the middle pixel has this colour, up to compression."""
    found = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(found, tuple)
    return all(abs(a - b) <= 6 for a, b in zip(found, colour, strict=True))


@pytest.mark.parametrize("fmt", READABLE)
def test_every_named_format_is_read_whatever_its_extension(tmp_path: Path, fmt: str) -> None:
    """Path, string and bytes give the same image; the extension is not believed."""
    file = tmp_path / "photo.jpg"
    file.write_bytes(encode(red(), fmt))
    images = [open_image(file), open_image(str(file)), open_image(file.read_bytes())]
    assert all(image.mode == "RGB" and image.size == (40, 30) and near(image, RED) for image in images)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "CMYK", "YCbCr", "HSV", "RGBX"])
def test_colour_modes_keep_the_colour(mode: str) -> None:
    """An open image in any colour mode comes back in RGB with the colour it shows."""
    assert near(open_image(red(mode=mode)), RED)


def test_palette_keeps_the_colour() -> None:
    """Palette images are looked up, also when they shrink."""
    assert near(open_image(encode(red((400, 300)).quantize(4)), target=50), RED)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "PA", "La", "RGBa", "LAB", "I", "F", "I;16", "I;16B"])
def test_rare_modes_are_converted(mode: str) -> None:
    """No mode Pillow knows is a traceback."""
    assert open_image(Image.new(mode, (8, 8))).mode == "RGB"


def test_cmyk_jpeg_keeps_its_colour() -> None:
    """Print files are converted, not refused."""
    assert near(open_image(encode(red(mode="CMYK"), "JPEG", quality=95)), RED)


@pytest.mark.parametrize("fmt", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_not_clipped(fmt: str) -> None:
    """Half of 65,535 is half of 255."""
    grey = Image.fromarray(np.full((8, 8), 32768, np.uint16))
    assert near(open_image(encode(grey, fmt)), (127, 127, 127))


def test_float_grey_is_stretched() -> None:
    """Floating-point greys run from black to white, and a constant one does not divide by zero."""
    ramp = Image.fromarray(np.linspace(-3, 5, 64, dtype=np.float32).reshape(8, 8))
    image = open_image(encode(ramp, "TIFF"))
    assert image.getextrema() == ((0, 255),) * 3
    assert open_image(Image.new("F", (4, 4), 7.0)).getextrema() == ((0, 0),) * 3


@pytest.mark.parametrize(
    "data",
    [
        encode(Image.new("RGBA", (8, 8), (0, 0, 0, 0))),
        encode(Image.new("LA", (8, 8), (0, 0))),
        encode(Image.new("P", (8, 8)), transparency=0),
        encode(red((8, 8)), transparency=RED),
        encode(Image.new("P", (8, 8)), "GIF", transparency=0),
        encode(Image.new("RGBA", (8, 8), (0, 0, 0, 0)), "WEBP", lossless=True),
    ],
    ids=["rgba", "la", "palette", "rgb-key", "gif", "webp"],
)
def test_transparency_becomes_white(data: bytes) -> None:
    """Cut-outs stand on white, as in a page, not on black."""
    assert near(open_image(data), WHITE)


@pytest.mark.parametrize("fmt", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_animation_shows_its_first_frame(fmt: str) -> None:
    """Later frames and pages are not looked at."""
    data = encode(red(), fmt, save_all=True, append_images=[Image.new("RGB", (40, 30), "blue")])
    assert near(open_image(data), RED)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("target", [None, 32])
def test_photo_is_turned_upright(orientation: int, target: int | None) -> None:
    """The corner that EXIF says is at the top left is there, at full size and shrunk; the size is the upright one."""
    upright = Image.new("RGB", (192, 128), "white")
    upright.paste("black", (0, 0, 96, 64))
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # orientation -> Image.Transpose that stores it that way
    stored = upright.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else upright
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    image, size, _ = open_photo(encode(stored, "JPEG", exif=exif), target=target)
    assert size == (192, 128)
    assert image.width > image.height
    corners = [image.getpixel((x * (image.width - 1), y * (image.height - 1))) for y in (0, 1) for x in (0, 1)]
    assert [sum(corner) < 384 for corner in corners] == [True, False, False, False]  # type: ignore[arg-type]


@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "GIF"])
def test_target_shrinks_but_not_below(fmt: str) -> None:
    """A big image comes back smaller with its short side at least the target, and its size is still known."""
    image, size, _ = open_photo(encode(red((1200, 900)), fmt), target=100)
    assert size == (1200, 900)
    assert 100 <= min(image.size) < 200
    assert near(image, RED)
    assert open_photo(encode(red((120, 90)), fmt), target=100).image.size == (120, 90)


def test_one_pixel_is_an_image() -> None:
    """The smallest image is read as it is, whatever the target."""
    assert open_photo(encode(red((1, 1))), target=224).image.size == (1, 1)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_is_no_reason_to_refuse() -> None:
    """Good pixels with a broken EXIF block are shown as stored."""
    data = encode(red(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert near(open_image(data), RED)


def test_colour_profile_is_no_obstacle() -> None:
    """An embedded ICC profile, sound or not, does not stop the image."""
    assert near(open_image(encode(red(), "JPEG", icc_profile=b"no profile at all")), RED)


JPEG = encode(red(), "JPEG")


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"", ["0 bytes"]),
        (JPEG[:-200], ["damaged"]),
        (JPEG[:30], ["damaged"]),
        (encode(red((300, 300)))[:-60], ["damaged"]),
        (b"<!DOCTYPE html><html></html>", ["web page"]),
        (b"\n <HTML><body>404</body>", ["web page"]),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", ["SVG"]),
        (b"\xef\xbb\xbf<?xml version='1.0'?><svg/>", ["SVG"]),
        (b"\0\0\0\x18ftypheic" + b"\0" * 99, ["HEIC"]),
        (b"just text", ["no format", "JPEG"]),
        (encode(red(), "EPS"), ["no format"]),
        (encode(red(), "PDF"), ["no format"]),
        (png_claiming(50_000, 50_000), ["60 million"]),
        (png_claiming(8_000, 8_000), ["8000 x 8000", "60 million"]),
        (png_claiming(7_000, 7_000), ["damaged"]),
        (encode(red((1, 3000))), ["1 x 3000", "narrow"]),
    ],
)
def test_what_is_no_image_is_refused_in_one_sentence(data: bytes, named: list[str]) -> None:
    """Each kind of bad file is told apart, without a path or a traceback."""
    with refused(*named) as caught:
        open_photo(data)
    assert str(caught.value).startswith("The image ")
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize("source", ["bytes", "file"])
def test_file_over_the_limit_is_refused(tmp_path: Path, source: str) -> None:
    """The limit is a setting, and it is checked before anything is decoded."""
    data = encode(Image.effect_noise((64, 64), 50))
    (tmp_path / "big.png").write_bytes(data)
    limits = ImageLimits(max_bytes=1000)
    with refused("0.001 MB"):
        open_photo(data if source == "bytes" else tmp_path / "big.png", limits=limits)


def test_open_image_is_held_to_the_limits_too() -> None:
    """An image that is already open may still be too big."""
    with refused("40 x 30", "0.001 million"):
        open_photo(red(), limits=ImageLimits(max_pixels=1000))


def test_open_but_cut_short_image_is_refused() -> None:
    """Pillow opens lazily: the damage shows when the pixels are wanted."""
    with pytest.raises(InputError, match="cut short"):
        open_photo(Image.open(io.BytesIO(JPEG[:-25])))


def test_limits_must_be_sensible() -> None:
    """A limit below one is a mistake in the settings."""
    with refused("max_pixels", "at least 1"):
        ImageLimits(max_pixels=0)


@pytest.mark.parametrize("name", ["gone.jpg", "a\0b.jpg", "x" * 300 + ".jpg", "."])
def test_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    """Missing files, impossible names and folders are input errors."""
    with pytest.raises(InputError, match="no image|cannot be read|folder or device"):
        open_photo(f"{tmp_path}/{name}")


def test_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    """A pipe nobody writes to would block the worker for ever."""
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(InputError, match="folder or device"):
        open_photo(tmp_path / "pipe.jpg")


SAMPLES = [encode(red((24, 16)), fmt) for fmt in READABLE] + [
    encode(red((24, 16)), "JPEG", progressive=True),
    encode(red((24, 16), "P"), "PNG", transparency=0),
    encode(red((24, 16)), "TIFF", compression="tiff_lzw"),
    encode(red((24, 16)), "GIF", save_all=True, append_images=[Image.new("RGB", (24, 16))]),
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of what it can live with
@settings(deadline=None, max_examples=250)
@given(
    data=st.sampled_from(SAMPLES),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6),
    keep=st.floats(0.1, 1),
)
@example(data=SAMPLES[READABLE.index("AVIF")], cuts=[(0.46875, 2)], keep=1.0)  # once a bare RuntimeError
def test_mutated_images_are_read_or_refused(data: bytes, cuts: list[tuple[float, int]], keep: float) -> None:
    """Flipped bytes and cut ends give an image or an input error, nothing else."""
    mutated = bytearray(data)
    for place, byte in cuts:
        mutated[int(place * (len(data) - 1))] = byte
    try:
        photo = open_photo(bytes(mutated[: int(keep * len(mutated))]), target=8)
    except InputError as error:
        assert str(error).startswith("The image")
        return
    assert photo.image.mode == "RGB"
    assert min(photo.size) >= 1
