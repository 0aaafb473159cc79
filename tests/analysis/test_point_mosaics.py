"""Mosaics: fair groups, every arrangement mirrored, and accuracies that only a map that sees can have."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analysis.heat_maps.mosaic_game import BROKEN, play_mosaics
from analysis.heat_maps.mosaic_plan import (
    DISAGREE,
    IRRELEVANT,
    NO_NAME,
    NO_PHOTO,
    ONE_TYPE,
    SAME_PHOTO,
    SEVERAL,
    Group,
    find_subjects,
    plan_mosaics,
)
from analysis.heat_maps.places import Heat
from analysis.heat_maps.tables import mosaic_table, pointing_table
from mmner_core.data.example import Example
from mmner_core.labels import Entity
from mmner_core.photos.mosaics import LAYOUTS, Box

pytestmark = pytest.mark.slow  # plays the whole game again and again
COLOURS = {"PER": (250, 10, 10), "LOC": (10, 250, 10), "ORG": (10, 10, 250), "MISC": (240, 240, 10)}
CELLS = 10
WHOLE = Box(0, 0, 1, 1)


@pytest.fixture
def examples(tmp_path: Path) -> list[Example]:
    """Three sentences of each of four types, a fourth of PER, each with a photo in the colour of its type."""
    rows = []
    for i, kind in enumerate([*COLOURS, *COLOURS, *COLOURS, "PER"]):
        photo = tmp_path / f"{i}.png"
        Image.new("RGB", (60 + i, 40), COLOURS[kind]).save(photo)
        words = ("a", str(i))
        rows.append(Example(words=words, tags=(f"B-{kind}", "O"), language="en" if i % 2 else "fr", image=photo))
    return rows


def open_rgb(path: Path) -> Image.Image | None:
    """Read a photo from disk; None for one that is damaged."""
    try:
        with Image.open(path) as photo:
            return photo.convert("RGB")
    except OSError:
        return None


def seeing(image: Image.Image):  # noqa: ANN201 (the type of a fake)
    """Make maps: one finds the colour of the type, one avoids it, one is always left, one always red, one even."""
    cells = np.asarray(image.resize((CELLS, CELLS), Image.Resampling.BOX), dtype=float)
    near = {kind: -np.abs(cells - colour).sum(axis=-1) for kind, colour in COLOURS.items()}
    left = np.tile(np.arange(CELLS)[::-1], (CELLS, 1)).astype(float)

    def ask(words: Sequence[str], entity: Entity) -> dict[str, Heat]:
        own = near[entity.type]
        maps = {"oracle": own, "avoids": -own, "left": left, "red": near["PER"], "even": np.ones_like(left)}
        return {method: Heat(heat, WHOLE) for method, heat in maps.items()}

    return ask


def table_of(groups: Sequence[Group]) -> dict[tuple[str, str, str], dict]:
    """Play and return the rows by layout, method and type."""
    results, left_out = play_mosaics(groups, seeing, open_rgb)
    assert not left_out
    return {(row["layout"], row["method"], row["type"]): row for row in mosaic_table(results)}


def test_every_photo_visits_every_place_and_its_mirror() -> None:
    """Two photos have two arrangements, four photos four in which each is once in each quadrant, and so on."""
    visits = {"two": (2, 1), "four": (4, 1), "three": (6, None), "forty-sixty": (4, 1)}
    for name, (n, each) in visits.items():
        layout = LAYOUTS[name]
        arranged = list(Group(name=name, layout=layout, subjects=()).arrangements())
        assert len(arranged) == n
        for photo in range(len(layout.parts)):
            counts = Counter(one.parts[photo] for one in arranged)
            assert each is None or set(counts.values()) == {each}
            assert {part.mirrored() for part in counts} == set(counts)
        images = {frozenset(enumerate(one.parts)) for one in arranged}
        assert {frozenset((i, part.mirrored()) for i, part in one) for one in images} == images


def test_groups_mix_types_evenly_and_show_every_sentence(examples: list[Example]) -> None:
    """Each part another type, types equally often up to one, each sentence at least once; the same seed repeats."""
    plan = plan_mosaics(examples, seed=1)
    assert plan.groups == plan_mosaics(examples, seed=1).groups != plan_mosaics(examples, seed=2).groups
    for name, layout in LAYOUTS.items():
        groups = [group for group in plan.groups if group.name == name]
        kinds = Counter(subject.entity.type for group in groups for subject in group.subjects)
        assert max(kinds.values()) - min(kinds.values()) <= 1 and min(kinds.values()) >= 4
        assert all(len({subject.entity.type for subject in group.subjects}) == len(layout.parts) for group in groups)
        assert {subject.sentence for group in groups for subject in group.subjects} == set(range(len(examples)))
    limited = plan_mosaics(examples, limit=8).groups
    assert len({subject.sentence for group in limited for subject in group.subjects}) == 8


def test_photos_that_are_not_of_one_type_are_left_out_and_counted(examples: list[Example]) -> None:
    """Several names, another type in another sentence, no name, no photo, and an irrelevant pair."""
    first, second, third = (example.image for example in examples[:3])
    more = [
        Example(words=("a", "b"), tags=("B-PER", "B-LOC"), language="en", image=first),
        Example(words=("a",), tags=("B-MISC",), language="de", image=second),
        Example(words=("a",), tags=("O",), language="en", image=third),
        Example(words=("a",), tags=("B-PER",), language="en"),
        Example(words=("a",), tags=("B-LOC",), language="en", image=examples[4].image),
    ]
    irrelevant = [False] * (len(examples) + 4) + [True]
    subjects, left_out = find_subjects([*examples, *more], irrelevant)
    assert {subject.sentence for subject in subjects} == set(range(2, len(examples)))
    assert left_out == {SEVERAL: 1, DISAGREE: 1, NO_NAME: 1, NO_PHOTO: 1, IRRELEVANT: 1}


def test_a_layout_needs_as_many_types_as_parts(examples: list[Example]) -> None:
    """Of two types there are mosaics of two photos; the others are counted as left out."""
    two = [e for e in examples if e.tags is not None and e.tags[0] in ("B-PER", "B-LOC")]
    plan = plan_mosaics(two)
    assert {group.name for group in plan.groups} == {"two", "forty-sixty", SAME_PHOTO, ONE_TYPE}
    assert sum("more parts than there are types" in reason for reason in plan.left_out) == 2


def test_an_oracle_hits_everything_and_blind_maps_get_chance(examples: list[Example]) -> None:
    """What always points at the right part has 1 in every layout, swap too; what prefers a place or colour has not."""
    table = table_of(plan_mosaics(examples).groups)
    for layout in LAYOUTS:
        parts = len(LAYOUTS[layout].parts)
        row = table[layout, "oracle", "all"]
        assert row["hit"] == 1 and row["chance"] == pytest.approx(1 / parts) and row["n"] == len(examples)
        assert row["swap"] == (1 if parts == 2 else None)
        assert table[layout, "avoids", "all"]["hit"] < row["chance"]
        assert table[layout, "even", "all"]["hit"] == pytest.approx(1 / parts)
        assert all(table[layout, "oracle", kind]["hit"] == 1 for kind in COLOURS)
    assert table["two", "left", "all"]["hit"] == 0.5 and table["two", "left", "all"]["swap"] == 0
    assert table["two", "even", "all"]["swap"] == 0.25
    assert table["two", "red", "PER"]["hit"] == 1 and table["two", "red", "PER"]["swap"] == 0


def test_the_controls_give_chance_whatever_the_map(examples: list[Example]) -> None:
    """The same photo twice is exactly 0.5 for every map; two photos of one type are for one that sees types alone."""
    table = table_of(plan_mosaics(examples).groups)
    for method in ("oracle", "avoids", "left", "red", "even"):
        row = table[SAME_PHOTO, method, "all"]
        assert (row["hit"], row["low"], row["high"], row["chance"], row["swap"]) == (0.5, 0.5, 0.5, 0.5, None)
    assert table[ONE_TYPE, "oracle", "all"]["hit"] == pytest.approx(0.5)


def test_cells_on_an_edge_belong_to_both_parts(examples: list[Example]) -> None:
    """On an odd grid over a cut of the image, the hits of two names asked for by one map still sum to 1."""

    def look(_: Image.Image):  # noqa: ANN202 (the type of a fake)
        heat = Heat(np.random.default_rng(0).integers(0, 2, (7, 7)).astype(float), Box(0.0625, 0.0625, 0.9375, 0.9375))
        return lambda words, entity: {"blind": heat}

    results, _ = play_mosaics(plan_mosaics(examples).groups, look, open_rgb)
    for layout in ("two", "forty-sixty", SAME_PHOTO, ONE_TYPE):
        assert results[results["layout"] == layout]["hit"].mean() == pytest.approx(0.5)


def test_runs_keep_two_photos_per_language(examples: list[Example]) -> None:
    """The table of earlier versions: method, language and quantity, counted in showings."""
    results, _ = play_mosaics(plan_mosaics(examples).groups, seeing, open_rgb)
    rows = {(row["method"], row["language"], row["quantity"]): row for row in pointing_table(results)}
    assert {key[1] for key in rows} == {"all", "en", "fr"}
    assert rows["oracle", "fr", "hit"]["value"] == 1 and rows["left", "all", "hit"]["value"] == 0.5
    assert rows["oracle", "all", "hit"]["n"] == (results["layout"] == "two").sum() / 5


def test_damaged_photos_are_counted(examples: list[Example], tmp_path: Path) -> None:
    """A mosaic with a photo that cannot be decoded is left out."""
    plan = plan_mosaics(examples)
    (tmp_path / "0.png").write_bytes(b"no image")
    results, left_out = play_mosaics(plan.groups, seeing, open_rgb)
    assert left_out[BROKEN] > 0 and 0 not in set(results["sentence"])


def test_nothing_fit_is_an_empty_table() -> None:
    """Without a photo there is no group and no row."""
    plan = plan_mosaics([Example(words=("a",), tags=("B-PER",), language="en")])
    assert plan.groups == () and plan.left_out[NO_PHOTO] == 1
    results, _ = play_mosaics(plan.groups, seeing, open_rgb)
    assert mosaic_table(results) == pointing_table(results) == []
