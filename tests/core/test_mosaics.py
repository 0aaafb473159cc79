"""Mosaics: photos at known places, and the cells that lie there."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mmner_core.photos.mosaics import LAYOUTS, Box, cells_inside, compose, random_layout

COLOURS = ("red", "lime", "blue", "white")


def photos(number: int) -> list[Image.Image]:
    """Return photos of one colour each, of different forms."""
    sizes = ((60, 30), (30, 60), (40, 40), (90, 20))
    return [Image.new("RGB", size, colour) for size, colour in zip(sizes, COLOURS, strict=True)][:number]


@pytest.mark.parametrize("name", LAYOUTS)
def test_each_photo_is_where_it_is_said_to_be(name: str) -> None:
    """The middle of each place has the photo's colour, and so have its corners, just inside."""
    layout = LAYOUTS[name]
    shown = photos(len(layout.parts))
    image, places = compose(shown, layout)
    side = image.width
    for photo, place in zip(shown, places, strict=True):
        for x, y in (
            ((place.left + place.right) / 2, (place.top + place.bottom) / 2),
            (place.left + 2 / side, place.top + 2 / side),
            (place.right - 3 / side, place.bottom - 3 / side),
        ):
            assert image.getpixel((int(x * side), int(y * side))) == photo.getpixel((0, 0))


def test_a_whole_photo_keeps_its_form_and_a_filled_part_has_none_free() -> None:
    """Letterboxed, a photo of 2:1 stays so; otherwise the parts cover the image."""
    _, [left, right] = compose(photos(2), LAYOUTS["two"])
    assert (left.right - left.left) == pytest.approx(2 * (left.bottom - left.top), rel=0.02)
    assert (right.bottom - right.top) == pytest.approx(2 * (right.right - right.left), rel=0.02)
    image, _ = compose(photos(4), LAYOUTS["four"])
    assert set(image.get_flattened_data()) == {photo.getpixel((0, 0)) for photo in photos(4)}


@pytest.mark.parametrize("parts", [1, 2, 4])
def test_random_layouts_tile_the_image(parts: int) -> None:
    """Parts do not overlap and leave nothing out; no draw is like another."""
    rng = np.random.default_rng(3)
    layouts = [random_layout(parts, rng) for _ in range(20)]
    for layout in layouts:
        area = sum((box.right - box.left) * (box.bottom - box.top) for box in layout.parts)
        assert len(layout.parts) == parts and area == pytest.approx(1)
    assert parts == 1 or len({layout.parts for layout in layouts}) == 20


def test_cells_are_inside_by_their_centre() -> None:
    """A box over the left half holds the left columns; the middle one of an odd grid, centred on its edge, too."""
    half = cells_inside([Box(0, 0, 0.5, 1)], (2, 4))
    assert half.tolist() == [[True, True, False, False]] * 2
    assert cells_inside([Box(0, 0, 0.5, 1)], (1, 3)).tolist() == [[True, True, False]]


def test_a_tiny_box_has_the_cell_it_lies_in() -> None:
    """No box is without a cell, not even at the edge; several boxes are joined."""
    found = cells_inside([Box(0.99, 0.99, 1, 1), Box(0, 0, 0.01, 0.01)], (4, 4))
    assert np.argwhere(found).tolist() == [[0, 0], [3, 3]]
