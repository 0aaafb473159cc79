"""A run folder is complete or refused, and reads back what was written."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.evaluation.writer import write_run
from analysis.run.external import paired_tags, predictions_table
from analysis.run.folder import EvaluationRun
from analysis.run.lexicon import Lexicon
from mmner_core.data import Example
from mmner_core.errors import InputError
from mmner_core.runtime.digests import file_digest
from tests.analysis.small_run import small_table
from tests.told import refused

ROWS = [("Ada met Bob", "B-PER O B-PER", "B-PER O B-ORG"), ("nothing here", "O O", "O O")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write a run with two conditions, a lexicon, vectors and a map."""
    table = pa.concat_tables([small_table(ROWS, condition="none").slice(1), small_table(ROWS)])
    return write_run(
        tmp_path / "run",
        table,
        metrics={"micro": {"f1": 0.5}},
        provenance={"command": "python -m analysis run"},
        lexicon=Lexicon(types={"Ada": frozenset({"PER"})}),
        embeddings={"text": np.eye(2, dtype=np.float16)},
        coordinates=pa.table({"x": [0.0], "y": [1.0]}),
    )


def test_a_run_reads_back_what_was_written(folder: Path) -> None:
    """All files, lazily, with the matched condition first."""
    run = EvaluationRun.open(folder)
    assert (run.name, run.conditions, run.condition) == ("run", {"matched": 2, "none": 1}, "matched")
    assert run.answers().texts() == ["Ada met Bob", "nothing here"]
    assert run.answers("none").sentences["sentence_id"].tolist() == [1]
    assert run.answers() is run.answers("matched")
    assert run.metrics == {"micro": {"f1": 0.5}}
    assert run.provenance["command"] == "python -m analysis run"
    assert sorted(run.provenance["files"]) == sorted(p.name for p in folder.iterdir() if p.name != "provenance.json")
    assert run.lexicon().types == {"Ada": {"PER"}}
    assert run.embedding_names() == ("text",)
    assert run.embedding("text").tolist() == [[1, 0], [0, 1]]
    assert run.coordinates().to_dict("list") == {"x": [0.0], "y": [1.0]}


def test_optional_files_may_be_absent(tmp_path: Path) -> None:
    """No lexicon, vectors or map: None, or a sentence that says how to get them."""
    run = EvaluationRun.open(write_run(tmp_path / "bare", small_table(ROWS, model=False), metrics={}, provenance={}))
    assert (run.lexicon(), run.coordinates(), run.embedding_names()) == (None, None, ())
    with refused("'text'"):
        run.embedding("text")
    with refused("'blank'", "matched"):
        run.answers("blank")


