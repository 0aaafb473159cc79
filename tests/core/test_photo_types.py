"""``train-photos``: the CNN learns what photos show, and nothing else changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from mmner_core.checkpoint import load_checkpoint
from mmner_core.errors import InputError
from mmner_core.tagger import Tagger
from mmner_core.training.typed_photos import read_typed_photos
from tests.core.test_cli import call

IMAGES = Path(__file__).parents[1] / "data" / "tiny" / "images"
TYPES = ("PER", "LOC", "ORG", "MISC")
HEADER = "id\tsplit\ttype\tnote\n"


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Write a pair table of the tiny photos: the first three of each type to train on, the fourth to choose by."""
    rows = [f"{kind.lower()}-{i}\t{'valid' if i == 4 else 'train'}\t{kind}\t\n" for kind in TYPES for i in range(1, 5)]
    file = tmp_path / "pairs.tsv"
    file.write_text(HEADER + "".join(rows))
    return file


def run(checkpoint: Path, pairs: Path, out: Path, *options: object) -> Path:
    """Run the command and return the checkpoint that it printed."""
    result = call(
        *("train-photos", "--init", checkpoint, "--pairs", pairs, "--images", IMAGES, "--out", out),
        *("--trainable", "blocks.", "--trainable", "conv_head.", *options),
    )
    assert result.exit_code == 0, result.stderr
    return Path(result.stdout.strip())


def test_only_the_eye_changes(person_checkpoint: Path, pairs: Path, tmp_path: Path) -> None:
    """The weights asked for learn, all others and every answer without a photo stay; photos are now read whole."""
    folder = run(person_checkpoint, pairs, tmp_path / "out", "--epochs", 1)
    before, after = load_checkpoint(person_checkpoint), load_checkpoint(folder)
    weights = after.model.state_dict()
    changed = {name for name, value in before.model.state_dict().items() if not torch.equal(value, weights[name])}
    assert changed and all(
        name.startswith(("cnn_encoder.model.blocks.", "cnn_encoder.model.conv_head.")) for name in changed
    )
    assert after.model.config.cnn is not None and after.model.config.cnn.stretch == 1.5
    answers = [Tagger(checkpoint).tag("Marie Curie saw Paris", lang="en").marginals for checkpoint in (before, after)]
    assert (answers[0] == answers[1]).all()


def test_the_card_tells_the_stage_and_what_it_gained(person_checkpoint: Path, pairs: Path, tmp_path: Path) -> None:
    """Provenance names the checkpoint it began with; metrics hold the accuracy before and after each epoch."""
    folder = run(person_checkpoint, pairs, tmp_path / "out", "--epochs", 2, "--seed", 3)
    provenance = json.loads((folder / "provenance.json").read_text())
    assert provenance["seed"] == 3 and provenance["init"]["command"] == "tests/core/conftest.py"
    told = json.loads((folder / "metrics.json").read_text())["photo_types"]
    assert told["photos"] == 4 and len(told["epochs"]) == 3
    assert all(0 <= epoch["accuracy"] <= 1 for epoch in told["epochs"])
    card = (folder / "README.md").read_text()
    assert "tests/core/conftest.py" in card and "seed ? and 3" in card


def test_a_seed_gives_the_same_weights(person_checkpoint: Path, pairs: Path, tmp_path: Path) -> None:
    """Twice the same command, twice the same CNN; another seed, another one."""
    folders = [
        run(person_checkpoint, pairs, tmp_path / str(i), "--epochs", 1, "--seed", s) for i, s in enumerate("112")
    ]
    cnns = [load_checkpoint(folder).model.cnn_encoder for folder in folders]
    first, again, other = (torch.cat([p.flatten() for p in cnn.parameters()]) for cnn in cnns if cnn is not None)
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_a_photo_of_two_types_is_half_of_each(tmp_path: Path) -> None:
    """A picture serves several sentences: their types share it; an object is a class of its own; a note outranks."""
    table = tmp_path / "pairs.tsv"
    rows = [
        "a\ttrain\tLOC\t",
        "a\ttrain\tMISC\t",
        "b\ttrain\tPER\tobject",
        "c\ttrain\tPER\tmisleading:ORG",
        "d\ttest\t?\t",
    ]
    table.write_text(HEADER + "\n".join(rows) + "\n")
    photos = read_typed_photos(table, tmp_path, "train", TYPES)
    assert [file.name for file in photos.files] == ["a.jpg", "b.jpg", "c.jpg"]
    assert photos.targets.tolist() == [[0, 0.5, 0, 0.5, 0], [0, 0, 0, 0, 1], [0, 0, 1, 0, 0]]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("id\tsplit\ttype\n", ":1: no column note"),
        (HEADER + "a\ttrain\tLOC\t\nb\ttrain\tTOWN\t\n", ":3: type 'TOWN' is none of PER, LOC, ORG, MISC, object"),
        (HEADER + "a\ttest\tLOC\t\n", "has no row of split 'train'"),
    ],
)
def test_a_bad_table_is_told(tmp_path: Path, text: str, complaint: str) -> None:
    """What is wrong, in which line."""
    table = tmp_path / "pairs.tsv"
    table.write_text(text)
    with pytest.raises(InputError, match=complaint):
        read_typed_photos(table, tmp_path, "train", TYPES)


def test_a_missing_photo_or_weight_is_told(person_checkpoint: Path, pairs: Path, tmp_path: Path) -> None:
    """One sentence naming the file, or the names that no weight begins with; nothing is written."""
    out = tmp_path / "out"
    common = ("train-photos", "--init", person_checkpoint, "--pairs", pairs, "--out", out)
    missing = call(*common, "--images", tmp_path, "--trainable", "blocks.")
    assert missing.exit_code == 2 and "loc-1.jpg" in missing.stderr and missing.stderr.count("\n") == 1
    nothing = call(*common, "--images", IMAGES, "--trainable", "tower.")
    assert nothing.exit_code == 2 and "no weight whose name begins with tower." in nothing.stderr
    assert not (out / "checkpoint").exists()
