"""The corrected data file: the source with other tags, or CoNLL where the source cannot be had or holds more."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.evaluation.writer import write_run
from analysis.run.corrected_file import corrected_file, corrected_sources
from analysis.run.corrections import correct, read_corrections
from analysis.run.folder import EvaluationRun
from tests.analysis.small_run import small_table

SOURCE = "# this is kept\nIMGID:7\nAda\tB-PER\nsings\tO\n\nin\tO\nRome\tB-LOC\n\n"


def corrected(folder: Path, source: Path, *, where: str = "{}:{}", types: dict[str, str] | None = None) -> tuple:
    """Write a run over two sentences of a source, correct the second one, and return the file."""
    rows = [("Ada sings", "B-PER O", "O O"), ("in Rome", "O B-LOC", "O B-LOC")]
    table = small_table(rows, where=[where.format(source, 2), where.format(source, 6)])
    facts = {"types": ["PER", "LOC", "ORG"], "data": {"path": str(source), "map": types or {}}}
    write_run(folder / "run", table, metrics={}, provenance=facts)
    run = EvaluationRun.open(folder / "run")
    correct(run, 1, ["O", "B-ORG"])
    found = read_corrections(run)
    assert corrected_sources(run, found) == {str(source): 1}
    file = corrected_file(run, found, str(source))
    return file.name, file.text, file.own_format


def test_the_source_comes_with_other_tags(tmp_path: Path) -> None:
    """Everything else in it is as it was; the source itself is not written to."""
    source = tmp_path / "test.txt"
    source.write_text(SOURCE)
    assert corrected(tmp_path, source) == ("test.corrected.txt", SOURCE.replace("B-LOC", "B-ORG"), True)
    assert source.read_text() == SOURCE


def test_types_are_called_as_in_the_source(tmp_path: Path) -> None:
    """The run's --map is undone."""
    source = tmp_path / "test.txt"
    source.write_text(SOURCE.replace("-LOC", "-GPE") + "Nasa\tB-COMPANY\n\n")
    name, text, own = corrected(tmp_path, source, types={"GPE": "LOC", "COMPANY": "ORG"})
    assert (name, own) == ("test.corrected.conll", False)  # the run lacks a sentence of it
    source.write_text(SOURCE.replace("-LOC", "-GPE"))
    assert "Rome B-ORG\n" in text and "GPE" not in text
    (tmp_path / "again").mkdir()
    text = corrected(tmp_path / "again", source, types={"GPE": "LOC"})[1]
    assert text == SOURCE.replace("B-LOC", "B-ORG")


@pytest.mark.parametrize("content", [None, "", "root:x:0:0\n", SOURCE.replace("Rome", "Paris"), SOURCE + "new\tO\n\n"])
def test_any_other_source_gives_the_run_s_own_sentences(tmp_path: Path, content: str | None) -> None:
    """One that is gone, is no such file, or holds other sentences: nothing that the run does not have is given out."""
    source = tmp_path / "test.txt"
    if content is not None:
        source.write_text(content)
    assert corrected(tmp_path, source) == ("test.corrected.conll", "Ada B-PER\nsings O\n\nin O\nRome B-ORG\n\n", False)


@pytest.mark.parametrize("where", ["/dev/zero:{1}", "/proc/self/environ:{1}", "{0}", "", "x\0y:{1}", "/etc/passwd:{1}"])
def test_hostile_places_open_nothing(tmp_path: Path, where: str) -> None:
    """A run of somebody else's may name any file; the run's sentences are written instead."""
    rows = [("Ada sings", "B-PER O", "O O")]
    table = small_table(rows, where=[where.format(tmp_path, 1)])
    write_run(tmp_path / "run", table, metrics={}, provenance={"types": ["PER"]})
    run = EvaluationRun.open(tmp_path / "run")
    correct(run, 0, ["O", "O"])
    found = read_corrections(run)
    (source,) = corrected_sources(run, found)
    assert corrected_file(run, found, source).text == "Ada O\nsings O\n\n"
