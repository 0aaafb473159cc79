"""``python -m analysis point`` prints what a model's heat maps hit, what was left out, and tells mistakes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from analysis.cli.main import app

DATA = Path(__file__).parents[1] / "data" / "tiny"
IMAGES = DATA / "images"
METHODS = {"attention", "attention/vit", "attention/cnn", "gradient", "random"}


def call(*arguments: object) -> Result:
    """Run the program in this process."""
    return CliRunner().invoke(app, ["point", *map(str, arguments)], prog_name="python -m analysis")


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    """Write boxes of two photos, one of them without a sentence."""
    rows = [
        {"image": "per-1.jpg", "name": "Ada", "type": "PER", "boxes": [[0, 0, 1, 0.5]], "split": "test"},
        {"image": "loc-1.jpg", "name": "Paris", "type": "LOC", "boxes": [[0.2, 0.2, 0.6, 0.6]], "sentence": "in Paris"},
    ]
    file = tmp_path / "boxes.jsonl"
    file.write_text("".join(json.dumps(row | {"language": "en"}) + "\n" for row in rows), encoding="utf-8")
    return file


@pytest.mark.slow
def test_boxes(boxes: Path, tiny_checkpoint: Path) -> None:
    """Each method and type has its row; the table for people names them too."""
    arguments = ("--checkpoint", tiny_checkpoint, "--boxes", boxes, "--images", IMAGES)
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    rows = {(row["method"], row["type"]): row for row in found["boxes"]}
    assert set(rows) == {(method, kind) for method in METHODS | {"occlusion"} for kind in ("all", "PER", "LOC")}
    assert set(found["boxes"][0]) == {"method", "type", "hit", "low", "high", "chance", "mass", "n"}
    assert rows["attention", "all"]["n"] == 2 and rows["attention", "PER"]["chance"] == 0.5
    assert found["boxes_left_out"] == found["boxes_outside"] == []
    assert "occlusion" in call(*arguments, "--split", "test").stdout


@pytest.mark.slow
def test_mosaics(tiny_checkpoint: Path) -> None:
    """Each layout and control has its rows, chance its value, and what was left out its count."""
    arguments = ("--checkpoint", tiny_checkpoint, "--mosaics", "--data", DATA, "--split", "valid", "--limit", 8)
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    overall = {(row["layout"], row["method"]): row for row in found["mosaics"] if row["type"] == "all"}
    layouts = {layout for layout, _ in overall}
    assert {"two", "forty-sixty", "same photo twice"} <= layouts and {method for _, method in overall} == METHODS
    assert {overall["same photo twice", method]["hit"] for method in METHODS} == {0.5}
    assert 0 <= overall["two", "attention"]["swap"] <= 1
    assert {row["what"]: row["n"] for row in found["mosaics_left_out"]}["sentences without a photo"] > 0
    assert "pointing" not in found and len(found["checkpoint"]) > 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Give --boxes, photos with boxes, or --mosaics"),
        (("--mosaics",), "--mosaics needs --data"),
        (("--mosaics", "--data", DATA, "--split", "dev2"), "There is no split 'dev2'"),
        (("--boxes", IMAGES), "name with --text the tagged sentences"),
        (("--boxes", IMAGES, "--text", DATA / "en" / "test.txt"), "has no box of a name of"),
        (("--boxes", DATA / "en" / "test.txt", "--text", DATA), "--text goes with a folder of XML files"),
        (("--boxes", DATA / "en" / "test.txt"), "test.txt:1: the line is not JSON"),
        (("--boxes", "nowhere.jsonl"), "nowhere.jsonl cannot be read"),
    ],
)
def test_mistakes_are_told_in_one_sentence(arguments: tuple[object, ...], message: str, tiny_checkpoint: Path) -> None:
    """Exit code 2 and one line on standard error."""
    result = call("--checkpoint", tiny_checkpoint, *arguments)
    assert result.exit_code == 2, result.output
    assert message in result.stderr and result.stderr.count("\n") == 1


@pytest.mark.slow
def test_words(tiny_checkpoint: Path) -> None:
    """The salient and the nearest words have their rows; a sample is as large as asked for; the data are needed."""
    arguments = ("--checkpoint", tiny_checkpoint, "--words", "--data", DATA, "--images", IMAGES, "--limit", 6)
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    rows = {(row["method"], row["quantity"]): row for row in json.loads(result.stdout)["words"]}
    assert {method for method, _ in rows} == {"most salient first", "nearest first"}
    assert 0 <= rows["most salient first", "better_than_chance"]["value"] <= 1
    assert "Deletion_gain" not in call(*arguments).stdout and "deletion_gain" in call(*arguments).stdout
    refused = call("--checkpoint", tiny_checkpoint, "--words")
    assert refused.exit_code == 2 and "--words needs --data" in refused.stderr
