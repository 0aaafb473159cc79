"""Hidden cells: exactly they change, to the photo's mean colour; what is no raster is refused."""

from typing import Any

import numpy as np
import pytest

from analysis.conditions.hidden_cells import HiddenCells, raster
from mmner_core.errors import InputError
from tests.analysis.tiny_model import drawn_photo


def test_only_the_hidden_cells_change() -> None:
    """The upper right and the lower left of a photo whose sides the raster does not divide."""
    photo = drawn_photo(size=(61, 41))
    covered = np.asarray(HiddenCells.read(["001", "100"]).cover(photo))
    pixels = np.asarray(photo)
    changed = (covered != pixels).any(-1)
    assert changed[:20, 41:].mean() > 0.9 and changed[20:, :20].mean() > 0.9
    assert not changed[:20, :41].any() and not changed[21:, 21:].any()
    np.testing.assert_allclose(covered[2, 59], pixels.reshape(-1, 3).mean(0), atol=0.51)
    assert (np.asarray(photo) == pixels).all()


def test_nothing_and_everything() -> None:
    """No hidden cell leaves the photo as it is; all of them leave one colour."""
    photo = drawn_photo()
    nothing, everything = HiddenCells.read(["00"] * 3), HiddenCells.read(("11",))
    np.testing.assert_array_equal(np.asarray(nothing.cover(photo)), np.asarray(photo))
    assert len(np.unique(np.asarray(everything.cover(photo)).reshape(-1, 3), axis=0)) == 1
    assert (nothing.share, everything.share, HiddenCells.read(["10"]).share) == (0, 1, 0.5)


@pytest.mark.parametrize(("size", "expected"), [((400, 300), (9, 12)), ((300, 400), (12, 9)), ((5000, 10), (1, 12))])
def test_cells_are_nearly_square(size: tuple[int, int], expected: tuple[int, int]) -> None:
    """Twelve along the longer side; at least one along the other."""
    assert raster(size) == expected


@pytest.mark.parametrize("value", [None, "01", [], [""], ["01", "0"], ["02"], [1], [["0"]], ["0"] * 33, ["0" * 33], {}])
def test_what_is_no_raster_is_refused(value: Any) -> None:
    """Whatever a program sends in its place."""
    with pytest.raises(InputError, match="hidden cells"):
        HiddenCells.read(value)
