"""Corruptions: each gets worse with the severity, and the same seed spoils in the same way."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from analysis.conditions.corruptions import CORRUPTIONS, GREY, SEVERITIES, blank_image, corrupt, noise_image
from mmner_core.errors import InputError


def drawn_photo(size: tuple[int, int] = (320, 256)) -> Image.Image:
    """Draw something with large shapes, fine lines and a gradient."""
    across = np.linspace(60, 220, size[0])[None, :]
    down = np.linspace(0, 120, size[1])[:, None]
    pixels = np.stack([across + 0 * down, 0 * across + down + 80, 250 - across + down / 2], axis=-1)
    photo = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(photo)
    draw.ellipse((40, 30, 160, 200), fill=(200, 30, 40))
    for x in range(180, size[0], 8):
        draw.line((x, 20, x - 30, size[1] - 20), fill=(20, 20, 20), width=2)
    return photo


def psnr(original: Image.Image, spoilt: Image.Image) -> float:
    """Return the peak signal-to-noise ratio in dB."""
    error = np.asarray(original, dtype=float) - np.asarray(spoilt, dtype=float)
    return float(10 * np.log10(255**2 / (error**2).mean()))


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", [name for name in CORRUPTIONS if name != "crop"])
def test_each_severity_is_worse_than_the_one_before(name: str, seed: int) -> None:
    """PSNR to the original falls strictly with the severity, and severity 1 already changes the photo."""
    photo = drawn_photo()
    ratios = [psnr(photo, corrupt(photo, name, severity, seed=seed)) for severity in SEVERITIES]
    assert ratios == sorted(ratios, reverse=True)
    assert len(set(ratios)) == len(SEVERITIES)
    assert ratios[0] < 45


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_harder_crop_shows_a_part_of_the_milder_crop(seed: int) -> None:
    """On a photo whose colours tell the place (PSNR says little of a crop), the window narrows on all four sides."""
    red, green = np.meshgrid(np.arange(256), np.arange(256))
    places = Image.fromarray(np.stack([red, green, 0 * red], axis=-1).astype(np.uint8))
    seen = [np.asarray(corrupt(places, "crop", severity, seed=seed))[..., :2] for severity in SEVERITIES]
    for milder, harder in zip(seen, seen[1:], strict=False):
        assert (harder.min(axis=(0, 1)) >= milder.min(axis=(0, 1))).all()
        assert (harder.max(axis=(0, 1)) <= milder.max(axis=(0, 1))).all()
        assert np.ptp(harder[..., 0]) < np.ptp(milder[..., 0])


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_same_seed_same_pixels_and_the_original_is_untouched(name: str) -> None:
    """Corruption is a pure function of photo, name, severity and seed."""
    photo = drawn_photo()
    before = photo.tobytes()
    assert corrupt(photo, name, 3, seed=5).tobytes() == corrupt(photo, name, 3, seed=5).tobytes()
    assert photo.tobytes() == before


@pytest.mark.parametrize("name", ["noise", "crop", "occlusion"])
def test_another_seed_spoils_elsewhere(name: str) -> None:
    """The random corruptions differ between seeds."""
    photo = drawn_photo()
    assert corrupt(photo, name, 3, seed=5).tobytes() != corrupt(photo, name, 3, seed=6).tobytes()


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize(("size", "mode"), [((1, 1), "RGB"), ((300, 2), "L"), ((2, 300), "RGBA"), ((9, 9), "P")])
def test_odd_sizes_and_modes_come_out_as_rgb(name: str, size: tuple[int, int], mode: str) -> None:
    """An image of one pixel, a line, with alpha or a palette is spoilt without complaint and keeps its size."""
    spoilt = corrupt(Image.new(mode, size), name, 5)
    assert (spoilt.mode, spoilt.size) == ("RGB", size)


def test_a_severity_means_the_same_on_a_large_photo() -> None:
    """A photo four times as large is shrunk first, so blur is as strong, within 1 dB, as on the small one."""
    small = drawn_photo()
    large = small.resize((1280, 1024), Image.Resampling.BICUBIC)
    spoilt = corrupt(large, "blur", 3)
    assert spoilt.size == small.size
    assert psnr(small, spoilt) == pytest.approx(psnr(small, corrupt(small, "blur", 3)), abs=1)


def test_replacement_images() -> None:
    """The blank image is even grey; noise is reproducible and not even."""
    assert blank_image((3, 2)).getcolors() == [(6, GREY)]
    assert noise_image((8, 8), seed=1).tobytes() == noise_image((8, 8), seed=1).tobytes()
    assert noise_image((8, 8), seed=1).tobytes() != noise_image((8, 8), seed=2).tobytes()
    assert noise_image((5, 4)).size == (5, 4)


def test_unknown_corruption_or_severity_is_named() -> None:
    """The message names what was asked for and what there is."""
    with pytest.raises(InputError, match="'fog'.*blur"):
        corrupt(drawn_photo(), "fog", 1)
    with pytest.raises(InputError, match="6"):
        corrupt(drawn_photo(), "blur", 6)
