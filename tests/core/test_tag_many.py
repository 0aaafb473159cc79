"""Tag a large input: every row once, in order, whatever the format; bad rows set aside with their reason."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mmner_core.errors import InputError
from mmner_core.large_jobs.run import Options, tag_many
from tests.core import large_jobs

if TYPE_CHECKING:
    from mmner_core.inference.tagger import Tagger


def test_each_row_gets_the_answer_that_the_tagger_gives(
    person_checkpoint: Path, person_tagger: Tagger, tmp_path: Path
) -> None:
    """Order, ids, words, tags and names are those of one text at a time, in shards or not."""
    source = large_jobs.write_parquet(tmp_path / "in" / "posts.parquet", large_jobs.rows(23))
    outcome = large_jobs.tag(person_checkpoint, source, tmp_path / "out", shard_rows=7)
    found = large_jobs.tagged(tmp_path / "out")
    assert (outcome.rows, outcome.tagged, outcome.rejected) == (23, 23, 0)
    assert len(list((tmp_path / "out" / "tagged").iterdir())) == 4
    for i, (row, given) in enumerate(zip(found, large_jobs.rows(23), strict=True)):
        alone = person_tagger.tag(given["text"], lang="en", attention=False)
        assert (row["file"], row["row"], row["id"], row["text"]) == ("posts.parquet", i, str(i), given["text"])
        assert (tuple(row["tags"]), len(row["entities"])) == (alone.tags, len(alone.entities))
        for name, entity in zip(row["entities"], alone.entities, strict=True):
            assert given["text"][name["start"] : name["end"]] == name["text"] == entity.text
            assert name["type"] == entity.type
            # Batched differently, in bfloat16: near ties may fall either way.
            assert name["confidence"] == pytest.approx(entity.confidence, abs=0.02)
            assert name["runner_up"]["confidence"] == pytest.approx(entity.runner_up.confidence, abs=0.02)


def test_words_are_tagged_as_given(person_checkpoint: Path, tmp_path: Path) -> None:
    """A column of words (or tokens, as on the hub) is not split anew: one tag a word."""
    words = [["New York", "d'accord", "!"], ["Jordan"]]
    source = large_jobs.write_parquet(tmp_path / "in.parquet", [{"tokens": w, "language": "fr"} for w in words])
    large_jobs.tag(person_checkpoint, source, tmp_path / "out")
    assert [(row["words"], row["text"], len(row["tags"])) for row in large_jobs.tagged(tmp_path / "out")] == [
        (words[0], "New York d'accord !", 3),
        (words[1], "Jordan", 1),
    ]


def test_photos_may_be_files_bytes_or_structs(person_checkpoint: Path, person_tagger: Tagger, tmp_path: Path) -> None:
    """A path below the image folder and the same bytes in the table give the same answer, with and without compared."""
    (tmp_path / "images" / "deep").mkdir(parents=True)
    (tmp_path / "images" / "deep" / "a.png").write_bytes(large_jobs.photo())
    text = {"text": "best of Jordan", "lang": "en"}
    forms: dict[str, Any] = {
        "path": "deep/a.png",
        "bytes": large_jobs.photo(),
        "struct": {"bytes": large_jobs.photo(), "path": None},
        "struct-path": {"bytes": None, "path": "deep/a.png"},
    }
    for name, image in forms.items():
        large_jobs.write_parquet(tmp_path / "in" / f"{name}.parquet", [{**text, "image": image}])
    large_jobs.tag(person_checkpoint, tmp_path / "in", tmp_path / "out", images=tmp_path / "images")
    found = large_jobs.tagged(tmp_path / "out")
    assert [row["file"] for row in found] == sorted(f"{name}.parquet" for name in forms)
    expected = person_tagger.tag("best of Jordan", large_jobs.photo(), "en", attention=False).entities[0]
    for row in found:
        assert row["entities"] == found[0]["entities"]
        assert row["entities"][0]["without_image"]["type"] == expected.without_image.type  # type: ignore[union-attr]


BAD = [
    ({"text": " "}, "The text is empty"),
    ({"text": 5}, "text is int, not text."),
    ({"text": None}, "The text is empty"),
    ({"text": "half \ud83d"}, "half a character"),
    ({"text": "x" * 100_001}, "at most 100,000"),
    ({"words": ["a", ""]}, "word 2 is ''"),
    ({"words": "a b"}, "words is str, not a list."),
    ({"words": []}, "The text is empty"),
    ({"text": "a", "lang": "xx"}, "'xx' is not supported"),
    ({"text": "a", "convention": "none such"}, "no convention 'none such'"),
    ({"text": "a", "image": "gone.jpg"}, "There is no image"),
    ({"text": "a", "image": "broken.png"}, "broken.png"),
    ({"text": "a", "image": 7}, "image is int, not a path."),
    ({"text": "a", "tokens": ["a"], "words": ["a"]}, "both 'tokens' and 'words'"),
    ({"txt": "a"}, "no column text or words"),
]


def test_bad_rows_are_set_aside_with_their_reason(person_checkpoint: Path, tmp_path: Path) -> None:
    """Each bad row is in the rejected file, once, as it was, with one sentence; the good ones around it are tagged."""
    (tmp_path / "broken.png").write_bytes(large_jobs.photo()[:40])
    good = {"text": "best of Jordan", "lang": "en", "id": "good"}
    lines = [json.dumps(good)]
    for values, _ in BAD:
        lines += [json.dumps(values), json.dumps(good)]
    lines += ["", "not JSON", "[1]", '{"text": "' + "x" * (5 << 20) + '"}', json.dumps(good)]
    (tmp_path / "in.jsonl").write_bytes("\n".join(lines).encode() + b'\n{"text": "\xff"}\n')
    outcome = large_jobs.tag(person_checkpoint, tmp_path / "in.jsonl", tmp_path / "out", shard_rows=10)
    set_aside = large_jobs.rejected(tmp_path / "out")
    assert [row["id"] for row in large_jobs.tagged(tmp_path / "out")] == ["good"] * (len(BAD) + 2)
    assert (outcome.tagged, outcome.rejected) == (len(BAD) + 2, len(BAD) + 4)
    assert outcome.rows == outcome.tagged + outcome.rejected
    for row, (values, reason) in zip(set_aside, BAD, strict=False):
        assert reason in row["reason"]
        assert values.items() <= row.items() or json.loads(row["line"]) == values
    endings = [row["reason"] for row in set_aside[len(BAD) :]]
    assert [
        part in reason
        for part, reason in zip(("not JSON", "not a JSON object", "bytes", "UTF-8"), endings, strict=True)
    ]
    assert set_aside[len(BAD)]["line"] == "not JSON"


@pytest.mark.parametrize(
    "path", ["../secret.png", "/etc/passwd", "a/../../secret.png", "..\\secret.png", "C:\\x.png", "a\0b"]
)
def test_image_paths_never_leave_the_image_folder(person_checkpoint: Path, tmp_path: Path, path: str) -> None:
    """A row that names a file elsewhere is set aside before anything is opened."""
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.png").write_bytes(large_jobs.photo())
    large_jobs.write_jsonl(tmp_path / "in" / "a.jsonl", [{"text": "Jordan", "lang": "en", "image": path}])
    outcome = large_jobs.tag(person_checkpoint, tmp_path / "in", tmp_path / "out")
    assert outcome.rejected == 1
    assert "points outside the image folder" in large_jobs.rejected(tmp_path / "out")[0]["reason"]


def test_text_that_is_not_utf8_costs_its_own_row_alone(person_checkpoint: Path, tmp_path: Path) -> None:
    """Parquet lets any bytes pass for text; the rows around the bad one are tagged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    column = pa.array([b"Jordan", b"\xff\xfe", b"Paris"]).view(pa.string())
    pq.write_table(pa.table({"text": column, "lang": ["en"] * 3}), tmp_path / "in.parquet")
    large_jobs.tag(person_checkpoint, tmp_path / "in.parquet", tmp_path / "out")
    assert [row["text"] for row in large_jobs.tagged(tmp_path / "out")] == ["Jordan", "Paris"]
    assert [(row["row"], "not UTF-8" in row["reason"]) for row in large_jobs.rejected(tmp_path / "out")] == [(1, True)]


