"""Photo to pixels: the crop reported is what the encoder saw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from mmner_core.config import ImageConfig
from mmner_core.photos.open import Photo
from mmner_core.photos.preprocess import cut_square, decode_size, normalise, to_pixels

CONFIG = ImageConfig(library="timm", name="any", size=32)
SIZES = [(200, 100), (100, 200), (100, 100), (10, 8), (1, 50), (4000, 16)]


def photo(width: int, height: int) -> Photo:
    """Draw a photo whose red rises from left to right and whose green rises from top to bottom."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    array = np.stack([x, y, np.zeros_like(x)], axis=-1).round().astype(np.uint8)
    return Photo(Image.fromarray(array), (width, height))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("fraction", [1.0, 0.875, 0.5])
def test_the_crop_is_the_central_square(size: tuple[int, int], fraction: float) -> None:
    """Wide, tall, square or tiny: a square in the middle, the short side times the crop fraction, to a whole pixel."""
    config = ImageConfig(library="timm", name="any", size=32, crop_fraction=fraction)
    square = cut_square(photo(*size), config)
    assert square.array.shape == (32, 32, 3)
    left, top, right, bottom = square.crop
    side = min(size) * 32 / round(32 / fraction)
    assert right - left == bottom - top == max(1, round(side))
    assert abs(left + right - size[0]) <= 1 and abs(top + bottom - size[1]) <= 1


@pytest.mark.parametrize(("size", "crop"), [((150, 100), (0, 0, 150, 100)), ((100, 140), (0, 0, 100, 140))])
def test_a_photo_may_be_squeezed_instead_of_cut(size: tuple[int, int], crop: tuple[int, ...]) -> None:
    """With a stretch of 1.5, all of a photo up to 3:2 is seen, its ends at the square's edges."""
    square = cut_square(photo(*size), replace(CONFIG, stretch=1.5))
    assert tuple(square.crop) == crop and square.array.shape == (32, 32, 3)
    assert square.array[16, 0, 0] <= 6 and square.array[16, -1, 0] >= 249
    assert square.array[0, 16, 1] <= 6 and square.array[-1, 16, 1] >= 249


@pytest.mark.parametrize(("size", "crop"), [((400, 100), (125, 0, 275, 100)), ((4, 1000), (0, 497, 4, 503))])
def test_a_longer_photo_is_squeezed_so_far_and_cut_beyond(size: tuple[int, int], crop: tuple[int, ...]) -> None:
    """A panorama keeps its middle: squeezed further, nothing in it could be known again."""
    assert tuple(cut_square(photo(*size), replace(CONFIG, stretch=1.5)).crop) == crop


@pytest.mark.parametrize("seed", [None, 0, 1, 2])
def test_the_crop_says_what_the_pixels_show(seed: int | None) -> None:
    """The colours at the square's edges are those of the photo at the crop's edges, also for a random place."""
    width, height = 300, 200
    rng = None if seed is None else np.random.default_rng(seed)
    square = cut_square(photo(width, height), CONFIG, rng)
    left, top, right, bottom = square.crop
    assert 0 <= left < right <= width and 0 <= top < bottom <= height
    red, green = square.array[16, :, 0].astype(float), square.array[:, 16, 1].astype(float)
    seen = sorted((red[0], red[-1]))  # a flipped square runs the other way
    assert seen[0] == pytest.approx(255 * left / width, abs=6) and seen[1] == pytest.approx(255 * right / width, abs=6)
    assert green[0] == pytest.approx(255 * top / height, abs=6)
    assert green[-1] == pytest.approx(255 * bottom / height, abs=6)


def test_the_crop_refers_to_the_original_of_a_photo_decoded_smaller() -> None:
    """A photo decoded at half its size gives the same pixels and the same crop, in the original's pixels."""
    whole = photo(400, 300)
    half = Photo(whole.image.resize((200, 150)), whole.size)
    a, b = cut_square(whole, CONFIG), cut_square(half, CONFIG)
    assert a.crop == pytest.approx(b.crop)
    assert np.abs(a.array.astype(int) - b.array.astype(int)).max() <= 3


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("size", [(400, 300), (301, 977), (50, 33), (32, 32), (9, 7), (1, 1)])
def test_photos_are_resized_as_pillow_does(size: tuple[int, int], interpolation: str) -> None:
    """Made smaller or larger, the square differs from Pillow's by no more than a step of brightness."""
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), dtype=np.uint8))
    config = replace(CONFIG, interpolation=interpolation)
    square = cut_square(Photo(noise, size), config)
    by_pillow = noise.crop(tuple(map(int, square.crop))).resize(
        (32, 32), {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}[interpolation]
    )
    assert np.abs(square.array.astype(int) - np.asarray(by_pillow).astype(int)).max() <= 1


