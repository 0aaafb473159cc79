"""Boxes: read from JSONL and Pascal VOC, brought into what the model sees, and hit by the hottest cell or not."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analysis.heat_maps.box_game import OUTSIDE, play_boxes
from analysis.heat_maps.boxes import NO_PHOTO, OTHER_SPLIT, read_boxes
from analysis.heat_maps.mentions import CARRIERS, find_mention
from analysis.heat_maps.places import Heat, chance, hit, in_boxes, mass
from analysis.heat_maps.tables import box_table
from analysis.heat_maps.voc import NO_BOX, NO_NAME, NO_XML, read_voc
from mmner_core.data.type_names import TypeNames
from mmner_core.errors import InputError
from mmner_core.labels import Entity
from mmner_core.photos.mosaics import Box, within
from mmner_core.photos.open import open_image

TYPES = ("PER", "LOC", "ORG", "MISC")
WHOLE = Box(0, 0, 1, 1)
ROW = {"image": "one.jpg", "name": "Ada", "type": "PER", "boxes": [[0.0, 0.0, 0.5, 0.5]]}
XML = """<annotation><size><width>40</width><height>20</height></size>
<object><name>Ada Byron</name><bndbox><xmin>0</xmin><ymin>5</ymin><xmax>10</xmax><ymax>20</ymax></bndbox></object>
<object><name>Ada Byron</name><bndbox><xmin>20</xmin><ymin>0</ymin><xmax>44</xmax><ymax>10</ymax></bndbox></object>
<object><name>Nobody</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object>
</annotation>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with two photos in ``images``."""
    (tmp_path / "images").mkdir()
    for name in ("one", "two"):
        Image.new("RGB", (40, 20)).save(tmp_path / "images" / f"{name}.jpg")
    return tmp_path


def write_rows(folder: Path, *rows: object) -> Path:
    """Write rows as JSONL; a text stays as it is."""
    file = folder / "boxes.jsonl"
    file.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return file


def test_a_box_in_coordinates_of_what_is_seen() -> None:
    """Of a photo whose middle half is seen, the edges move outwards and are cut off; outside of it nothing is left."""
    seen = Box(0.25, 0, 0.75, 1)
    assert within(Box(0.25, 0.1, 0.5, 0.9), seen) == Box(0, 0.1, 0.5, 0.9)
    assert within(Box(0, 0, 0.5, 0.5), seen) == Box(0, 0, 0.5, 0.5)
    assert within(Box(0.8, 0, 1, 1), seen) is None
    assert in_boxes([Box(0, 0, 0.2, 1)], Heat(np.zeros((2, 2)), seen)) is None


def test_hit_mass_and_chance_by_hand() -> None:
    """The hottest cell decides the hit, ties count their mean, negative cells have no mass."""
    heat = Heat(np.array([[3.0, 1.0], [0.0, -9.0]]), WHOLE)
    weights = in_boxes([Box(0, 0, 0.5, 1)], heat)
    np.testing.assert_array_equal(weights, [[1, 0], [1, 0]])
    assert (hit(heat, weights), mass(heat, weights), chance(weights)) == (1, 0.75, 0.5)
    assert hit(Heat(np.array([[0.0, 5.0], [0.0, 0.0]]), WHOLE), weights) == 0
    assert hit(Heat(np.zeros((2, 2)), WHOLE), weights) == 0.5
    assert mass(Heat(np.full((2, 2), -1.0), WHOLE), weights) == 0.5


def test_rows_have_sentences_in_each_language_or_their_own(folder: Path) -> None:
    """Without a sentence the name stands in ours, in the row's language or all; with one, where it stands there."""
    own = ROW | {"sentence": "Yesterday Ada sang", "language": "en", "split": "test"}
    rows = read_boxes(write_rows(folder, ROW, ROW | {"language": "fr"}, own), TYPES).rows
    assert [len(row.sentences) for row in rows] == [sum(map(len, CARRIERS.values())), len(CARRIERS["fr"]), 1]
    for words, entity in (sentence for row in rows for sentence in row.sentences):
        assert words[entity.start : entity.end] == ("Ada",) and entity.type == "PER"
    assert rows[2].sentences[0].words == ("Yesterday", "Ada", "sang")
    assert rows[0].where == f"{folder / 'boxes.jsonl'}:1" and rows[0].image == folder / "images" / "one.jpg"


def test_a_name_is_found_as_words_of_its_own_first() -> None:
    """A name within another word is passed over where it stands alone later, and taken where it does not."""
    words, entity = find_mention("Fordham praised Ford yesterday", "Ford", "ORG", "en")
    assert words[entity.start : entity.end] == ("Ford",)
    words, entity = find_mention("Fordham praised it", "Ford", "ORG", "en")
    assert words[entity.start : entity.end] == ("Fordham",)


