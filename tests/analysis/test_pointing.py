"""Paste tests: fair pairs, whole photos, and accuracies that blind maps cannot beat."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analysis.pointing import SIDE, hit, mass, paste, plan_paste_tests, play, pointing_table
from mmner_core.data.example import Example
from mmner_core.labels import Entity

COLOURS = {"PER": (250, 10, 10), "LOC": (10, 250, 10), "ORG": (10, 10, 250)}


@pytest.fixture
def examples(tmp_path: Path) -> list[Example]:
    """Twelve sentences of one entity with a photo in the colour of its type, one of two entities, one without photo."""
    rows = []
    for i in range(12):
        entity_type = list(COLOURS)[i % 3]
        photo = tmp_path / f"{i}.png"
        Image.new("RGB", (60 + i, 40), COLOURS[entity_type]).save(photo)
        rows.append(Example(words=("a", "b"), tags=(f"B-{entity_type}", "O"), language="en", image=photo))
    rows.append(Example(words=("a", "b"), tags=("B-PER", "B-LOC"), language="en", image=rows[0].image))
    rows.append(Example(words=("a",), tags=("B-PER",), language="en"))
    return rows


def open_rgb(path: Path) -> Image.Image:
    """Read a photo from disk."""
    with Image.open(path) as photo:
        return photo.convert("RGB")


def seeing(words: Sequence[str], picture: Image.Image, entity: Entity) -> dict[str, np.ndarray]:
    """Make maps: one that finds the colour of the type, one that finds any other, one always left, one even."""
    cells = np.asarray(picture.resize((7, 7), Image.Resampling.BOX), dtype=float)
    right = -np.abs(cells - COLOURS[entity.type]).sum(axis=-1)
    left = np.tile(np.arange(7)[::-1], (7, 1)).astype(float)
    return {"finds": right - right.min(), "avoids": -right, "left": left, "even": np.ones((7, 7))}


def test_planned_pairs_have_one_entity_and_a_photo_of_another_type(examples: list[Example]) -> None:
    """The sentence of two entities and the one without a photo are left out; the wrong photo shows another type."""
    tests = plan_paste_tests(examples)
    assert {test.sentence for test in tests} <= set(range(12))
    for test in tests:
        assert examples[test.donor].tags != examples[test.sentence].tags
        assert test.entity == Entity(0, 1, (examples[test.sentence].tags or ("",))[0][2:])
    assert plan_paste_tests(examples) == tests
    assert len(plan_paste_tests(examples, limit=3)) == 3
    assert set(plan_paste_tests(examples, limit=3)) <= set(tests)


@pytest.mark.parametrize("size", [(100, 100), (30, 300), (400, 20), (1, 1)])
def test_both_photos_are_whole_and_in_their_halves(size: tuple[int, int]) -> None:
    """Whatever its shape, a photo fills its half in one direction, stays inside it, and keeps its shape."""
    red, blue = (255, 0, 0), (0, 0, 255)
    pixels = np.asarray(paste(Image.new("RGB", size, red), Image.new("RGB", size[::-1], blue)))
    assert pixels.shape == (SIDE, SIDE, 3)
    for colour, first, shape in ((red, 0, size), (blue, SIDE // 2, size[::-1])):
        rows, columns = np.nonzero((pixels == colour).all(axis=-1))
        assert first <= columns.min() <= columns.max() < first + SIDE // 2
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert height == SIDE or width == SIDE // 2
        assert (height / width) == pytest.approx(shape[1] / shape[0], rel=0.1)


def test_hit_and_mass_by_hand() -> None:
    """The hottest cell decides a hit, the middle column is nobody's, and mass splits it."""
    heat = np.array([[3.0, 2.0, 1.0], [0.0, 0.0, -9.0]])
    assert (hit(heat, left=True), hit(heat, left=False)) == (1, 0)
    assert mass(heat, left=True) == pytest.approx((3 + 2 / 2) / 6)
    assert hit(heat[:, 1:], left=True) == 1
    assert hit(np.array([[0.0, 5.0, 0.0]]), left=True) == 0.5
    assert hit(np.array([[5.0, 0.0, 0.0, 5.0]]), left=True) == 0.5
    assert mass(np.full((2, 3), -1.0), left=True) == 0.5


def test_accuracy_of_maps_that_see_avoid_or_are_blind(examples: list[Example]) -> None:
    """A map that finds the photo scores 1, one that avoids it 0, a blind one exactly 0.5, per language too."""
    results = play(plan_paste_tests(examples), examples, seeing, open_rgb)
    table = pointing_table(results).set_index(["method", "language", "quantity"])
    for language in ("all", "en"):
        hits = {name: table.loc[(name, language, "hit"), "value"] for name in ("finds", "avoids", "left", "even")}
        assert hits == {"finds": 1, "avoids": 0, "left": 0.5, "even": 0.5}
    assert table.loc[("finds", "all", "mass"), "value"] > 0.6
    assert table.loc[("left", "all", "mass"), "value"] == pytest.approx(0.5)
    assert (table["chance"] == 0.5).all()
    assert table.loc[("finds", "all", "hit"), "n"] == 2 * len(plan_paste_tests(examples))
    interval = table.loc[("left", "all", "hit"), ["low", "high"]].tolist()
    assert interval == [0.5, 0.5]  # both showings of a pair are resampled together


def test_no_pairs_no_table(examples: list[Example]) -> None:
    """Data in which no photo of another type exists have no paste tests and an empty table."""
    tests = plan_paste_tests(examples[:1])
    assert tests == []
    assert pointing_table(play(tests, examples, seeing, open_rgb)).empty
