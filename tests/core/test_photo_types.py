"""``train-photos``: an image encoder learns what is where on photos, and nothing else changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mmner_core.checkpoints.folder import load_checkpoint, save_checkpoint
from mmner_core.errors import InputError
from mmner_core.inference.tagger import Tagger
from mmner_core.network.model import MMNER
from mmner_core.presets import reading_only, tiny_grounded
from mmner_core.training.images import cell_types as photo_types
from mmner_core.training.images.boxed_photos import read_boxed_photos
from mmner_core.training.images.cell_types import PhotoTypesConfig
from mmner_core.training.images.drawn_scenes import Scenes, SceneShares
from mmner_core.training.images.stage import PhotoData, train_photo_stage
from mmner_core.training.images.typed_photos import read_typed_photos
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


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    """Write a table of boxes on two of the photos."""
    rows = [
        {"split": split, "image": f"org-{i}.jpg", "name": "Acme", "type": "ORG", "boxes": [[0.2, 0.1, 0.6, 0.9]]}
        for split, i in (("train", 1), ("valid", 4))
    ]
    file = tmp_path / "boxes.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


@pytest.fixture
def text_checkpoint(tokenizer_folder: Path, tmp_path: Path) -> Path:
    """Save a text tagger of the tiny model's form."""
    torch.manual_seed(0)
    model = MMNER.build(reading_only(tiny_grounded()))
    return save_checkpoint(
        tmp_path / "text",
        model,
        tokenizer_folder,
        metrics={},
        provenance={"command": "tests/core/test_photo_types.py"},
        card="# text\n",
    )


def config(**settings: Any) -> PhotoTypesConfig:
    """Describe a stage of seconds."""
    small: dict[str, Any] = {
        "trainable": ("blocks.", "conv_head."),
        "epochs": 1,
        "scenes": 8,
        "valid_scenes": 4,
        "batch": 4,
    }
    return PhotoTypesConfig(**(small | settings))


def run(checkpoint: Path, pairs: Path, out: Path, boxes: Path | None = None, **settings: Any) -> Path:
    """Train the stage and return its checkpoint."""
    data = PhotoData(pairs=pairs, images=IMAGES, boxes=boxes, box_images=IMAGES)
    return train_photo_stage(checkpoint, tiny_grounded(), data, out, config(**settings))


@pytest.mark.slow
def test_a_text_tagger_gets_eyes_and_reads_as_before(
    text_checkpoint: Path, pairs: Path, boxes: Path, tmp_path: Path
) -> None:
    """The text's weights and every answer without a photo stay, to the last bit; the model sees and has a reader."""
    folder = run(text_checkpoint, pairs, tmp_path / "out", boxes)
    before, after = load_checkpoint(text_checkpoint), load_checkpoint(folder)
    weights = after.model.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in before.model.state_dict().items())
    assert after.model.sees and after.model.grounding is not None
    answers = [Tagger(checkpoint).tag("Marie Curie saw Paris", lang="en").marginals for checkpoint in (before, after)]
    assert (answers[0] == answers[1]).all()


@pytest.mark.slow
def test_only_the_eye_learns(text_checkpoint: Path, pairs: Path, tmp_path: Path) -> None:
    """Of a model that has eyes the weights asked for and the reader of cells learn, nothing else."""
    first = run(text_checkpoint, pairs, tmp_path / "first")
    second = run(first, pairs, tmp_path / "second", seed=4)
    weights = [load_checkpoint(folder).model.state_dict() for folder in (first, second)]
    changed = {name for name, value in weights[0].items() if not torch.equal(value, weights[1][name])}
    learning = ("cnn_encoder.model.blocks.", "cnn_encoder.model.conv_head.", "grounding.readers.")
    assert changed and all(name.startswith(learning) for name in changed)


@pytest.mark.slow
def test_the_card_tells_the_stage_and_what_it_gained(text_checkpoint: Path, pairs: Path, tmp_path: Path) -> None:
    """Provenance names the checkpoint it began with; metrics hold the accuracy before and after each epoch."""
    folder = run(text_checkpoint, pairs, tmp_path / "out", epochs=2, seed=3)
    provenance = json.loads((folder / "provenance.json").read_text())
    assert provenance["seed"] == 3 and provenance["init"]["command"] == "tests/core/test_photo_types.py"
    told = json.loads((folder / "metrics.json").read_text())["photo_types"]
    assert told["scenes"] == 4 and len(told["epochs"]) == 3
    assert all(0 <= epoch["accuracy"] <= 1 for epoch in told["epochs"])