def test_splits_and_missing_photos_are_counted(folder: Path) -> None:
    """A row of another split is left out only when a split is asked for; one that names none always stays."""
    rows = [ROW | {"split": "dev"}, ROW | {"split": "test"}, ROW, ROW | {"image": "gone.jpg"}]
    file = write_rows(folder, *rows)
    assert len(read_boxes(file, TYPES).rows) == 3
    chosen = read_boxes(file, TYPES, split="valid")
    assert len(chosen.rows) == 2 and chosen.left_out == {OTHER_SPLIT: 1, NO_PHOTO: 1}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", "the line is not JSON"),
        ({"name": "Ada"}, '"image"'),
        (ROW | {"name": " "}, "'name'.*empty"),
        (ROW | {"name": 3}, "'name'.* 3"),
        (ROW | {"type": "PERSON"}, "'type'.*'PERSON'.*--map PERSON=PER"),
        (ROW | {"boxes": []}, "'boxes'.*no box"),
        (ROW | {"boxes": [[0, 0, 1]]}, "'boxes', box 1 .*four numbers"),
        (ROW | {"boxes": [[0, 0, 1, 1], [0, 0, 40, 20]]}, "'boxes', box 2 .*from 0 to 1"),
        (ROW | {"boxes": [[0.5, 0, 0.5, 1]]}, "no part of the photo"),
        (ROW | {"split": "exam"}, "'split'.*'exam'"),
        (ROW | {"language": "it"}, "'language'.*'it'"),
        (ROW | {"sentence": "Nobody here", "language": "en"}, "'Ada'"),
        (ROW | {"image": "../one.jpg"}, "points outside the image folder"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_field(folder: Path, row: object, message: str) -> None:
    """One sentence, which begins with file and line."""
    file = write_rows(folder, ROW, row)
    with pytest.raises(InputError, match=message) as error:
        read_boxes(file, TYPES)
    assert str(error.value).startswith(f"{file}:2: ")


def test_types_may_be_renamed(folder: Path) -> None:
    """``--map`` is for boxes too; a file without any row to measure on is refused."""
    file = write_rows(folder, ROW | {"type": "PERSON", "split": "train"})
    assert read_boxes(file, TYPES, names=TypeNames.parse(["PERSON=PER"])).rows[0].type == "PER"
    with pytest.raises(InputError, match=rf"no row to measure on \(1 {OTHER_SPLIT}\)"):
        read_boxes(file, TYPES, split="test")


@pytest.fixture
def voc(folder: Path) -> Path:
    """Add tagged sentences about the photos, and the boxes of one of them."""
    text = "IMGID:one\nAda\tB-PER\nByron\tI-PER\nin\tO\nParis\tB-LOC\n\nIMGID:two\nEve\tB-PER\n"
    (folder / "posts.txt").write_text(text, encoding="utf-8")
    (folder / "xml").mkdir()
    (folder / "xml" / "one.xml").write_text(XML, encoding="utf-8")
    return folder


def test_pascal_voc(voc: Path) -> None:
    """Pixels become shares, a name's objects one row, what stands out is cut off, and the rest is counted."""
    found = read_voc(voc / "xml", voc / "posts.txt", TYPES)
    (row,) = found.rows
    assert (row.name, row.type) == ("Ada Byron", "PER")
    assert row.boxes == (Box(0, 0.25, 0.25, 1), Box(0.5, 0, 1, 0.5))
    assert row.sentences == ((("Ada", "Byron", "in", "Paris"), Entity(0, 2, "PER")),)
    assert found.left_out == {NO_XML: 1, NO_BOX: 1, NO_NAME: 1}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("</annotation>", "", r"one\.xml:\d: this is not XML"),
        ("<width>40</width>", "", r"one\.xml: .*'size/width'"),
        ("<width>40", "<width>0", r"one\.xml: .*'size'.*0 x 20"),
        ("<xmin>20", "<xmin>twenty", r"one\.xml: object 2: .*'bndbox/xmin'.*'twenty'"),
        ("<xmin>20", "<xmin>60", r"one\.xml: object 2: .*'bndbox'.*60, 0, 44, 10"),
        ("<name>Nobody</name>", "", r"one\.xml: object 3: .*'name'"),
        ("<annotation>", "<!DOCTYPE a [<!ENTITY b 'c'>]><annotation>", "entities of its own"),
    ],
)
def test_bad_xml_is_told_with_file_and_field(voc: Path, old: str, new: str, message: str) -> None:
    """One sentence says which object and field of which file."""
    (voc / "xml" / "one.xml").write_text(XML.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_voc(voc / "xml", voc / "posts.txt", TYPES)


def test_boxes_outside_of_what_is_seen_are_reported(folder: Path) -> None:
    """Of maps that cover the left half, rows on the right have their place reported."""
    left, right = ([[0, 0, 0.4, 1]], [[0.6, 0, 1, 1]])
    rows = read_boxes(write_rows(folder, ROW | {"boxes": left}, ROW | {"boxes": right, "type": "ORG"}), TYPES)

    def look(_: Image.Image):  # noqa: ANN202 (the type of a fake)
        def ask(words: Sequence[str], entity: Entity) -> dict[str, Heat]:
            hot = np.eye(4) * (entity.start + 1)
            return {"attention": Heat(hot[:1], Box(0, 0, 0.5, 1)), "even": Heat(np.ones((1, 4)), Box(0, 0, 0.5, 1))}

        return ask

    results, left_out, outside = play_boxes(rows.rows, look, open_image)
    assert left_out == {OUTSIDE: 1} and outside == [f"{folder / 'boxes.jsonl'}:2"]
    table = {(row["method"], row["type"]): row for row in box_table(results)}
    assert set(table) == {("attention", "all"), ("attention", "PER"), ("even", "all"), ("even", "PER")}
    assert table["attention", "all"]["hit"] == 1 and table["attention", "all"]["n"] == 1
    assert table["even", "PER"]["hit"] == table["even", "PER"]["chance"] == table["even", "PER"]["mass"] == 0.75
