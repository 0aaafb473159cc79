"""Tagged sentences in JSON lines and CSV are read like any other data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmner_core.data import read_examples
from mmner_core.errors import InputError

ROW = {"words": ["Ada", "in", "New York"], "tags": ["B-PER", "O", "B-LOC"], "lang": "en", "image": "a.jpg", "id": 7}


def test_json_lines_hold_words_tags_language_and_image(tmp_path: Path) -> None:
    """By the names that data sets of the hub have as well; blank lines are none, orphans are repaired and counted."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").write_bytes(b"")
    file = tmp_path / "own.jsonl"
    other = {"tokens": ["Bob"], "ner_tags": ["I-PER"], "language": "de"}
    file.write_text(f"{json.dumps(ROW)}\n\n{json.dumps(other)}\n", encoding="utf-8")
    (first, second), report = read_examples(file)
    assert (first.words, first.tags, first.language) == (("Ada", "in", "New York"), ("B-PER", "O", "B-LOC"), "en")
    assert (first.image_id, first.image) == ("a.jpg", tmp_path / "images" / "a.jpg")
    assert (second.tags, second.language, second.where) == (("B-PER",), "de", f"{file}:3")
    assert (report.sentences, report.repaired_tags, report.images_present) == (2, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        'words,tags,lang\n"Ada in Bonn",B-PER O B-LOC,en\n',
        "tags;language;words;note\nB-PER O B-LOC;en;Ada in Bonn;\n",
        'words,tags,lang\n"[""Ada"", ""in"", ""Bonn""]","[""B-PER"", ""O"", ""B-LOC""]",en\n',
    ],
    ids=["spaces", "semicolons", "lists"],
)
def test_csv_holds_a_sentence_a_row(tmp_path: Path, text: str) -> None:
    """Words and tags between spaces or as lists, columns in any order and between commas or semicolons."""
    file = tmp_path / "own.csv"
    file.write_text(text, encoding="utf-8")
    [example], _ = read_examples(file)
    assert (example.words, example.tags) == (("Ada", "in", "Bonn"), ("B-PER", "O", "B-LOC"))
    assert (example.language, example.where) == ("en", f"{file}:2")


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.jsonl", '{"words": ["a"], "tags": ["O", "O"]}\n', "a.jsonl:1: 1 words, but 2 tags."),
        ("a.jsonl", '{"words": ["a"], "tags": ["X"]}\n', "a.jsonl:1, word 1: 'X' is not an IOB2 tag"),
        ("a.jsonl", '{"words": "a b", "tags": "O O"}\n', "a.jsonl:1: words is str, not a list."),
        ("a.jsonl", '{"words": [3], "tags": ["O"]}\n', "a.jsonl:1, word 1: 3 is no text."),
        ("a.jsonl", "\n{\n", "a.jsonl:2: the line is not JSON"),
        ("a.jsonl", '{"text": "a"}\n', 'a.jsonl:1: the line is not a JSON object with a field "words".'),
        ("a.jsonl", "\n", "a.jsonl: no sentences."),
        ("a.csv", "text,image\na b,c\n", "a.csv:1 has no column words or tokens; its columns are text, image."),
        ("a.csv", "words,tags\na b,O O\na b\n", "a.csv:3: the row has another number of cells than the header."),
        ("a.csv", "words,tags\na b,O\n", "a.csv:2: 2 words, but 1 tags."),
        ("a.csv", "words,tags\na,[3]\n", "a.csv:2, word 1: '3' is not an IOB2 tag"),
        ("a.csv", "", "a.csv:1 has no column words or tokens"),
    ],
)
def test_a_row_that_is_none_is_named_by_its_line(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    """One sentence, file and line."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_examples(tmp_path / name)
    assert str(error.value).replace(f"{tmp_path}/", "").startswith(sentence)


def test_a_format_that_is_named_counts_more_than_the_name_of_the_file(tmp_path: Path) -> None:
    """Columns of words in a file called CSV are read where the caller says what they are."""
    file = tmp_path / "own.csv"
    file.write_text("Ada B-PER\nran O\n\n", encoding="utf-8")
    [example], _ = read_examples(file, fmt="conll")
    assert example.words == ("Ada", "ran")
