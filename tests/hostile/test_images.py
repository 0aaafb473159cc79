"""Whatever is sent as a photo: it is looked at in its right colours, or one sentence says why not."""

from __future__ import annotations

import gzip
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import ExifTags, Image

from mmner_core.errors import InputError
from mmner_core.photos.limits import ImageLimits
from mmner_core.photos.open import open_photo
from tests.hostile import odd_images
from tests.hostile.odd_images import BLUE, RED, WHITE, encode, middle, plain
from tests.hostile.visitor import Visitor, sentence
from tests.hostile.worst_images import measure
from tests.told import names

ANIMATED = "The image is animated: only its first frame was looked at."
EVERY_FORMAT = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")


def near(found: tuple[int, ...], colour: tuple[int, ...], by: int = 3) -> bool:
    """Say whether two colours are the same, up to rounding and compression."""
    return all(abs(a - b) <= by for a, b in zip(found, colour, strict=True))


@pytest.mark.parametrize("fmt", EVERY_FORMAT)
def test_truncated(visitor: Visitor, fmt: str) -> None:
    """An upload that broke off in the middle."""
    data = encode(Image.effect_noise((200, 200), 50), fmt)
    assert names(visitor.refused(photo=data[: len(data) // 2]), "damaged", "cut short")


def test_zero_bytes(visitor: Visitor) -> None:
    """An upload of nothing."""
    assert names(visitor.refused(photo=b""), "0 bytes")


@pytest.mark.parametrize("fmt", EVERY_FORMAT)
def test_wrong_extension(visitor: Visitor, tmp_path_factory: pytest.TempPathFactory, fmt: str) -> None:
    """Every format under the name of every other: the content decides."""
    file = tmp_path_factory.mktemp("photo") / ("photo.png" if fmt == "JPEG" else "photo.jpg")
    file.write_bytes(encode(plain(), fmt))
    assert visitor.tagger.tag("best of Jordan", file, "en").image_size == (40, 30)


@pytest.mark.parametrize(
    "page", [b"<!DOCTYPE html><html><body>404</body></html>", b"\r\n<html>", b"<!-- moved -->", b"\xef\xbb\xbf<HEAD>"]
)
def test_html_called_jpg(visitor: Visitor, page: bytes) -> None:
    """A saved error page."""
    assert names(visitor.refused(photo=page), "web page", "JPEG")


def test_decompression_bomb(visitor: Visitor) -> None:
    """50,000 x 50,000 pixels in a few hundred bytes: refused by the header."""
    bomb = odd_images.png(50_000, 50_000, bytes(1000))
    assert names(visitor.refused(photo=bomb), "50000 x 50000 pixels", "60 million")


@pytest.mark.parametrize(("fmt", "most"), [("PNG", "60"), ("WEBP", "45.5"), ("TIFF", "41.7"), ("AVIF", "33.3")])
def test_more_pixels_than_the_format_may_have(fmt: str, most: str) -> None:
    """What a format needs per pixel decides how many of them are decoded; the sentence says how many."""
    assert f"{ImageLimits().pixels(fmt) / 1e6:.3g}" == most
    limits = ImageLimits(max_memory=200_000, max_pixels=15_000)
    with pytest.raises(InputError) as caught:
        open_photo(encode(plain((160, 100)), fmt), limits=limits)
    allowed = f"{limits.pixels(fmt) / 1e6:.3g} million{'' if fmt == 'PNG' else f' of a {fmt}'}"
    assert names(sentence(caught.value), "160 x 100 pixels", allowed)


def test_one_pixel(visitor: Visitor) -> None:
    """The smallest photo there is is looked at."""
    assert visitor.ask(photo=encode(plain((1, 1)))).image_size == (1, 1)


def test_ten_thousand_by_ten(visitor: Visitor) -> None:
    """A strip, which resizing by its short side would blow up."""
    assert names(visitor.refused(photo=encode(plain((10_000, 10)))), "10000 x 10 pixels", "too narrow")


@pytest.mark.parametrize("fmt", ["GIF", "WEBP", "PNG", "AVIF"])
def test_animated(visitor: Visitor, fmt: str) -> None:
    """The first frame is looked at, and a note says so; a still one gets no note."""
    data = encode(plain(), fmt, save_all=True, append_images=[plain(colour=BLUE), plain(colour=WHITE)])
    assert near(middle(open_photo(data).image), RED, by=6)
    assert ANIMATED in visitor.ask(photo=data).notes
    assert open_photo(encode(plain(), fmt)).notes == ()


def test_several_pages(visitor: Visitor) -> None:
    """Of a scan of many pages the first is looked at, and a note says so."""
    data = encode(plain(), "TIFF", save_all=True, append_images=[plain(colour=BLUE)])
    assert near(middle(open_photo(data).image), RED)
    assert any(names(note, "several pages") for note in visitor.ask(photo=data).notes)


def test_an_animation_damaged_after_its_first_frame(visitor: Visitor) -> None:
    """The frame that is looked at is sound."""
    data = encode(plain(), "GIF", save_all=True, append_images=[plain(colour=BLUE)])
    photo = open_photo(data[:-8])
    assert near(middle(photo.image), RED, by=6) and photo.notes == (ANIMATED,)
    assert visitor.ask(photo=data[:-8]).image_size == (40, 30)


@pytest.mark.parametrize("ink", [(0, 0, 0, 0), (255, 0, 0, 0), (0, 128, 64, 0), (30, 60, 90, 100), (0, 0, 0, 255)])
@pytest.mark.parametrize("fmt", ["TIFF", "JPEG"])
def test_cmyk(visitor: Visitor, fmt: str, ink: tuple[int, ...]) -> None:
    """A print file without a profile: each light is what neither its ink nor black takes away."""
    data = encode(plain(colour=ink, mode="CMYK"), fmt, **({"quality": 100} if fmt == "JPEG" else {}))
    lights = tuple(round((255 - colour) * (255 - ink[3]) / 255) for colour in ink[:3])
    assert near(middle(open_photo(data).image), lights)
    assert visitor.ask(photo=data).image_size == (40, 30)


def test_cmyk_with_a_profile(visitor: Visitor) -> None:
    """A printer whose cyan is a dark red, by its own profile."""
    data = encode(plain(colour=(255, 0, 0, 0), mode="CMYK"), "TIFF", icc_profile=odd_images.ink_profile((40, 50, 30)))
    assert near(middle(open_photo(data).image), odd_images.srgb_of_xyz(odd_images.xyz_of_lab(40, 50, 30)))
    assert visitor.ask(photo=data).image_size == (40, 30)


@pytest.mark.parametrize("target", [None, 16])
def test_sixteen_bit(visitor: Visitor, target: int | None) -> None:
    """Sixteen bits a colour, with and without alpha, and greys: scaled, also when the image is reduced."""
    deep = odd_images.png_of_deep_pixels(64, 48, (50_000, 1_000, 30_000))
    clear = odd_images.png_of_deep_pixels(64, 48, (50_000, 1_000, 30_000, 0))
    grey = encode(Image.fromarray(np.full((48, 64), 32_768, np.uint16)), "TIFF")
    colours = [middle(open_photo(data, target=target).image) for data in (deep, clear, grey)]
    assert near(colours[0], (195, 4, 117)) and near(colours[1], WHITE) and near(colours[2], (127, 127, 127))
    assert visitor.ask(photo=encode(Image.fromarray(np.full((900, 900), 32_768, np.uint16)))).image_size == (900, 900)


@pytest.mark.parametrize("fmt", ["PNG", "GIF"])
def test_palette_with_alpha(visitor: Visitor, fmt: str) -> None:
    """The transparent colour of a palette becomes white, the others stay, at full size and reduced."""
    image = Image.new("P", (64, 48), 1)
    image.putpalette([0, 0, 0, *RED])
    image.paste(0, (0, 0, 32, 48))
    data = encode(image, fmt, transparency=0)
    for target in (None, 16):
        shown = open_photo(data, target=target).image
        assert near(shown.getpixel((0, 0)), WHITE)  # type: ignore[arg-type]
        assert near(shown.getpixel((shown.width - 1, 0)), RED)  # type: ignore[arg-type]
    assert visitor.ask(photo=data).image_size == (64, 48)


@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_turned_by_exif(visitor: Visitor, fmt: str, orientation: int) -> None:
    """A phone held upright: width and height change places, and the dark corner is where the photographer saw it."""
    upright = plain((48, 64), WHITE)
    upright.paste((0, 0, 0), (0, 0, 24, 32))
    undo = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    data = encode(upright.transpose(undo[orientation]), fmt, exif=exif)
    photo = open_photo(data)
    assert photo.size == photo.image.size == (48, 64)
    corners = [photo.image.getpixel((x, y)) for y in (4, 60) for x in (4, 44)]
    assert [sum(corner) < 200 for corner in corners] == [True, False, False, False]  # type: ignore[arg-type]
    assert visitor.ask(photo=data).image_size == (48, 64)


@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("colour", [(100, 150, 50), (180, 120, 140), (0, 0, 0), (255, 255, 255)])
def test_colour_profile_of_a_camera(visitor: Visitor, fmt: str, colour: tuple[int, int, int]) -> None:
    """Adobe RGB: the colours shown are those that the profile's own formulas give."""
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}, "AVIF": {"quality": 100}}
    data = encode(plain(colour=colour), fmt, icc_profile=odd_images.rgb_profile(), **options.get(fmt, {}))
    light = (np.array(colour) / 255) ** odd_images.ADOBE_GAMMA
    reference = odd_images.srgb_of_xyz(np.array(odd_images.ADOBE_RGB).T @ light)
    assert near(middle(open_photo(data).image), reference, by=5 if fmt == "AVIF" else 3)
    assert visitor.ask(photo=data).image_size == (40, 30)


def test_colour_profile_of_greys() -> None:
    """A linear grey of one half is 188 in sRGB."""
    data = encode(Image.new("L", (8, 8), 128), icc_profile=odd_images.grey_profile(1.0))
    assert near(middle(open_photo(data).image), (188, 188, 188))


def test_colour_profile_with_a_palette_and_alpha() -> None:
    """The palette's colours are the profile's too, and what is transparent is white, not the profile's white."""
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 100, 150, 50])
    image.paste(0, (0, 0, 4, 8))
    shown = open_photo(encode(image, transparency=0, icc_profile=odd_images.rgb_profile())).image
    assert near(shown.getpixel((0, 0)), WHITE)  # type: ignore[arg-type]
    assert near(shown.getpixel((7, 0)), (66, 151, 34))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "profile",
    [
        b"no profile at all",
        odd_images.rgb_profile()[:200],
        odd_images.grey_profile(2.2),
        odd_images.rgb_profile() + b"x" * 99,
    ],
    ids=["garbage", "cut short", "of greys", "too long"],
)
def test_colour_profile_that_does_not_fit(visitor: Visitor, profile: bytes) -> None:
    """An image is shown as it is stored rather than refused, unless the profile can be used after all."""
    data = encode(plain(), "PNG", icc_profile=profile)
    assert open_photo(data).image.size == (40, 30)
    assert visitor.ask(photo=data).image_size == (40, 30)


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"hevc", b"mif1", b"msf1"])
def test_heic(visitor: Visitor, brand: bytes) -> None:
    """A clear no, and what to do."""
    photo = b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1heic" + bytes(99)
    assert names(visitor.refused(photo=photo), "HEIC", "JPEG")