def test_evaluation_is_deterministic_and_training_is_not() -> None:
    """The centre crop is always the same; random crops differ, flip about half of the time, and follow their seed."""
    assert cut_square(photo(90, 60), CONFIG).crop == cut_square(photo(90, 60), CONFIG).crop
    rng = np.random.default_rng(0)
    squares = [cut_square(photo(3000, 60), CONFIG, rng) for _ in range(40)]
    assert len({square.crop for square in squares}) == 40
    flipped = sum(int(square.array[0, 0, 0]) > int(square.array[0, -1, 0]) for square in squares)
    assert 10 <= flipped <= 30
    again = cut_square(photo(3000, 60), CONFIG, np.random.default_rng(0))
    assert again.crop == squares[0].crop and np.array_equal(again.array, squares[0].array)


def test_pixels_are_scaled_by_mean_and_deviation() -> None:
    """White becomes (1 - mean) / std in each channel."""
    config = ImageConfig(library="timm", name="any", size=2, mean=(0.5, 0.25, 0.0), std=(0.5, 0.25, 1.0))
    pixels = normalise([np.full((2, 2, 3), 255, np.uint8)], config)
    assert pixels.shape == (1, 3, 2, 2)
    assert pixels[0, :, 0, 0].tolist() == pytest.approx([1.0, 3.0, 1.0])


def test_each_encoder_gets_its_own_pixels() -> None:
    """ViT and CNN may read at different sizes; the crop reported is the ViT's."""
    vit = ImageConfig(library="open_clip", name="any", size=16)
    cnn = ImageConfig(library="timm", name="any", size=32, crop_fraction=0.5)
    pixels, crops = to_pixels([photo(40, 20), photo(20, 40)], vit, cnn)
    assert pixels.vit.shape == (2, 3, 16, 16) and pixels.cnn.shape == (2, 3, 32, 32)
    assert [tuple(crop) for crop in crops] == [(10, 0, 30, 20), (0, 10, 20, 30)]
    alone, _ = to_pixels([photo(40, 20)], None, cnn)
    assert alone.vit is None
    torch.testing.assert_close(alone.cnn, pixels.cnn[:1])
    assert decode_size(vit, cnn) == 128  # twice the 64 pixels that the CNN's short side is resized to


def test_a_photo_that_is_not_resized_is_cut_as_it_is() -> None:
    """The authors' crop for ResNet: so many pixels of the photo itself, all its short side where that is less."""
    config = ImageConfig(library="timm", name="any", size=32, resized=False)
    square = cut_square(photo(90, 60), config)
    assert tuple(square.crop) == (29, 14, 61, 46)
    np.testing.assert_array_equal(square.array, np.asarray(photo(90, 60).image)[14:46, 29:61])
    assert tuple(cut_square(photo(40, 20), config).crop) == (10, 0, 30, 20)
    half = Photo(photo(90, 60).image.reduce(2), (90, 60))
    assert tuple(cut_square(half, config).crop) == (28, 14, 60, 46)  # still 32 pixels of the original
    assert decode_size(None, config) is None


def test_an_encoder_may_see_the_centre_in_training_too() -> None:
    """CLIP's processor cuts no random square, whatever the other encoder does."""
    vit = ImageConfig(library="open_clip", name="any", size=16, train_crop="centre")
    cnn = ImageConfig(library="timm", name="any", size=16)
    plain, _ = to_pixels([photo(90, 60)], vit, cnn)
    shifted, _ = to_pixels([photo(90, 60)], vit, cnn, np.random.default_rng(0))
    assert torch.equal(shifted.vit, plain.vit)
    assert not torch.equal(shifted.cnn, plain.cnn)


def test_the_authors_random_crop_acts_in_evaluation_too() -> None:
    """With ``random_crop_at_test`` two readings of one photo differ, as they do in the authors' code.

    What the encoder gets is what lies within the crop reported: red rises with the place from left to right.
    """
    config = ImageConfig(library="timm", name="any", size=16, mean=(0, 0, 0), std=(1, 1, 1), random_crop_at_test=True)
    lefts = set()
    for _ in range(9):
        pixels, (crop,) = to_pixels([photo(90, 60)], None, config)
        assert pixels.cnn is not None
        assert (crop[2] - crop[0], crop[3] - crop[1]) == (60, 60)
        assert float(pixels.cnn[0, 0].mean()) == pytest.approx((crop[0] + crop[2] - 1) / 2 / 89, abs=0.01)
        lefts.add(crop[0])
    assert len(lefts) > 1
