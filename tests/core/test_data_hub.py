"""Data sets of Hugging Face ``datasets``, in and out: splits, class labels, embedded photos; and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mmner_core.data import Example, convert, read_examples
from mmner_core.errors import InputError
from mmner_core.evaluation.evaluate import read_split
from tests.core.large_jobs import photo, write_parquet
from tests.told import refused

NAMES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
ROWS: dict[str, list[Any]] = {
    "tokens": [["Anna", "Lee", "in", "Paris"], ["hello"], ["Lima"]],
    "ner_tags": [[1, 2, 0, 3], [0], [3]],
    "lang": ["en", "en", "es"],
}
TAGS = [("B-PER", "I-PER", "O", "B-LOC"), ("O",), ("B-LOC",)]


@pytest.fixture(autouse=True)
def _caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unpack photos, and keep the library's locks, under the test's own folder."""
    import datasets

    monkeypatch.setenv("MMNER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    monkeypatch.setattr(datasets.config, "HF_CACHE_HOME", tmp_path / "hf")


def make(path: Path, **columns: list[Any]) -> Any:
    """Return the three rows as the library has them: labels as numbers with names, photos embedded."""
    from datasets import ClassLabel, Dataset, Features, Image, List, Value

    shown = [{"bytes": photo(), "path": "a.png"}, None, {"bytes": photo(), "path": "b.png"}]
    data = {**ROWS, "image": shown, **columns}
    features = {"tokens": List(Value("string")), "ner_tags": List(ClassLabel(names=NAMES)), "lang": Value("string")}
    return Dataset.from_dict(data, features=Features({**features, "image": Image()}))


def save(kind: str, folder: Path) -> Path:
    """Write train and test the way the hub or ``save_to_disk`` does."""
    from datasets import DatasetDict

    data = make(folder)
    if kind == "disk":
        DatasetDict({"train": data, "test": data.select([0])}).save_to_disk(folder)
    else:
        (folder / "data").mkdir(parents=True)
        data.to_parquet(folder / "data" / "train-00000-of-00001.parquet")
        data.select([0]).to_parquet(folder / "data" / "test-00000-of-00001.parquet")
    return folder


def content(examples: list[Example]) -> list[tuple[Any, ...]]:
    """Return what was read of each sentence."""
    return [(e.words, e.tags, e.language, e.image.read_bytes() if e.image else None) for e in examples]


EXPECTED = [
    (tuple(words), tags, lang, image)
    for words, tags, lang, image in zip(ROWS["tokens"], TAGS, ROWS["lang"], [photo(), None, photo()], strict=True)
]


@pytest.mark.parametrize("kind", ["disk", "hub"])
def test_a_data_set_is_read_like_any_other(kind: str, tmp_path: Path) -> None:
    """Words, tags by name, language and the embedded photo, by split; evaluate finds the test split by itself."""
    folder = save(kind, tmp_path / "set")
    examples, report = read_examples(folder, split="train")
    assert content(examples) == EXPECTED
    assert (report.sentences, report.images_present, report.without_image) == (3, 2, 1)
    assert [e.where for e in examples][2] == f"{folder}[train]:2"
    tested, _, split = read_split(folder)
    assert (content(tested), split) == (EXPECTED[:1], "test")


def test_a_language_is_chosen_by_row(tmp_path: Path) -> None:
    """Of rows that name their language only those asked for are read, and the rest are counted."""
    examples, report = read_examples(save("hub", tmp_path / "set"), split="train", language="es")
    assert [e.words for e in examples] == [("Lima",)]
    assert "2 sentences of other languages were left out." in report.notes[0]


def test_splits_by_language_are_told_apart(tmp_path: Path) -> None:
    """Splits named test_en, val_fr, as on the hub, name the split and the language of their rows."""
    from datasets import DatasetDict

    rows = make(tmp_path).remove_columns(["lang", "image"]).select([0])
    DatasetDict({"test_en": rows, "test_fr": rows, "val_fr": rows}).save_to_disk(tmp_path / "set")
    assert [e.language for e in read_examples(tmp_path / "set", split="test")[0]] == ["en", "fr"]
    assert [e.language for e in read_examples(tmp_path / "set", split="valid", language="fr")[0]] == ["fr"]
    with refused("en", "valid", "test_en", "test_fr", "val_fr"):
        read_examples(tmp_path / "set", split="valid", language="en")


def test_photos_by_path_are_looked_for_in_the_image_folder(tmp_path: Path) -> None:
    """A column of paths works like the image lines of a text file, and cannot point elsewhere."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").write_bytes(photo())
    row = {"words": ["Lima"], "tags": ["B-LOC"]}
    rows = [{**row, "image": "a.jpg"}, {**row, "image": "gone"}]
    examples, report = read_examples(write_parquet(tmp_path / "train.parquet", rows))
    assert [e.image for e in examples] == [tmp_path / "images" / "a.jpg", tmp_path / "images" / "gone.jpg"]
    assert (report.images_present, report.images_missing) == (1, 1)
    outside = write_parquet(tmp_path / "bad.parquet", [{**row, "image": "../secret"}])
    with pytest.raises(InputError, match="points outside the image folder"):
        read_examples(outside)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"sentence": ["a"], "tags": ["O"]}, "has no column words or tokens; its columns are sentence, tags."),
        ({"words": ["a"], "tokens": ["a"], "tags": ["O"]}, "has both 'words' and 'tokens'"),
        ({"words": ["a"], "tags": [3]}, "holds int64 without the names that they stand for"),
        ({"words": ["a"], "tags": ["O", "O"]}, "[bad]:0: 1 words, but 2 tags."),
        ({"words": ["a"], "tags": ["PERSON"]}, "[bad]:0, word 1: 'PERSON' is not an IOB2 tag"),
        ({"words": ["a"], "tags": ["O"], "lang": "it"}, "there is no language 'it'"),
        ({"words": ["a", None], "tags": ["O", "O"]}, "[bad]:0, word 2: None is no text."),
    ],
)
def test_what_cannot_be_read_is_one_sentence(row: dict[str, Any], message: str, tmp_path: Path) -> None:
    """Unknown columns, labels without names, rows that do not fit: what, where, what to do."""
    with pytest.raises(InputError) as error:
        read_examples(write_parquet(tmp_path / "bad.parquet", [row]))
    assert message in str(error.value)


def test_a_damaged_data_set_is_one_sentence(tmp_path: Path) -> None:
    """Neither a broken Parquet file nor a folder that only looks the part ends in a traceback."""
    (tmp_path / "cut.parquet").write_bytes(b"PAR1junk")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "dataset_dict.json").write_text('{"splits": ["train"]}')
    for name in ("cut.parquet", "set"):
        with pytest.raises(InputError, match="no data set that Hugging Face datasets can open"):
            read_examples(tmp_path / name)


@pytest.mark.parametrize("kind", ["parquet", "disk"])
def test_a_text_file_becomes_a_data_set_and_comes_back(kind: str, tmp_path: Path) -> None:
    """What convert writes, the library opens with class labels and photos, and convert turns into the same text."""
    import datasets

    source = tmp_path / "train.txt"
    source.write_text("IMGID:a\nAnna\tB-PER\nLee\tI-PER\n\nhello\tO\n\n", encoding="utf-8")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(photo())
    target = tmp_path / ("train.parquet" if kind == "parquet" else "set")
    report = convert(source, target, target_format=kind, images=tmp_path / "photos")
    assert (report.sentences, report.images_present) == (2, 1)
    opened = datasets.load_from_disk(target) if kind == "disk" else datasets.Dataset.from_parquet(str(target))
    assert opened.features["tags"].feature.names == ["O", "B-PER", "I-PER"]
    assert (opened[0]["tags"], opened[0]["image"].size, opened[1]["image"]) == ([1, 2], (40, 30), None)
    examples, _ = read_examples(target)
    assert [(e.words, e.tags) for e in examples] == [(("Anna", "Lee"), ("B-PER", "I-PER")), (("hello",), ("O",))]
    assert examples[0].image is not None and examples[0].image.read_bytes() == photo()
    convert(target, tmp_path / "back.txt", target_format="mmnerd")
    assert (tmp_path / "back.txt").read_text(encoding="utf-8").replace("a.png", "a") == source.read_text(
        encoding="utf-8"
    )
    with pytest.raises(InputError, match="exists"):
        convert(source, target, target_format=kind)


@pytest.mark.parametrize("kind", ["parquet", "disk"])
def test_a_data_set_is_overwritten_as_a_whole(kind: str, tmp_path: Path) -> None:
    """Even by itself: the old one is read until the new one is complete, and nothing else is left."""
    folder = tmp_path / "folder"
    folder.mkdir()
    source, target = tmp_path / "train.txt", folder / ("set.parquet" if kind == "parquet" else "set")
    source.write_text("IMGID:a\nAnna\tB-PER\n\nhello\tO\n\n", encoding="utf-8")
    convert(source, target, target_format=kind)
    before = set(folder.rglob("*"))
    convert(target, target, target_format=kind, overwrite=True)
    assert len(read_examples(target)[0]) == 2
    assert set(folder.rglob("*")) == before
    source.write_text("IMGID:a\nAnna\tB-PER\n\nhello\tX\n\n", encoding="utf-8")
    with pytest.raises(InputError, match="X"):
        convert(source, target, target_format=kind, overwrite=True)
    assert len(read_examples(target)[0]) == 2
    assert set(folder.rglob("*")) == before


def test_a_split_must_be_chosen_for_converting(tmp_path: Path) -> None:
    """One file holds one split, so a data set of several asks which."""
    folder = save("disk", tmp_path / "set")
    with refused("train", "test", "--split"):
        convert(folder, tmp_path / "out.txt", target_format="mmnerd")
    assert convert(folder, tmp_path / "out.txt", target_format="mmnerd", split="test").sentences == 1


@pytest.mark.slow
def test_a_training_source_may_be_a_data_set(tmp_path: Path) -> None:
    """A source whose photos are embedded is trained on with them, or without where none are asked for."""
    from mmner_core.training.config import DataSource, TrainConfig
    from mmner_core.training.mixture import build_mixture

    save("hub", tmp_path / "set")
    (tmp_path / "valid.parquet").write_bytes((tmp_path / "set" / "data" / "test-00000-of-00001.parquet").read_bytes())
    for images, with_image in (("embedded", 2), (None, 0)):
        train, valid = DataSource(path="set", images=images), DataSource(path="valid.parquet")
        mixture = build_mixture(TrainConfig(train=(train,), valid=(valid,)), tmp_path)
        assert len(mixture.train) == 2  # the third sentence is held out by validation
        assert sum(item.example.image is not None for item in mixture.train) == with_image - bool(images)
