"""Another system's predictions, from files as it writes them to scores: seqeval's own, and what is said of them."""

from __future__ import annotations

import random
import warnings
from pathlib import Path
from typing import Any

import pytest
from seqeval.metrics import classification_report
from seqeval.scheme import IOB2
from typer.testing import CliRunner, Result

from analysis.cli.main import app
from analysis.panels.scores import scores as scores_panel
from analysis.run.folder import EvaluationRun
from mmner_core.labels import repair

TYPES = ("PER", "LOC", "ORG", "MISC")


def text_of(tags: list[list[str]], separator: str = "\t") -> str:
    """Write sentences of made-up words with these tags."""
    return "\n".join("".join(f"w{i}{separator}{tag}\n" for i, tag in enumerate(sentence)) for sentence in tags)


def run(folder: Path, gold: str, predicted: str, *options: str) -> Result:
    """Run the command on two files with this content."""
    (folder / "gold.txt").write_text(gold, encoding="utf-8")
    (folder / "pred.txt").write_text(predicted, encoding="utf-8")
    fixed = ["--predictions", folder / "pred.txt", "--data", folder / "gold.txt", "--lang", "en"]
    return CliRunner().invoke(app, ["run", *map(str, fixed), "--out", str(folder / "run"), "--overwrite", *options])


def counts(folder: Path, rule: str, entity_type: str = "all") -> tuple[int, int, int]:
    """Return right, predicted and gold names of the run under a rule."""
    [row] = [
        row
        for row in EvaluationRun.open(folder / "run").metrics["scores"]
        if (row["rule"], row["language"], row["type"]) == (rule, "all", entity_type)
    ]
    return row["n_correct"], row["n_predicted"], row["n_gold"]