def test_avif(visitor: Visitor) -> None:
    """Looked at, also when its first brand is the one of all such files."""
    data = encode(plain(), "AVIF")
    assert near(middle(open_photo(data).image), RED, by=6)
    assert visitor.ask(photo=data.replace(b"ftypavif", b"ftypmif1", 1)).image_size == (40, 30)


@pytest.mark.parametrize(
    "drawing",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><svg>&a;</svg>",
        b"\xef\xbb\xbf  <svg/>",
    ],
    ids=["script", "entity", "mark"],
)
def test_svg(visitor: Visitor, drawing: bytes) -> None:
    """A drawing is refused and never parsed, let alone run."""
    assert names(visitor.refused(photo=drawing), "SVG", "JPEG")


def test_svg_compressed(visitor: Visitor) -> None:
    """Nor is it unpacked."""
    assert names(visitor.refused(photo=gzip.compress(b"<svg/>")), "no format")


def test_thirty_megabytes(visitor: Visitor) -> None:
    """A JPEG of nearly 30 MB is looked at; one byte over the limit is refused."""
    limit = ImageLimits().max_bytes
    data = odd_images.noise_jpeg(29)
    assert 25_000_000 < len(data) < limit
    assert visitor.ask(photo=data + bytes(limit - len(data))).image_size
    assert names(visitor.refused(photo=data + bytes(limit + 1 - len(data))), "30.0 MB", "30 MB")


