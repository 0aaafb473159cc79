"""Corrected gold tags: kept beside the run, never in it, with who said so; scores with and without; hostile files."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Thread

import pyarrow as pa
import pytest

from analysis.evaluation.writer import write_run
from analysis.panels.corrections import corrected_scores, corrections
from analysis.report.document import collect
from analysis.report.html import render
from analysis.run import journal
from analysis.run.corrections import CORRECTIONS, correct, read_corrections
from analysis.run.folder import EvaluationRun
from analysis.scores.corrected import correction_table
from mmner_core.errors import InputError
from mmner_core.runtime.digests import file_digest
from tests.analysis.report_run import EVIL
from tests.analysis.small_run import small_table

ROWS = [
    ("Ada met Bo", "B-PER O O", "B-PER O B-PER"),
    ("in Rome", "O B-LOC", "O B-ORG"),
    ("no name", "O O", "O O"),
]


@pytest.fixture
def run(tmp_path: Path) -> EvaluationRun:
    """Write three sentences: one with a missing annotation, one with a wrong prediction."""
    return write(tmp_path / "run")


def write(folder: Path, **options: object) -> EvaluationRun:
    """Write the run."""
    table = small_table(ROWS, language=["en", "de", "en"])
    blind = small_table(ROWS, condition="none", language=["en", "de", "en"], cosine=[None] * 3)
    facts = {"types": ["PER", "LOC", "ORG"], "data": {"split": "test"}}
    write_run(folder, pa.concat_tables([table, blind]), metrics={}, provenance=facts, **options)
    return EvaluationRun.open(folder)


def test_a_correction_counts_in_the_scores_and_the_run_stays(run: EvaluationRun) -> None:
    """F1 with and without, per language; probabilities of the old tags are not taken for those of the new ones."""
    before = {file.name: file_digest(file) for file in run.folder.iterdir()}
    correct(run, 0, ["B-PER", "O", "B-PER"], by="ada", note="  Bo is\na person ")
    found = read_corrections(run)
    assert (found.of[0].tags, found.of[0].by, found.of[0].note) == (("B-PER", "O", "B-PER"), "ada", "Bo is a person")
    table = correction_table(run.answers(), found).set_index(["language", "type"])
    row = table.loc[("all", "all")]
    assert (row["n_gold"], row["n_gold_corrected"], row["n_corrected"], row["n_sentences"]) == (2, 3, 1, 3)
    assert (row["f1_annotated"], row["f1_corrected"]) == (pytest.approx(2 / 5), pytest.approx(4 / 6))
    assert table.loc[("de", "all"), "difference"] == 0
    corrected = found.apply(run.answers())
    assert corrected.gold_confidence is None and corrected.loss is None and corrected.confidence is not None
    assert {name: file_digest(run.folder / name) for name in before} == before
    assert EvaluationRun.open(run.folder).answers().gold.type_names().tolist() == ["PER", "LOC"]


def test_the_last_word_counts_and_the_earlier_ones_stay_in_the_file(run: EvaluationRun) -> None:
    """Who said what and when is kept, a withdrawal too."""
    correct(run, 1, ["O", "B-ORG"], by="ada")
    correct(run, 1, ["O", "O"], by="bo")
    assert read_corrections(run).of[1].by == "bo"
    correct(run, 1, None, by="ada")
    assert len(read_corrections(run)) == 0
    lines = [json.loads(line) for line in (run.folder / CORRECTIONS).read_text().splitlines()]
    assert [(line["by"], line["tags"]) for line in lines] == [
        ("ada", ["O", "B-ORG"]),
        ("bo", ["O", "O"]),
        ("ada", None),
    ]
    assert all(line["at"] and line["gold"] == ["O", "B-LOC"] for line in lines)


def test_an_i_with_nothing_before_begins_a_name(run: EvaluationRun) -> None:
    """As everywhere in the workbench."""
    correct(run, 2, ["I-PER", "I-PER"])
    assert read_corrections(run).of[2].tags == ("B-PER", "I-PER")


@pytest.mark.parametrize(
    ("sentence", "tags", "note", "said"),
    [
        (0, ["O", "O"], "", "each of the 3 words"),
        (0, ["O", "O", "B-"], "", "O, B-TYPE or I-TYPE"),
        (0, ["O", "O", 7], "", "O, B-TYPE or I-TYPE"),
        (0, ["O", "O", f"B-{EVIL.replace(' ', '')}"], "", "knows no type .<script>"),
        (99, ["O"], "", "no sentence 99"),
        (0, ["B-PER", "O", "O"], "", "as annotated"),
        (0, ["O", "O", "O"], "x" * 501, "500"),
    ],
)
def test_what_does_not_fit_is_refused(run: EvaluationRun, sentence: int, tags: list, note: str, said: str) -> None:
    """In one sentence, and nothing is written."""
    with pytest.raises(InputError, match=said):
        correct(run, sentence, tags, note=note)
    assert not (run.folder / CORRECTIONS).exists()


def test_corrections_of_other_words_are_counted_and_left_out(run: EvaluationRun) -> None:
    """After the run was written anew over other data."""
    correct(run, 0, ["O", "O", "O"])
    line = json.loads((run.folder / CORRECTIONS).read_text())
    (run.folder / CORRECTIONS).write_text(json.dumps(line | {"words": ["Eve", "met", "Bo"]}))
    found = read_corrections(run)
    assert (len(found), found.unfit) == (0, 1)
    assert "1 correction left out" in " ".join(corrections(run).notes)


def test_a_run_written_anew_keeps_what_was_said_of_its_sentences(run: EvaluationRun) -> None:
    """Overwriting replaces the answers, not the corrections."""
    correct(run, 0, ["O", "O", "O"])
    assert len(read_corrections(write(run.folder, overwrite=True))) == 1


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "{}", '{"sentence_id": "0", "words": [], "gold": [], "tags": []}', "\x00",
     '{"sentence_id": 0, "words": ["a"], "gold": ["O"], "tags": ["O", "O"]}',
     '{"sentence_id": 0, "words": ["a"], "gold": ["O"], "tags": ["B PER"]}',
     '{"sentence_id": 0, "words": 5, "gold": null, "tags": null}',
     '{"sentence_id": true, "words": [], "gold": [], "tags": []}',
     '{"sentence_id": 0, "words": ["a"], "gold": ["O"], "tags": ["O"], "by": ["x"]}'],
)  # fmt: skip
def test_a_damaged_file_is_named_with_its_line(run: EvaluationRun, line: str) -> None:
    """A run of somebody else's may hold anything; its panels say so, and nothing else is lost."""
    correct(run, 0, ["O", "O", "O"])
    with (run.folder / CORRECTIONS).open("a") as file:
        file.write(line)
    with pytest.raises(InputError, match=r"corrections\.jsonl:2"):
        read_corrections(run)
    assert "corrections.jsonl:2" in " ".join(corrected_scores(run).notes)


