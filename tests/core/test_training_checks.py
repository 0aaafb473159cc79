"""``train`` on data that leave nothing to learn or to select by: one sentence, exit code 2, nothing written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mmner_core.errors import InputError
from mmner_core.training import runs
from mmner_core.training.config import DataSource, Recipe, TrainConfig
from mmner_core.training.loop import Trainer, TrainingProgress
from tests.core.test_cli import call
from tests.core.training_run import DATA, tiny_run
from tests.told import names, refused

ADA = "Ada\tB-PER\nin\tO\nBonn\tB-LOC\nIBM\tB-ORG\nDutch\tB-MISC\n\n"
BOB = "Bob\tB-PER\nat\tO\nUlm\tB-LOC\nSAP\tB-ORG\nLatin\tB-MISC\n\n"
EVE = "Eve\tB-PER\nfrom\tO\nRome\tB-LOC\nUNO\tB-ORG\nGreek\tB-MISC\n\n"
PLAIN = "we\tO\nare\tO\nnot\tO\nthere\tO\n\n"


def refusal(folder: Path, train: str, valid: str, monkeypatch: pytest.MonkeyPatch, source: DataSource) -> str:
    """Train the tiny run on two files with this content; return the sentence that refuses them."""
    (folder / "set" / "images").mkdir(parents=True)
    (folder / "set" / "train.txt").write_text(train)
    (folder / "set" / "valid.txt").write_text(valid)
    run = tiny_run(Path("no-encoder"))
    monkeypatch.setitem(
        runs.RUNS, "tiny", lambda: replace(run, training=replace(run.training, train=(source,), valid=(source,)))
    )
    result = call("train", "tiny", "--data", folder, "--out", folder / "out")
    assert (result.exit_code, result.stdout) == (2, "")
    assert not (folder / "out").exists()
    return result.stderr.splitlines()[-1].replace(f"{folder}/", "")


@pytest.mark.parametrize(
    ("train", "valid", "named"),
    [
        (ADA + BOB, ADA + BOB, ["set", "validation"]),
        (ADA, ADA, ["set", "validation"]),
        (ADA, BOB, ["1 training", "set", "validation", "2"]),
        (ADA * 3 + BOB, BOB, ["1 training", "set", "validation"]),
        (
            ADA.replace("B-MISC", "O") + EVE.replace("B-MISC", "O"),
            BOB + EVE,
            ["1 training", "set"],
        ),
        (
            ADA.replace("B-MISC", "O") + EVE.replace("B-MISC", "O").replace("B-ORG", "O"),
            BOB,
            ["MISC", "1 names", "validation"],
        ),
        (PLAIN + PLAIN.replace("we", "they"), BOB, ["PER, LOC, ORG, MISC"]),
        (ADA + EVE, PLAIN, ["validation", "no name"]),
        (ADA + EVE, BOB.replace("LOC", "GPE"), ["set/valid.txt:3", "'B-GPE'", "O, B-PER"]),
        (ADA + EVE.replace("PER", "PERSON"), BOB, ["set/train.txt:7", "'B-PERSON'"]),
        ("\n", BOB, ["set/train.txt", "no sentences"]),
        (ADA + EVE, "", ["set/valid.txt", "no sentences"]),
    ],
    ids=[
        "repeated",
        "one, repeated",
        "one sentence",
        "one sentence, several times",
        "one left",
        "class missing",
        "no names to learn",
        "no names to select by",
        "type unknown in validation",
        "type unknown in training",
        "empty training",
        "empty validation",
    ],
)
def test_data_that_leave_nothing_to_learn_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, train: str, valid: str, named: list[str]
) -> None:
    """Before the model is built, with what is wrong and where."""
    assert names(refusal(tmp_path, train, valid, monkeypatch, DataSource(path="set")), *named)


def test_types_of_other_names_are_told_how_to_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training has no --map; convert has."""
    said = refusal(tmp_path, ADA + EVE, BOB.replace("LOC", "GPE"), monkeypatch, DataSource(path="set"))
    assert names(said, "convert", "--map GPE=LOC")


@pytest.mark.parametrize(
    ("train", "why"),
    [
        ("IMGID:a\n" + ADA + "IMGID:b\n" + EVE, "of the 2"),
        (ADA + EVE, "name none"),
    ],
)
def test_a_source_without_any_of_its_photos_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, train: str, why: str
) -> None:
    """It would be trained as text alone, and nobody would know."""
    said = refusal(tmp_path, train, BOB, monkeypatch, DataSource(path="set", images="set/images"))
    assert names(said, "set", "set/images", why)


@pytest.mark.parametrize(
    "setting", ["head_lr=nan", "encoder_lr=-1", "weight_decay=inf", "clip=nan", "warmup=2", "betas=[0.9, 1.0]"]
)
def test_settings_that_no_run_can_have_are_refused(setting: str) -> None:
    """Not a number, below 0, or beyond what it means."""
    name, _, value = setting.partition("=")
    number = (0.9, 1.0) if name == "betas" else float(value)
    source = DataSource(path="set")
    with pytest.raises(InputError, match=name):
        TrainConfig(train=(source,), valid=(source,), **{name: number})  # type: ignore[arg-type]


def _broken(text_folder: Path, precision: str = "no") -> Recipe:
    return tiny_run(text_folder, encoder_lr=1e30, head_lr=1e30, precision=precision)


@pytest.mark.slow
def test_a_loss_that_is_no_number_ends_the_run(tiny_bert: Path, tokenizer_folder: Path, tmp_path: Path) -> None:
    """At that step, not hours later with a checkpoint that finds nothing."""
    trainer = Trainer(_broken(tiny_bert), DATA, tmp_path / "out", tokenizer_folder)
    with refused("loss", "epoch 1", "--set head_lr=1e+30"):
        trainer._train_epoch(TrainingProgress())
    assert not (tmp_path / "out" / "best.safetensors").exists()