def test_columns_that_nobody_reads_are_told(person_checkpoint: Path, tmp_path: Path) -> None:
    """A table may have more columns, but the user hears of them; a field new in a later line is noted on its row."""
    source = large_jobs.write_jsonl(
        tmp_path / "a.jsonl",
        [{"text": "Jordan", "lang": "en", "url": "x"}, {"text": "Paris", "lang": "fr", "url": "y", "lnag": "fr"}],
    )
    outcome = large_jobs.tag(person_checkpoint, source, tmp_path / "out")
    assert outcome.unread == {"a.jsonl": ["url"]}
    notes = [[note for note in row["notes"] if "not read" in note] for row in large_jobs.tagged(tmp_path / "out")]
    assert notes == [[], ["The field 'lnag' was not read."]]


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([{"sentence": "a"}], "has no column text or words"),
        ([{"text": "a", "lang": 3}], "the column 'lang' holds int64; it should hold text."),
        ([{"words": [1]}], "it should hold lists of text."),
        ([{"text": "a", "image": 3.5}], "it should hold paths, bytes, or structs"),
    ],
)
def test_a_table_of_other_columns_is_refused_at_once(
    person_checkpoint: Path, tmp_path: Path, records: list[dict[str, Any]], message: str
) -> None:
    """Wrong columns are one sentence before the work, not a million rejected rows after it."""
    source = large_jobs.write_parquet(tmp_path / "in.parquet", records)
    with pytest.raises(InputError, match=r"in\.parquet") as error:
        large_jobs.tag(person_checkpoint, source, tmp_path / "out")
    assert message in str(error.value)