def test_same_file_from_twenty_visitors(visitor: Visitor, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Twenty at once, one file: the same answer for all, and the file is as it was."""
    file = tmp_path_factory.mktemp("photo") / "photo.webp"
    data = encode(
        plain(), "WEBP", save_all=True, append_images=[plain(colour=BLUE)], icc_profile=odd_images.rgb_profile()
    )
    file.write_bytes(data)
    with ThreadPoolExecutor(max_workers=20) as visitors:
        answers = list(visitors.map(lambda _: visitor.tagger.tag("best of Jordan", file, "en"), range(20)))
    assert file.read_bytes() == data
    for answer in answers:
        np.testing.assert_array_equal(answer.marginals, answers[0].marginals)
        assert answer.notes == answers[0].notes == (ANIMATED,)


def test_tile_of_a_hundred_million_pixels(visitor: Visitor) -> None:
    """A TIFF of 16 x 16 pixels in a tile that would unpack to 300 MB."""
    bomb = odd_images.tiff_of_one_tile(10_000)
    assert len(bomb) < 1_500_000
    assert names(visitor.refused(photo=bomb), "one tile")
    assert open_photo(odd_images.tiff_of_one_tile(64)).size == (16, 16)


def test_thousands_of_passes(visitor: Visitor) -> None:
    """A progressive JPEG of 100 kB that would be decoded for minutes; the usual ten passes are fine."""
    bomb = odd_images.jpeg_of_scans((3000, 2000), 3000)
    assert len(bomb) < 200_000
    assert names(visitor.refused(photo=bomb), "too many passes")
    assert open_photo(odd_images.jpeg_of_scans((300, 200), 10)).size == (300, 200)


@pytest.mark.parametrize(
    "bomb",
    [odd_images.gif_of_comments(3), odd_images.png_of_empty_chunks(60_000), odd_images.jpeg_of_empty_segments(300_000)],
    ids=["gif of comments", "png of empty chunks", "jpeg of empty segments"],
)
def test_file_that_is_all_wrapping(bomb: bytes) -> None:
    """What keeps the parser busy is stopped when the time is up, here a twentieth of a second; 4 by default."""
    with pytest.raises(InputError) as caught:
        open_photo(bomb, limits=ImageLimits(max_seconds=0.05))
    assert names(sentence(caught.value), "0.05 seconds")


@pytest.mark.parametrize("kind", ["png-palette-alpha", "webp-lossless"])
def test_hungriest_images_that_are_let_in(kind: str) -> None:
    """At the limit of its format an image takes less than 5 seconds of one core and 1 GB.

    ``python -m tests.hostile.worst_images`` measures all kinds.
    """
    record = measure(kind)
    assert " x " in str(record["said"])
    assert float(str(record["cpu"])) < 5
    assert int(str(record["bytes"])) < 1_000_000_000


@pytest.mark.parametrize(
    ("name", "value"), [("max_bytes", 0), ("max_pixels", -1), ("max_memory", 0), ("max_ratio", 0.5), ("max_seconds", 0)]
)
def test_limits_must_be_sensible(name: str, value: float) -> None:
    """A limit that refuses everything is a mistake in the settings, and is named."""
    with pytest.raises(InputError, match=name) as caught:
        ImageLimits(**{name: value})  # type: ignore[arg-type]
    sentence(caught.value)
