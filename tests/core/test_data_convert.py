"""What is written is read back the same, whole or not at all."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmner_core.data import Example, convert, dataset_digest, read_examples, write_examples
from mmner_core.data.type_names import TypeNames
from mmner_core.errors import InputError
from mmner_core.labels import repair
from tests.told import refused

TINY = Path(__file__).parents[1] / "data" / "tiny"
TAGS = ("O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC")
no_controls = st.characters(exclude_categories=["Cs"], exclude_characters="\n\t\0")
odd = st.sampled_from(["\u200b", "\u00ad", "\ufeff", "\u2028", "\x85", "\u00a0", "IMGID:x", "#", "0", "\r", "O"])
word = st.text(no_controls, min_size=1, max_size=6) | odd
spaceless = word.map(lambda text: text.replace(" ", "")).filter(bool)
padded_free = word.filter(lambda text: text.strip(" ") in ("", text))
image_ids = st.none() | st.text(no_controls, min_size=1, max_size=8).filter(
    lambda text: text == text.strip(" ") and not text.endswith("\r")
)


@st.composite
def sentences(draw: st.DrawFn, words: st.SearchStrategy[str]) -> Example:
    """Draw a sentence with legal tags."""
    chosen = draw(st.lists(words, min_size=1, max_size=6))
    tags, _ = repair([draw(st.sampled_from(TAGS)) for _ in chosen])
    return Example(words=tuple(chosen), tags=tuple(tags), image_id=draw(image_ids))


def content(examples: list[Example]) -> list[tuple[object, ...]]:
    """Return what a file holds of each example."""
    return [(e.words, e.tags, e.image_id) for e in examples]


@settings(deadline=None, max_examples=30)
@given(examples=st.lists(sentences(padded_free), min_size=1, max_size=4), fmt=st.sampled_from(["mmnerd", "conllu"]))
def test_sentences_survive_writing_and_reading(
    tmp_path_factory: pytest.TempPathFactory, examples: list[Example], fmt: str
) -> None:
    """Words with any character, tags and image ids come back exactly."""
    file = tmp_path_factory.getbasetemp() / "round.txt"
    write_examples(file, examples, fmt=fmt, overwrite=True)
    assert content(read_examples(file, fmt=fmt)[0]) == content(examples)


@settings(deadline=None, max_examples=15)
@given(st.lists(sentences(spaceless), min_size=1, max_size=4))
def test_conversion_through_all_formats_is_exact(
    tmp_path_factory: pytest.TempPathFactory, examples: list[Example]
) -> None:
    """MMNERD to .conllu and back is the same file; through CoNLL only the image ids are left out."""
    folder = tmp_path_factory.getbasetemp()
    first, second, third = folder / "a.txt", folder / "b.conllu", folder / "c.txt"
    write_examples(first, examples, overwrite=True)
    convert(first, second, source_format="mmnerd", target_format="conllu", overwrite=True)
    convert(second, third, source_format="conllu", target_format="mmnerd", overwrite=True)
    assert third.read_bytes() == first.read_bytes()
    convert(first, second, source_format="mmnerd", target_format="conll", overwrite=True)
    read = read_examples(second, fmt="conll")[0]
    assert [(e.words, e.tags) for e in read] == [(e.words, e.tags) for e in examples]


def test_convert_says_what_the_target_cannot_carry(tmp_path: Path) -> None:
    """Image ids lost on the way to CoNLL columns are counted in a note."""
    report = convert(TINY / "en" / "train.txt", tmp_path / "out.conll", target_format="conll")
    assert report.sentences == 8
    assert "6 image ids were left out: conll cannot carry them." in report.summary()


def test_existing_target_is_kept_unless_told(tmp_path: Path) -> None:
    """Nothing is overwritten by accident, and on request it is."""
    target = tmp_path / "out.txt"
    target.write_text("precious")
    with pytest.raises(InputError, match="out.txt exists"):
        convert(TINY / "en" / "test.txt", target, target_format="mmnerd")
    assert target.read_text() == "precious"
    convert(TINY / "en" / "test.txt", target, target_format="mmnerd", overwrite=True)
    assert target.read_bytes() == (TINY / "en" / "test.txt").read_bytes()


def test_failed_conversion_leaves_nothing(tmp_path: Path) -> None:
    """A mistake at the last line leaves neither a target nor a temporary file."""
    source = tmp_path / "in.txt"
    source.write_text("a\tO\n\nb\tX\n")
    with pytest.raises(InputError, match=r"in\.txt:3"):
        convert(source, tmp_path / "out.txt", target_format="conllu")
    assert list(tmp_path.iterdir()) == [source]


def test_file_may_be_converted_onto_itself(tmp_path: Path) -> None:
    """Reading ends before the file is replaced."""
    file = tmp_path / "train.txt"
    file.write_bytes((TINY / "fr" / "train.txt").read_bytes())
    before = content(read_examples(file)[0])
    convert(file, file, target_format="conllu", overwrite=True)
    assert content(read_examples(file)[0]) == before


@pytest.mark.parametrize(
    ("words", "fmt"),
    [
        (("a\tb",), "mmnerd"),
        (("a\nb",), "mmnerd"),
        (("New York",), "conll"),
        ((" a",), "mmnerd"),
        (("\ud800",), "mmnerd"),
        (("a\0",), "conllu"),
        ((), "mmnerd"),
        (("-DOCSTART-", "x"), "conll"),
    ],
)
def test_word_that_would_not_come_back_is_refused(tmp_path: Path, words: tuple[str, ...], fmt: str) -> None:
    """A writer never changes a word to make it fit."""
    example = Example(words=words, tags=("O",) * len(words), where="x.txt:1")
    with pytest.raises(InputError, match=r"x\.txt:1: "):
        write_examples(tmp_path / "out.txt", [example], fmt=fmt)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("image_id", ["", " a", "a\n", "a\r", "a\tb"])
def test_image_id_that_would_not_come_back_is_refused(tmp_path: Path, image_id: str) -> None:
    """The same holds for image ids."""
    example = Example(words=("x",), tags=("O",), image_id=image_id)
    with pytest.raises(InputError, match="image id"):
        write_examples(tmp_path / "out.txt", [example])


@pytest.mark.parametrize("tags", [None, ("O",), ("O", "Z")])
def test_sentence_without_proper_tags_cannot_be_written(tmp_path: Path, tags: tuple[str, ...] | None) -> None:
    """The formats have one IOB2 tag per word."""
    with pytest.raises(InputError, match="tag"):
        write_examples(tmp_path / "out.txt", [Example(words=("a", "b"), tags=tags)])


def test_missing_target_folder_is_named(tmp_path: Path) -> None:
    """The message says which file could not be written and why."""
    with refused("out.txt", "No such file"):
        write_examples(tmp_path / "nowhere" / "out.txt", [Example(words=("a",), tags=("O",))])


def test_folder_is_not_converted(tmp_path: Path) -> None:
    """One file at a time."""
    with pytest.raises(InputError, match="one file at a time"):
        convert(TINY, tmp_path / "out.txt", target_format="conll")


def test_digest_depends_on_content_and_order_only() -> None:
    """The digest ignores where the data lies and sees every change in it."""
    examples, _ = read_examples(TINY)
    moved, _ = read_examples(TINY, images=TINY)
    assert dataset_digest(examples) == dataset_digest(moved)
    assert dataset_digest(examples) != dataset_digest(examples[::-1])
    joined = Example(words=("a", "b"), tags=("O", "O"))
    digests = {
        dataset_digest([joined]),
        dataset_digest([Example(words=("a b",), tags=("O",))]),
        dataset_digest([Example(words=("a", "b"), tags=("O", "O"), language="en")]),
        dataset_digest([Example(words=("a", "b"), tags=None)]),
        dataset_digest([Example(words=("a", "b"), tags=("O", "O"), image_id="x")]),
    }
    assert len(digests) == 5


@pytest.mark.parametrize("target_format", ["mmnerd", "parquet"])
def test_types_are_renamed_on_the_way(tmp_path: Path, target_format: str) -> None:
    """As told; a type that does not occur is refused and nothing is written."""
    source, target = tmp_path / "a.txt", tmp_path / "b.parquet"
    source.write_text("Anna\tB-PERSON\nUlm\tB-GPE\nMonday\tB-DATE\n")
    names = TypeNames.parse(["PERSON=PER", "GPE=LOC", "DATE=O"])
    convert(source, target, target_format=target_format, names=names)
    if target_format == "mmnerd":
        target = target.rename(tmp_path / "b.txt")
    assert read_examples(target)[0][0].tags == ("B-PER", "B-LOC", "O")
    with refused("--map PERSN", "DATE", "GPE", "PERSON"):
        convert(source, tmp_path / "c", target_format=target_format, names=TypeNames.parse(["PERSN=PER"]))
    assert not (tmp_path / "c").exists()