def test_damaged_and_missing_inputs_are_one_sentence(person_checkpoint: Path, tmp_path: Path) -> None:
    """No file, no fitting file, a file cut short: each says what is wrong."""
    (tmp_path / "cut.parquet").write_bytes(b"PAR1....")
    (tmp_path / "cut.arrow").write_bytes(b"junk")
    (tmp_path / "empty").mkdir()
    for name, message in {
        "gone": "does not exist",
        "empty": "There is no file of",
        "cut.parquet": "damaged",
        "cut.arrow": "damaged",
    }.items():
        with pytest.raises(InputError, match=message):
            large_jobs.tag(person_checkpoint, tmp_path / name, tmp_path / "out")


def test_fields_that_nobody_reads_are_handed_through(person_checkpoint: Path, tmp_path: Path) -> None:
    """As a JSON object in the column extra, of tables and JSONL alike, whatever they are called; bytes are told of."""
    others = [{"source": "☃ \ud800", "tags": [1, {"a": None}]}, {}, {"row": 7}]
    records = [row | more for row, more in zip(large_jobs.rows(3), others, strict=True)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    large_jobs.tag(person_checkpoint, tmp_path / "in.jsonl", tmp_path / "a")
    extra = [row["extra"] and json.loads(row["extra"]) for row in large_jobs.tagged(tmp_path / "a")]
    assert extra == [others[0], None, others[2]]

    tabled = [row | {"day": date(2024, 5, i + 1), "thumb": b"x", "n": i} for i, row in enumerate(large_jobs.rows(2))]
    said: list[str] = []
    source = large_jobs.write_parquet(tmp_path / "in.parquet", tabled)
    tag_many(Options(source=source, output=tmp_path / "b", checkpoint=person_checkpoint), say=said.append)
    extra = [json.loads(row["extra"]) for row in large_jobs.tagged(tmp_path / "b")]
    assert extra == [{"day": "2024-05-01", "n": 0}, {"day": "2024-05-02", "n": 1}]
    assert said == [
        "in.parquet: columns not read, but handed through in extra: day, thumb, n.",
        "in.parquet: of these cannot be handed through, since JSON cannot hold them: thumb.",
    ]


def test_a_refused_job_leaves_nothing(person_checkpoint: Path, tmp_path: Path) -> None:
    """No folder where there was none, no lock in one that was there; after a job that ran there is no lock either."""
    (tmp_path / "bad.jsonl").write_text('{"txt": 1}\n')
    (tmp_path / "there").mkdir()
    for folder in ("new", "there"):
        with pytest.raises(InputError, match="no column text"):
            large_jobs.tag(person_checkpoint, tmp_path / "bad.jsonl", tmp_path / folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.jsonl", "there"]
    assert list((tmp_path / "there").iterdir()) == []
    large_jobs.tag(
        person_checkpoint, large_jobs.write_jsonl(tmp_path / "in.jsonl", large_jobs.rows(2)), tmp_path / "there"
    )
    assert sorted(path.name for path in (tmp_path / "there").iterdir()) == ["job.json", "rejected", "tagged"]
