"""Other tags for some sentences of a file: in its own format, everything else letter by letter as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmner_core.data import read_examples
from mmner_core.data.retag import DataFileContent
from mmner_core.data.type_names import TypeNames
from mmner_core.errors import InputError

MMNERD = "IMGID:7\nAda\tB-PER\nO\tO\n\nIMGID:8\nin\tO\nRome\tB-LOC\n\n"
CONLL2003 = "-DOCSTART- -X- O O\n\nWest NNP B-NP I-ORG\nIndian NNP I-NP I-ORG\nwon VBD B-VP O\n\nO NNP B-NP O\n"
CONLLU = "# sent_id = 1\n# image_id = a\n0\tAda\tB-PER\n1\tsings\tO\n\n"


def retag(tmp_path: Path, name: str, text: str, tags: dict[int, list[str]], names: TypeNames | None = None) -> str:
    """Write a file, give some of its sentences other tags, and check that it is read so."""
    file = tmp_path / name
    file.write_bytes(text.encode())
    written = DataFileContent.read(file).retagged(tags, names)
    other = tmp_path / f"new-{name}"
    other.write_bytes(written.encode())
    read, _ = read_examples(other)
    before, _ = read_examples(file)
    assert [e.words for e in read] == [e.words for e in before]
    names = names or TypeNames()
    for example, old in zip(names.rename(read), names.rename(before), strict=True):
        line = int(example.where.rpartition(":")[2])
        assert list(example.tags or ()) == tags.get(line, list(old.tags or ()))
    return written


def test_only_the_tag_s_column_changes(tmp_path: Path) -> None:
    """The tag of a word that is spelt like a tag, between other columns, in a file with comments and images."""
    assert retag(tmp_path, "a.txt", MMNERD, {1: ["O", "B-PER"]}) == MMNERD.replace(
        "Ada\tB-PER\nO\tO", "Ada\tO\nO\tB-PER"
    )
    assert retag(tmp_path, "b.conll", CONLL2003, {7: ["B-PER"]}) == CONLL2003.replace(
        "O NNP B-NP O", "O NNP B-NP I-PER"
    )
    assert retag(tmp_path, "c.conllu", CONLLU, {1: ["B-ORG", "O"]}) == CONLLU.replace("B-PER", "B-ORG")


def test_a_file_in_iob1_stays_one(tmp_path: Path) -> None:
    """B- only where the same type stands before it, as the file's own tags have it."""
    written = retag(tmp_path, "a.conll", CONLL2003, {3: ["B-ORG", "B-ORG", "B-PER"]})
    assert "West NNP B-NP I-ORG\nIndian NNP I-NP B-ORG\nwon VBD B-VP I-PER\n" in written


def test_orphans_that_would_be_read_otherwise_are_written_out(tmp_path: Path) -> None:
    """An I- that began a name goes on with it once the word before is one."""
    text = "a\tB-LOC\n\nthe\tO\nOhio\tI-LOC\n\n"
    assert "the\tB-LOC\nOhio\tB-LOC\n" in retag(tmp_path, "a.txt", text, {3: ["B-LOC", "B-LOC"]})
    assert "the\tB-LOC\nOhio\tI-LOC\n" in retag(tmp_path, "a.txt", text, {3: ["B-LOC", "I-LOC"]})


def test_types_are_called_as_in_the_file(tmp_path: Path) -> None:
    """Of renamed types the file's own name is written where one alone may be meant; left-out names stay."""
    names = TypeNames({"PERSON": "PER", "DATE": "O"})
    text = "Ada\tB-PERSON\nsang\tO\nMonday\tB-DATE\n\n"
    written = retag(tmp_path, "a.txt", text, {1: ["O", "B-PER", "O"]}, names)
    assert written == "Ada\tO\nsang\tB-PERSON\nMonday\tB-DATE\n\n"
    assert "sang\tB-MISC" in retag(tmp_path, "a.txt", text, {1: ["B-PER", "B-MISC", "O"]}, names)


def test_tables_keep_their_other_columns(tmp_path: Path) -> None:
    """JSON lines and CSV, with lists or with spaces in the cells."""
    rows = [
        {"id": 7, "tokens": ["Zoë", "sings"], "ner_tags": ["B-PER", "O"]},
        {"id": 8, "tokens": ["x"], "ner_tags": ["O"]},
    ]
    text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    written = retag(tmp_path, "a.jsonl", text, {1: ["B-ORG", "O"]})
    assert json.loads(written.splitlines()[0]) == rows[0] | {"ner_tags": ["B-ORG", "O"]}
    assert written.splitlines()[1] == text.splitlines()[1]
    table = 'id;words;tags;why\n1;Ada sings;B-PER O;"a; b"\n2;"[""x"", ""y""]";"[""O"", ""O""]";\n'
    written = retag(tmp_path, "a.csv", table, {2: ["O", "O"], 3: ["B-LOC", "O"]})
    assert written.splitlines()[1] == '1;Ada sings;O O;"a; b"'
    assert json.loads(written.splitlines()[2].split(";")[2].strip('"').replace('""', '"')) == ["B-LOC", "O"]


def test_line_ends_stay(tmp_path: Path) -> None:
    """Those of Windows as well."""
    text = MMNERD.replace("\n", "\r\n")
    assert retag(tmp_path, "a.txt", text, {5: ["O", "B-ORG"]}) == text.replace("B-LOC", "B-ORG")


def test_a_sentence_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With file and line."""
    file = tmp_path / "a.txt"
    file.write_text(MMNERD)
    content = DataFileContent.read(file)
    for line, tags in ((2, ["O", "O"]), (1, ["O"])):
        with pytest.raises(InputError, match=rf"a\.txt:{line}:"):
            content.retagged({line: tags})