@pytest.mark.parametrize("name", ["predictions.parquet", "provenance.json", "metrics.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    """Half-written folders do not pass for runs."""
    (folder / name).unlink()
    with refused(f"lacks {name}"):
        EvaluationRun.open(folder)


@pytest.mark.parametrize("name", ["predictions.parquet", "provenance.json", "metrics.json"])
def test_a_cut_file_is_named(folder: Path, name: str) -> None:
    """A truncated file gives one sentence with its path."""
    path = folder / name
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(InputError, match=name):
        EvaluationRun.open(folder)


@pytest.mark.parametrize("name", ["lexicon.parquet", "coordinates.parquet", "embeddings.safetensors"])
def test_a_damaged_optional_file_is_named(folder: Path, name: str) -> None:
    """Garbage in a file that is read later is told when it is read."""
    (folder / name).write_bytes(b"garbage")
    run = EvaluationRun.open(folder)
    read = {"lexicon": run.lexicon, "coordinates": run.coordinates, "embeddings": run.embedding_names}
    with pytest.raises(InputError, match=name):
        read[name.split(".")[0]]()


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_byte_changes_unnoticed(folder: Path, data: st.DataObject) -> None:
    """Whatever byte of whatever file is flipped, the run is refused in one sentence."""
    path = folder / data.draw(st.sampled_from(["predictions.parquet", "metrics.json", "embeddings.safetensors"]))
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    with refused(path.name, "provenance.json"):
        EvaluationRun.open(folder).embedding("text")
    path.write_bytes(content)


def test_a_map_may_be_added_later(folder: Path) -> None:
    """Coordinates computed on the first visit are not in provenance and are read all the same."""
    provenance = json.loads((folder / "provenance.json").read_text())
    del provenance["files"]["coordinates.parquet"]
    (folder / "provenance.json").write_text(json.dumps(provenance))
    pq.write_table(pa.table({"x": [5.0]}), folder / "coordinates.parquet")
    assert EvaluationRun.open(folder).coordinates()["x"].tolist() == [5.0]
    (folder / "coordinates.parquet").write_bytes(b"garbage")
    with refused("damaged"):
        EvaluationRun.open(folder).coordinates()


def test_provenance_must_know_the_table(folder: Path) -> None:
    """Without a digest, nothing says that the table belongs here."""
    (folder / "provenance.json").write_text("{}")
    with refused("digest", "predictions.parquet"):
        EvaluationRun.open(folder)


def test_other_parquet_and_newer_versions_are_refused(folder: Path) -> None:
    """Any Parquet file is not a run, and a run of the future is not guessed at."""
    path = folder / "predictions.parquet"
    table = pq.read_table(path)
    for metadata, message in (
        ({"mmner_run_version": "99"}, "version 99, this workbench reads up to 2"),
        (None, "not the"),
    ):
        pq.write_table(table.replace_schema_metadata(metadata), path)
        (folder / "provenance.json").write_text(json.dumps({"files": {path.name: file_digest(path)}}))
        with pytest.raises(InputError, match=message):
            EvaluationRun.open(folder)


def test_writing_never_leaves_half_a_run(folder: Path) -> None:
    """A failing write keeps the old run; an existing folder is not overwritten unasked."""
    with pytest.raises(InputError, match="exists already"):
        write_run(folder, small_table(ROWS), metrics={}, provenance={})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_run(folder, small_table(ROWS), metrics={"f1": float("nan")}, provenance={}, overwrite=True)
    assert EvaluationRun.open(folder).metrics == {"micro": {"f1": 0.5}}
    write_run(folder, small_table(ROWS), metrics={"f1": 1}, provenance={}, overwrite=True)
    assert EvaluationRun.open(folder).metrics == {"f1": 1}
    assert [path.name for path in folder.parent.iterdir()] == ["run"]


def test_conditions_may_come_one_after_the_other(tmp_path: Path) -> None:
    """A long run is written table by table; twice the same condition, or other columns, are refused."""
    tables = (small_table(ROWS, condition=name) for name in ("none", "matched"))
    run = EvaluationRun.open(write_run(tmp_path / "run", tables, metrics={}, provenance={}))
    assert run.conditions == {"matched": 2, "none": 2}
    twice = [small_table(ROWS), small_table(ROWS)]
    with refused("'matched'", "two tables"):
        write_run(tmp_path / "twice", twice, metrics={}, provenance={})
    mixed = [small_table(ROWS), small_table(ROWS, condition="none", model=False)]
    with refused("attention_entropy", "cosine", "entities"):
        write_run(tmp_path / "mixed", mixed, metrics={}, provenance={})
    with pytest.raises(InputError, match="no prediction to write"):
        write_run(tmp_path / "empty", [], metrics={}, provenance={})


def test_a_path_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    """The message says what a run is."""
    with refused("no folder"):
        EvaluationRun.open(tmp_path / "nowhere")


def example(words: str, tags: str | None, where: str = "gold.txt:1") -> Example:
    """Write an example with spaces."""
    return Example(words=tuple(words.split()), tags=tuple(tags.split()) if tags else None, where=where)


def test_a_run_from_another_system_s_tags() -> None:
    """Words, gold and tags are enough; the rest is stated as not known."""
    run = EvaluationRun.from_table(
        predictions_table([example("Ada Bob", "B-PER O")], [["B-PER", "B-LOC"]]), name="spaCy"
    )
    answers = run.answers()
    assert (run.name, run.conditions) == ("spaCy", {"as given": 1})
    assert answers.predicted.type_names().tolist() == ["PER", "LOC"]
    assert answers.sentences["language"].tolist() == [""]
    assert answers.confidence is None


def test_tags_that_do_not_fit_are_refused() -> None:
    """Count of sentences, count of tags, missing gold: each with its place."""
    one = example("Ada Bob", "B-PER O")
    with refused("1 gold", "2 predicted"):
        predictions_table([one], [["O", "O"], ["O"]])
    with refused("gold.txt:1", "2 words", "1 predicted"):
        predictions_table([one], [["O"]])
    with refused("gold.txt:1", "gold tags"):
        predictions_table([example("Ada", None)], [["O"]])


def test_two_files_are_paired_word_by_word() -> None:
    """The first sentence where gold and prediction part is named, with the words."""
    gold, predicted = [example("Ada Bob", "B-PER O")], [example("Ada Bob", "O O", "p.txt:1")]
    assert paired_tags(gold, predicted) == [("O", "O")]
    with refused("p.txt:1", "gold.txt:1", "word 2", "'Bob'", "'Rob'"):
        paired_tags(gold, [example("Ada Rob", "O O", "p.txt:1")])
    with refused("2", "1 words"):
        paired_tags(gold, [example("Ada", "O", "p.txt:1")])
    with refused("1 sentences", "0"):
        paired_tags(gold, [])
    with refused("p.txt:1", "predicted tags"):
        paired_tags(gold, [example("Ada Bob", None, "p.txt:1")])