def test_a_file_that_is_none_is_told(run: EvaluationRun) -> None:
    """A folder, or bytes of another kind."""
    (run.folder / CORRECTIONS).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="damaged"):
        read_corrections(run)
    (run.folder / CORRECTIONS).unlink()
    (run.folder / CORRECTIONS).mkdir()
    for act in (lambda: read_corrections(run), lambda: correct(run, 0, None)):
        with pytest.raises(InputError, match=r"corrections\.jsonl"):
            act()


def test_the_file_does_not_grow_without_end(run: EvaluationRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its size nothing is written, and what is there stays."""
    correct(run, 0, ["O", "O", "O"])
    monkeypatch.setattr(journal, "MAX_BYTES", 300)
    with pytest.raises(InputError, match="is full"):
        correct(run, 1, ["O", "O"], note="x" * 200)
    assert len(read_corrections(run)) == 1


def test_two_at_once_lose_nothing(run: EvaluationRun) -> None:
    """Each reads, adds and replaces the file whole."""
    threads = [Thread(target=correct, args=(run, i % 3, None), kwargs={"by": str(i)}) for i in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = (run.folder / CORRECTIONS).read_text().splitlines()
    assert sorted(int(json.loads(line)["by"]) for line in lines) == list(range(24))


@pytest.mark.slow
def test_the_report_has_them_and_their_text_is_no_markup(run: EvaluationRun) -> None:
    """Only where there are some; a note and a name may hold anything."""
    assert "kept" not in [chapter.id for chapter in collect(run).chapters]
    correct(run, 0, ["B-PER", "O", "B-PER"], by=EVIL, note=EVIL)
    document = collect(run)
    assert {"corrected-scores", "corrections"} <= {panel.id for panel in document.panels()}
    page = render(document)
    assert EVIL not in page and "&lt;script&gt;document.title" in page
    assert "[PER Ada] met [PER Bo]" in page