@pytest.mark.slow
def test_an_interrupted_run_goes_on_and_ends_alike(
    text_checkpoint: Path, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after an epoch and begun again, it gives the weights of a run without a break; another seed does not."""
    whole = run(text_checkpoint, pairs, tmp_path / "whole", epochs=2)
    scored = photo_types._score
    calls: list[int] = []

    def interrupted(*given: Any) -> dict[str, float]:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return scored(*given)

    monkeypatch.setattr(photo_types, "_score", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(text_checkpoint, pairs, tmp_path / "broken", epochs=2)
    monkeypatch.undo()
    resumed = run(text_checkpoint, pairs, tmp_path / "broken", epochs=2)
    other = run(text_checkpoint, pairs, tmp_path / "other", epochs=2, seed=5)
    first, again, third = (load_checkpoint(folder).model.state_dict() for folder in (whole, resumed, other))
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    assert any(not torch.equal(value, third[name]) for name, value in first.items())


@pytest.mark.slow
def test_another_run_in_the_same_folder_is_refused(text_checkpoint: Path, pairs: Path, tmp_path: Path) -> None:
    """What it holds of a run of other settings would be lost or mixed."""
    run(text_checkpoint, pairs, tmp_path / "out")
    with pytest.raises(InputError, match="holds a run of other settings"):
        run(text_checkpoint, pairs, tmp_path / "out", epochs=2)


@pytest.mark.parametrize("kind", ["photo", "two", "four", "pasted", "boxed", "nothing"])
def test_every_kind_of_scene_says_what_is_where(kind: str, pairs: Path, boxes: Path) -> None:
    """Each part has cells, parts share none, and tells a distribution over types."""
    shares = SceneShares(
        **{name: float(name == kind) for name in ("photo", "two", "four", "pasted", "boxed", "nothing")}
    )
    photos = read_typed_photos(pairs, IMAGES, "train", TYPES)
    scenes = Scenes(photos, read_boxed_photos(boxes, IMAGES, "train", TYPES), TYPES, (8, 8), shares)
    for seed in range(6):
        drawn = scenes.draw(np.random.default_rng(seed))
        assert drawn.masks.any(1).all() and drawn.masks.sum(0).max() == 1
        assert np.allclose(drawn.targets.sum(1), 1) and len(drawn.targets) == len(drawn.masks)
        assert drawn.image.size[0] == drawn.image.size[1]
    assert (kind == "boxed") == (len(drawn.masks) == 1 and drawn.targets[0, 2] == 1 and not drawn.masks.all())


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", ":1: the line is not JSON"),
        (
            '{"image": "a.jpg", "type": "ORG", "boxes": [[0, 0, 1, 1]], "split": "train"}',
            ":1: the field 'name' is missing",
        ),
        (
            '{"image": "a", "name": "A", "type": "X", "boxes": [[0, 0, 1, 1]], "split": "train"}',
            ":1: type 'X' is none of",
        ),
        (
            '{"image": "a", "name": "A", "type": "ORG", "boxes": [[0, 0, 9, 1]], "split": "train"}',
            "no part of the photo",
        ),
        ('{"image": "a", "name": "A", "type": "ORG", "boxes": [[0, 1]], "split": "train"}', "not four numbers"),
        ('{"image": "a", "name": "A", "type": "ORG", "boxes": [[0, 0, 1, 1]], "split": "test"}', "no row of split"),
    ],
)
def test_a_bad_row_of_boxes_is_told(tmp_path: Path, line: str, complaint: str) -> None:
    """What is wrong, in which line, and what to do."""
    table = tmp_path / "boxes.jsonl"
    table.write_text(line + "\n")
    with pytest.raises(InputError, match=complaint):
        read_boxed_photos(table, tmp_path, "train", TYPES)


def test_a_photo_of_two_types_is_half_of_each(tmp_path: Path) -> None:
    """An image serves several sentences: their types share it; an object is a class of its own; a note outranks."""
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
        (HEADER + "a\ttrain\tLOC\t\nb\ttrain\tTOWN\t\n", ":3: .*'TOWN'.*PER, LOC, ORG, MISC, object"),
        (HEADER + "a\ttest\tLOC\t\n", "'train'"),
    ],
)
def test_a_bad_table_is_told(tmp_path: Path, text: str, complaint: str) -> None:
    """What is wrong, in which line."""
    table = tmp_path / "pairs.tsv"
    table.write_text(text)
    with pytest.raises(InputError, match=complaint):
        read_typed_photos(table, tmp_path, "train", TYPES)


def test_a_missing_photo_or_weight_is_told(text_checkpoint: Path, pairs: Path, tmp_path: Path) -> None:
    """One sentence naming the file, or the names that no weight begins with; nothing is written."""
    out = tmp_path / "out"
    common = ("train-photos", "--init", text_checkpoint, "--preset", "tiny_grounded", "--pairs", pairs, "--out", out)
    missing = call(*common, "--images", tmp_path, "--trainable", "blocks.")
    assert missing.exit_code == 2 and "loc-1.jpg" in missing.stderr and missing.stderr.count("\n") == 1
    nothing = call(*common, "--images", IMAGES, "--trainable", "tower.")
    assert nothing.exit_code == 2 and "no weight whose name begins with tower." in nothing.stderr
    assert not (out / "checkpoint").exists()


def test_a_model_without_grounded_attention_has_nothing_to_train(
    person_checkpoint: Path, pairs: Path, tmp_path: Path
) -> None:
    """It is told so."""
    result = call(
        "train-photos", "--init", person_checkpoint, "--pairs", pairs, "--images", IMAGES, "--out", tmp_path / "o"
    )
    assert result.exit_code == 2 and "attention is not grounded" in result.stderr
