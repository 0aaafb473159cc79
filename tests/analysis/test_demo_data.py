"""The demo data that ships is well formed, credited, and as mixed as its tabs need it."""

import csv
import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

import analysis
from analysis.run.pair_table import match_pairs, read_pairs
from mmner_core.data import Example, ReadReport, read_examples
from mmner_core.labels import DEFAULT_TYPES, LabelSet, tags_to_entities

DEMO = Path(analysis.__file__).parent / "demo"
PHOTOS = DEMO / "photos"
LANGUAGES = ("en", "fr", "de", "es")
DETERMINERS = set("a an the this le la les l' un une du des der die das den dem des ein eine el los las un una".split())
each_language = pytest.mark.parametrize("language", LANGUAGES)


@cache
def read(language: str) -> tuple[list[Example], ReadReport]:
    """Read the demo sentences of one language with the product's own reader."""
    return read_examples(DEMO, images=PHOTOS, language=language)


def minimal_pairs(examples: list[Example]) -> list[list[Example]]:
    """Group the sentences whose words occur more than once."""
    by_words = defaultdict(list)
    for example in examples:
        by_words[example.words].append(example)
    return [group for group in by_words.values() if len(group) > 1]


def credit_lines() -> list[dict[str, str]]:
    """Read the credit lines, one per photo."""
    with (DEMO / "CREDITS.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_the_four_languages_are_there() -> None:
    """Each of the four languages has its folder with a test split, and there is no fifth."""
    assert {file.parent.name for file in DEMO.glob("*/test.txt")} == set(LANGUAGES)


@each_language
def test_enough_sentences_and_every_one_is_tagged(language: str) -> None:
    """A language has at least 75 sentences; none is empty, and each word has one tag of legal IOB2."""
    examples, report = read(language)
    assert len(examples) >= 75
    assert not (report.repaired_tags or report.iob1_files or report.empty_sentences or report.space_separated)
    for example in examples:
        assert example.language == language
        assert example.words and all(word and not re.search(r"\s", word) for word in example.words), example.where
        assert example.tags is not None and len(example.tags) == len(example.words), example.where
        LabelSet().encode(example.tags, example.where)


@each_language
def test_words_are_split_as_in_the_training_corpora(language: str) -> None:
    """Punctuation stands by itself, but for ordinals such as II., and French elision is split: l' homme."""
    for example in read(language)[0]:
        for word in example.words:
            assert not re.search(r"\w[.,;:!?…»“]$", word) or re.fullmatch(r"[IVX]+\.", word), (example.where, word)
            assert not re.search(r"^[(«„¿¡\"]\w", word), (example.where, word)
            assert language != "fr" or not re.search(r"['’]\w", word), (example.where, word)


@each_language
def test_no_name_begins_with_a_determiner(language: str) -> None:
    """A determiner in lower case stays outside the name."""
    for example in read(language)[0]:
        for entity in tags_to_entities(example.tags or ()):
            assert example.words[entity.start] not in DETERMINERS, example.where


@each_language
def test_every_image_id_has_its_photo(language: str) -> None:
    """No IMGID leads nowhere, and no sentence stands twice with the same photo."""
    examples, report = read(language)
    assert report.images_missing == 0
    for example in examples:
        assert example.image_id is None or (PHOTOS / f"{example.image_id}.jpg").is_file(), example.where
    assert len({(example.words, example.image_id) for example in examples}) == len(examples)


def test_every_photo_is_credited_and_used() -> None:
    """Photos and credit lines match one to one, each with author and licence, and a sentence shows each photo."""
    lines = credit_lines()
    photos = {file.name for file in PHOTOS.iterdir()}
    assert sorted(line["file"] for line in lines) == sorted(photos)
    assert all(line["shows"] and line["author"] and line["licence"] for line in lines)
    used = {example.image_id for language in LANGUAGES for example in read(language)[0]}
    assert {f"{image_id}.jpg" for image_id in used - {None}} == photos


def test_the_photos_are_whole() -> None:
    """Each photo begins and ends as a JPEG file does."""
    for file in PHOTOS.iterdir():
        data = file.read_bytes()
        assert data[:3] == b"\xff\xd8\xff" and data[-2:] == b"\xff\xd9", file.name


@each_language
def test_a_third_are_minimal_pairs(language: str) -> None:
    """At least 28 sentences share their words with another one that has another photo and another gold type."""
    groups = minimal_pairs(read(language)[0])
    assert sum(map(len, groups)) >= 28
    for group in groups:
        assert None not in {example.image_id for example in group}, group[0].where
        assert len({example.image_id for example in group}) == len(group), group[0].where
        assert len({example.tags for example in group}) == len(group), group[0].where
        spans = {tuple((e.start, e.end) for e in tags_to_entities(example.tags or ())) for example in group}
        assert len(spans) == 1, f"{group[0].where}: the photo changes the type of the name, not its extent"


@each_language
def test_minimal_pairs_ask_for_every_type(language: str) -> None:
    """In the minimal pairs each type is the right answer at least three times, so no single guess does well."""
    entities = (e for group in minimal_pairs(read(language)[0]) for x in group for e in tags_to_entities(x.tags or ()))
    counts = Counter(entity.type for entity in entities)
    assert set(counts) == set(DEFAULT_TYPES) and min(counts.values()) >= 3


@each_language
def test_minimal_pairs_show_several_of_a_kind(language: str) -> None:
    """Three persons, five places and two organisations at least, so that no single photo stands for its type."""
    shown = {example.image_id or "" for group in minimal_pairs(read(language)[0]) for example in group}
    counts = Counter(image_id.partition("_")[0] for image_id in shown)
    assert counts["per"] >= 3 and counts["loc"] >= 5 and counts["org"] >= 2


@each_language
@pytest.mark.parametrize(("photo", "surname"), [("per_barack_obama", "obama"), ("per_joe_biden", "biden")])
def test_a_president_bears_his_own_name(language: str, photo: str, surname: str) -> None:
    """Everybody knows these two faces: they show the man whom the sentence names, never a person of another name."""
    sentences = [example for example in read(language)[0] if example.image_id == photo]
    for example in sentences:
        assert surname in (word.lower() for word in example.words), example.where
    assert sentences


@each_language
def test_the_pair_table_says_what_each_photo_shows(language: str) -> None:
    """Row by row the data's own sentences: minimal pairs are type-level, five photos show something else."""
    examples, _ = read(language)
    pairs = match_pairs(read_pairs(DEMO / "pairs.tsv"), examples, "test", "pairs.tsv")
    kinds = [pair.kind for pair in pairs]
    several = {example.words for group in minimal_pairs(examples) for example in group}
    assert [kind == "no photo" for kind in kinds] == [example.image_id is None for example in examples]
    assert [kind == "type-level" for kind in kinds] == [example.words in several for example in examples]
    assert kinds.count("irrelevant") == 5 and kinds.count("exact-entity") >= 20


@each_language
def test_the_mix_has_what_visitors_type(language: str) -> None:
    """There are sentences without photo, photos without names, several names at once, lower case, short and long."""
    examples, _ = read(language)
    names = {id(example): tags_to_entities(example.tags or ()) for example in examples}
    assert sum(example.image_id is None for example in examples) >= 5
    assert sum(example.image_id is not None and not names[id(example)] for example in examples) >= 5
    assert sum(len(found) >= 2 for found in names.values()) >= 15
    assert sum(len(example.words) <= 8 for example in examples) >= 20
    assert sum(len(example.words) >= 10 for example in examples) >= 20
    assert any(example.words[e.start].islower() for example in examples for e in names[id(example)])