def seqeval_counts(gold: list[list[str]], predicted: list[list[str]], **mode: Any) -> dict[str, tuple[int, int, int]]:
    """Return the same from seqeval."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = classification_report(gold, predicted, output_dict=True, zero_division=0, **mode)
    found = {}
    for name, row in report.items():
        right = round(row["recall"] * row["support"])
        n = round(right / row["precision"]) if right else -1  # seqeval tells no number where nothing is right
        found[{"micro avg": "all"}.get(name, name)] = (right, n, int(row["support"]))
    return found


@pytest.mark.parametrize("seed", range(6))
def test_imported_scores_are_seqeval_s(tmp_path: Path, seed: int) -> None:
    """Strict and lenient, in all and per type, on random tags with orphans of every kind."""
    rng = random.Random(seed)
    tags = ("O", "O", *(f"{prefix}-{t}" for t in TYPES for prefix in "BI"))
    predicted = [rng.choices(tags, k=rng.randint(1, 8)) for _ in range(60)]
    gold = [repair([t if rng.random() < 0.8 else rng.choice(tags) for t in sentence])[0] for sentence in predicted]
    result = run(tmp_path, text_of(gold), text_of(predicted))
    orphans = sum(a != b for sentence in predicted for a, b in zip(sentence, repair(sentence)[0], strict=True))
    assert result.exit_code == 0 and orphans
    assert f"{orphans:,} orphan I- tags of the predictions: the strict score counts no name there" in result.stderr
    assert EvaluationRun.open(tmp_path / "run").provenance["predictions"]["repaired_tags"] == orphans
    for rule, mode in {"strict": {"mode": "strict", "scheme": IOB2}, "lenient": {}}.items():
        expected = seqeval_counts(gold, predicted, **mode)
        for name in ("all", *TYPES):
            right, n, support = counts(tmp_path, rule, name)
            assert (right, n if right else -1, support) == expected[name]
    assert counts(tmp_path, "strict") != counts(tmp_path, "lenient")


@pytest.mark.parametrize(
    ("predicted", "strict", "lenient"),
    [
        ("I-PER I-PER O", (0, 0, 1), (1, 1, 1)),
        ("O I-PER O", (0, 0, 1), (0, 1, 1)),
        ("B-PER I-PER I-LOC", (1, 1, 1), (1, 2, 1)),
        ("B-PER I-PER O", (1, 1, 1), (1, 1, 1)),
    ],
)
def test_an_orphan_is_no_name_for_the_strict_score(
    tmp_path: Path, predicted: str, strict: tuple[int, ...], lenient: tuple[int, ...]
) -> None:
    """It is one for the lenient score, as in seqeval."""
    assert run(tmp_path, "w0\tB-PER\nw1\tI-PER\nw2\tO\n", text_of([predicted.split()])).exit_code == 0
    assert (counts(tmp_path, "strict"), counts(tmp_path, "lenient")) == (strict, lenient)


def test_iob1_predictions_are_converted_and_that_is_said(tmp_path: Path) -> None:
    """Another way of writing the same names costs nothing in either score."""
    gold = [["B-PER", "I-PER", "B-PER", "O", "B-LOC"]]
    result = run(tmp_path, text_of(gold, " NN "), text_of([["I-PER", "I-PER", "B-PER", "O", "I-LOC"]], " NN "))
    assert counts(tmp_path, "strict") == counts(tmp_path, "lenient") == (3, 3, 3)
    assert "The predictions are in IOB1" in result.stderr and "orphan" not in result.stderr


def test_gold_orphans_are_repaired_and_counted(tmp_path: Path) -> None:
    """Gold names are the same for every system that is scored on the data."""
    result = run(tmp_path, "w0\tI-PER\nw1\tB-LOC\n", "w0\tB-PER\nw1\tB-LOC\n")
    assert counts(tmp_path, "strict") == (2, 2, 2)
    assert "1 orphan I- tags of the gold data were read as B- (repaired)." in result.stderr


NAMES = "Anna\tB-{}\nin\tO\nUlm\tB-{}\n"


def test_types_that_no_gold_name_has_are_told_with_what_to_add(tmp_path: Path) -> None:
    """A score of 0 for nothing but other names is explained, in the terminal, the run and its report."""
    result = run(tmp_path, NAMES.format("PER", "LOC"), NAMES.format("PERSON", "GPE"))
    note = (
        "No gold name is of the type PERSON (1), GPE (1): no such prediction can be right; "
        "add --map PERSON=PER --map GPE=LOC if that is what they mean."
    )
    assert result.stderr.splitlines() == [note]
    assert result.stdout == f"{tmp_path / 'run'}\n"
    written = EvaluationRun.open(tmp_path / "run")
    assert written.provenance["predictions"]["notes"] == [note]
    assert note in scores_panel(written).notes


@pytest.mark.parametrize(
    ("gold", "predicted", "options", "expected"),
    [
        (("PER", "LOC"), ("PERSON", "GPE"), ["PERSON=PER", "GPE=LOC"], (2, 2, 2)),
        (("PERSON", "GPE"), ("PER", "LOC"), ["PERSON=PER", "GPE=LOC"], (2, 2, 2)),
        (("PER", "LOC"), ("PER", "DATE"), ["DATE=O"], (1, 1, 2)),
        (("PER", "LOC"), ("LOC", "PER"), ["PER=LOC", "LOC=PER"], (0, 2, 2)),
    ],
)
def test_types_are_renamed_in_both_files(
    tmp_path: Path, gold: tuple[str, ...], predicted: tuple[str, ...], options: list[str], expected: tuple[int, ...]
) -> None:
    """As --map says, all at once; =O leaves names out."""
    options = [word for setting in options for word in ("--map", setting)]
    result = run(tmp_path, NAMES.format(*gold), NAMES.format(*predicted), *options)
    assert (result.exit_code, result.stderr) == (0, "")
    assert counts(tmp_path, "strict") == expected


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("PERSON", "--map 'PERSON' renames nothing; write OLD=NEW, as in PERSON=PER, or OLD=O."),
        ("=PER", "--map '=PER' renames nothing"),
        ("PERSON=", "--map 'PERSON=' renames nothing"),
        ("PERSON=P ER", "--map 'PERSON=P ER' renames nothing"),
        ("PERSN=PER", "--map PERSN: no tag is of that type; there are LOC, PER, PERSON."),
        ("PERSON=LOC", "--map renames PERSON to PER and to LOC; choose one."),
    ],
)
def test_a_renaming_that_does_nothing_is_refused(tmp_path: Path, setting: str, sentence: str) -> None:
    """A typo is not passed over; nothing is written."""
    gold, predicted = NAMES.format("PER", "LOC"), NAMES.format("PERSON", "LOC")
    result = run(tmp_path, gold, predicted, "--map", "PERSON=PER", "--map", setting)
    assert result.exit_code == 2 and sentence in result.stderr
    assert not (tmp_path / "run").exists()


def test_an_empty_token_is_the_same_word_however_it_is_written(tmp_path: Path) -> None:
    """Each program makes white space of its own of it."""
    result = run(tmp_path, "Ulm\tB-LOC\n\u00a0\tO\nx\tO\n", "Ulm B-LOC\n O\nx O\n")
    assert result.exit_code == 0, result.stderr
    assert counts(tmp_path, "strict") == (1, 1, 1)
