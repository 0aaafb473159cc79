"""What the data say of each sentence: kinds and sources from the pair table, found by language, split and order."""

from pathlib import Path

import pytest

from analysis.run.evaluation_set import read_evaluation_set, source_name
from analysis.run.pair_table import read_pairs
from mmner_core.errors import InputError

DATA = Path(__file__).parents[1] / "data" / "tiny"
HEADER = "id\tlang\tsplit\tkind\tnote\ttext_source\n"
ROWS = (
    "org-4\ten\ttest\texact-entity\t\twikineural\n"
    "loc-1\ten\ttrain\ttype-level\t\t\n"
    "loc-4\ten\ttest\tirrelevant\tobject\tconll\n"
    "misc-4\ten\ttest\tirrelevant\tmisleading:PER\t\n"
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Write a pair table of English."""
    path = tmp_path / "pairs.tsv"
    path.write_text(HEADER + ROWS, encoding="utf-8")
    return path


def test_kinds_and_sources_come_from_the_table(table: Path) -> None:
    """Rows of the split in order; without a source the data set's name; only objects are irrelevant photos."""
    data = read_evaluation_set(DATA, language="en", split="test", pairs=table)
    assert data.kinds == ("exact-entity", "irrelevant", "irrelevant")
    assert data.sources == ("wikineural", "conll", "tiny")
    assert [path.name for path in data.irrelevant] == ["loc-4.jpg"]
    second = data.take([1])
    assert (second.kinds, second.sources, len(second)) == (("irrelevant",), ("conll",), 1)
    assert second.to_json()["sentences"] == 1 and second.to_json()["digest"] != data.to_json()["digest"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + ROWS.replace("org-4", "org-3"), "pairs.tsv:2.*org-3.*org-4"),
        (HEADER + ROWS.split("\n", 1)[1], "2 rows.*test.*en.*3 sentences"),
        ("lang\tsplit\nen\ttest\n", "'kind'"),
        (HEADER + "org-4\ten\t\texact-entity\t\t\n", "pairs.tsv:2: .*'split'"),
        (HEADER + "org-4\ten\n", "pairs.tsv:2: .*'split'"),
    ],
)
def test_a_table_of_other_data_is_refused(table: Path, text: str, message: str) -> None:
    """The first row that does not fit is named."""
    table.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_evaluation_set(DATA, language="en", split="test", pairs=table)


def test_an_unreadable_table_is_named(tmp_path: Path) -> None:
    """Missing, and not text."""
    with pytest.raises(InputError, match="cannot be read"):
        read_pairs(tmp_path / "none.tsv")
    (tmp_path / "photo.tsv").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(InputError, match="not UTF-8"):
        read_pairs(tmp_path / "photo.tsv")


def test_a_data_set_is_named_by_its_folder() -> None:
    """A language folder or a file does not name it."""
    assert source_name(DATA) == source_name(DATA / "en") == source_name(DATA / "en" / "test.txt") == "tiny"
