"""Which files of a folder are read, with which language, split and images."""

from pathlib import Path

import pytest

from mmner_core.data import LANGUAGES, SPLITS, find_files, read_examples
from mmner_core.errors import InputError
from tests.told import names, refused

TINY = Path(__file__).parents[1] / "data" / "tiny"
SENTENCE = "IMGID:a\nx\tO\n"


def lay_out(root: Path, *names: str) -> Path:
    """Create files with one sentence each."""
    for name in names:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(SENTENCE)
    return root


def found(root: Path, **options: str) -> list[tuple[str, str | None, str | None]]:
    """Return file name relative to the root, language and split of everything found."""
    files = find_files(root, **options).files
    return [(file.path.relative_to(root).as_posix(), file.language, file.split) for file in files]


def test_tiny_data_is_read_with_its_images() -> None:
    """Four languages, three splits, and every image that is named is there."""
    examples, report = read_examples(TINY)
    assert (len(examples), len(report.files)) == (56, 12)
    assert (report.without_image, report.images_present, report.images_missing) == (12, 44, 0)
    assert {example.language for example in examples} == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("split", SPLITS)
def test_tiny_data_needs_its_images(language: str, split: str) -> None:
    """In every split some words stand twice, with another image and other tags."""
    examples, _ = read_examples(TINY, language=language, split=split)
    pairs = [(a, b) for a in examples for b in examples if a.words == b.words and a.image_id != b.image_id]
    assert pairs
    assert all(a.tags != b.tags for a, b in pairs)


def test_authors_layout_is_found(tmp_path: Path) -> None:
    """Folders and files as MMNERD's authors name them; images lie beside the language folders."""
    names = [f"train_valid_test_{code}/{split}_conll_format.txt" for code in ("en", "de") for split in SPLITS]
    (lay_out(tmp_path, *names) / "images").mkdir()
    assert found(tmp_path, split="valid") == [
        ("train_valid_test_en/valid_conll_format.txt", "en", "valid"),
        ("train_valid_test_de/valid_conll_format.txt", "de", "valid"),
    ]
    assert {file.images for file in find_files(tmp_path).files} == {tmp_path / "images"}


def test_union_folder_is_not_read_twice(tmp_path: Path) -> None:
    """Beside the single languages all_lang is left out with a note; alone it is read, with no language."""
    root = lay_out(tmp_path, "train_valid_test_all_lang/train_conll_format.txt")
    assert found(root) == [("train_valid_test_all_lang/train_conll_format.txt", None, "train")]
    lay_out(tmp_path, "train_valid_test_fr/train_conll_format.txt")
    assert [language for _, language, _ in found(root)] == ["fr"]
    assert "all_lang was left out" in find_files(root).notes[0]


def test_language_chooses_among_folders(tmp_path: Path) -> None:
    """Only the folder asked for is read; a missing one is named with those there are."""
    root = lay_out(tmp_path, "en/test.txt", "es/test.txt")
    assert found(root, language="es") == [("es/test.txt", "es", "test")]
    with refused("fr", "en", "es"):
        find_files(root, language="fr")


def test_language_names_what_no_folder_does(tmp_path: Path) -> None:
    """A folder or file without a language takes the one given, and has none otherwise."""
    root = lay_out(tmp_path / "corpus", "train.conllu", "dev.conllu")
    assert found(root) == [("train.conllu", None, "train"), ("dev.conllu", None, "valid")]
    assert {file.language for file in find_files(root, language="de").files} == {"de"}
    assert find_files(root / "dev.conllu", language="fr").files[0].language == "fr"


def test_single_file_knows_its_folder(tmp_path: Path) -> None:
    """A file takes language and split from its place; a contradiction is refused."""
    file = lay_out(tmp_path, "fr/test.txt") / "fr" / "test.txt"
    (only,) = find_files(file).files
    assert (only.language, only.split, only.images) == ("fr", "test", None)
    with refused("test split", "not train"):
        find_files(file, split="train")


def test_given_image_folder_wins(tmp_path: Path) -> None:
    """The argument is used even where a folder lies beside the data."""
    root = lay_out(tmp_path, "en/train.txt", "images/a.jpg", "other/a.jpg")
    assert read_examples(root)[0][0].image == root / "images" / "a.jpg"
    assert read_examples(root, images=root / "other")[0][0].image == root / "other" / "a.jpg"


def test_folder_above_a_plain_file_is_not_searched(tmp_path: Path) -> None:
    """Images are looked for beside a language folder, not two levels up from just any file."""
    root = lay_out(tmp_path, "images/a.jpg", "notes/data.txt")
    example = read_examples(root / "notes" / "data.txt")[0][0]
    assert (example.image_id, example.image) == ("a", None)


def test_language_without_the_split_is_noted(tmp_path: Path) -> None:
    """A split only some languages have is read from those, and the note says which lacks it."""
    root = lay_out(tmp_path, "en/train.txt", "en/test.txt", "es/train.txt")
    assert found(root, split="test") == [("en/test.txt", "en", "test")]
    _, report = read_examples(root, split="test")
    assert names(report.summary(), "es", "test")


@pytest.mark.parametrize(
    ("names", "options", "named"),
    [
        ((), {}, ["data files", "train.txt"]),
        (("readme.md",), {}, ["data files"]),
        (("en/train.txt",), {"split": "test"}, ["test split"]),
        (("en/train.txt",), {"split": "tset"}, ["'tset'", "train, valid, test"]),
        (("en/train.txt",), {"language": "it"}, ["'it'", "en, fr, de, es"]),
        (("en/valid.txt", "en/dev.txt"), {}, ["valid", "dev.txt", "valid.txt"]),
        (("en/train.txt", "train_valid_test_en/train.txt"), {}, ["two folders", "en"]),
        (("wiki/en/train.txt", "conll/test.txt"), {}, ["conll, wiki"]),
        (("en/train.txt",), {"images": "nowhere"}, ["nowhere"]),
    ],
)
def test_what_cannot_be_found_is_said(
    tmp_path: Path, names: tuple[str, ...], options: dict[str, str], named: list[str]
) -> None:
    """One sentence each, with the choices where there are any."""
    with refused(*named):
        find_files(lay_out(tmp_path, *names), **options)


def test_missing_path_is_named(tmp_path: Path) -> None:
    """A path that is not there is an input error, not a traceback."""
    with pytest.raises(InputError, match="nowhere"):
        read_examples(tmp_path / "nowhere")


def test_language_contradicting_the_folder_is_refused(tmp_path: Path) -> None:
    """A folder for one language is not read as another."""
    with refused("en", "not fr"):
        find_files(lay_out(tmp_path, "en/train.txt") / "en", language="fr")
