"""``run --model``: a model of one's own under every image condition, and one clear sentence where it fails."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

import analysis.own_model
from analysis.cli.main import app
from analysis.own_model import Item
from analysis.own_model.process import ModelProcess
from analysis.panels.calibration import calibration
from analysis.panels.compare import differences
from analysis.panels.scores import scores
from analysis.panels.shapley import shapley, shapley_streams
from analysis.report.document import collect
from analysis.run.folder import EvaluationRun
from mmner_core.errors import InputError
from tests.analysis.own_models import write_data

pytestmark = pytest.mark.slow  # seconds each

MODELS = "tests.analysis.own_models"
SMALL = ("--honesty-sample", 2, "--pointing-sample", 4)
QUICK = ("--no-studies", "--no-maps")


def call(*arguments: object) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, ["run", *map(str, arguments)])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the data."""
    return write_data(tmp_path_factory.mktemp("own") / "shades")


@pytest.fixture(scope="module")
def whole(data: Path) -> EvaluationRun:
    """Write a run of a model that gives everything, with everything small."""
    out = data.parent.parent / "runs" / "whole"
    boxes = data.parent / "boxes.jsonl"
    row = {"image": "white-1.png", "name": "Ann", "type": "PER", "boxes": [[0, 0, 1, 1]], "sentence": "Ann sleeps"}
    row["language"] = "en"
    boxes.write_text(json.dumps(row), encoding="utf-8")
    result = call(
        "--model", f"{MODELS}:Shades", "--data", data, "--lang", "en", "--out", out, *SMALL, "--boxes", boxes,
        "--corruptions", "--irrelevant", data.parent / "images", "--train", data, "--model-batch", 3, "--shard", 4,
        "--no-maps",
    )  # fmt: skip
    assert (result.exit_code, result.stdout) == (0, f"{out}\n"), result.output
    return EvaluationRun.open(out)


def test_a_run_of_a_model_of_ones_own_holds_all_that_a_checkpoint_s_does(whole: EvaluationRun) -> None:
    """Every condition but hidden streams, every number, vectors, maps; the damaged photo is told of."""
    assert {"matched", "none", "blank", "noise", "shuffled", "other_type", "irrelevant", "nothing", "image_only"} < set(
        whole.conditions
    )
    assert len([name for name in whole.conditions if re.fullmatch(r"\w+-[1-5]", name)]) == 30
    assert whole.conditions["matched"] == whole.conditions["none"] == 8
    assert whole.conditions["blank"] == whole.conditions["blur-3"] == 6
    assert {
        "scores", "modality", "modality_by_cosine", "minimal_pairs", "shapley", "contrastive", "calibration",
        "calibration_bins", "leakage", "maps", "map_curves", "map_verdicts", "map_sample", "pointing", "mosaics",
        "boxes",
    } <= whole.metrics.keys()  # fmt: skip
    assert {"text", "image_model", "entity", "entity_gold", "entity_predicted"} < set(whole.embedding_names())
    provenance = whole.provenance
    assert provenance["photos"]["unreadable"] == 1
    assert provenance["conditions"]["skipped"]["blank"]["the photo cannot be decoded"] == 1
    assert provenance["model"]["factory"] == f"{MODELS}:Shades" and provenance["types"] == ["PER", "LOC"]
    assert {"probabilities by tag", "maps", "text_vector", "word_vectors"} < set(provenance["model"]["gives"])


def test_the_photo_s_part_is_measured(whole: EvaluationRun) -> None:
    """The model knows names by the text and the two Jordans by their photos alone."""
    f1 = {
        row["condition"]: row["f1"]
        for row in whole.metrics["scores"]
        if (row["rule"], row["language"], row["type"]) == ("strict", "all", "all")
    }
    assert f1["matched"] == 1.0 > f1["none"]
    pairs = {(row["condition"], row["outcome"]): row["value"] for row in whole.metrics["minimal_pairs"]}
    assert pairs["matched", "both right"] == 1.0 and pairs["none", "both right"] == 0.0
    shares = pd.DataFrame(whole.metrics["shapley"]).query("language == 'all' and type == 'all'").set_index("quantity")
    assert shares.at["share_image", "value"] == pytest.approx(0.4, abs=1e-5) and shares.at["share_text", "value"] > 0.3


def test_its_maps_are_tested_and_point_at_the_right_photo(whole: EvaluationRun) -> None:
    """Its own map and occlusion show the half that the name's type is in; the same photo twice is chance."""
    mosaics = pd.DataFrame(whole.metrics["mosaics"]).set_index(["layout", "method", "type"])["hit"]
    assert mosaics["two", "model", "PER"] == mosaics["two", "occlusion", "all"] == 1.0
    assert mosaics["same photo twice", "model", "all"] == 0.5
    assert {row["method"] for row in whole.metrics["boxes"]} == {"model", "occlusion"}
    assert {row["method"] for row in whole.metrics["maps"]} == {"model", "occlusion"}
    assert whole.metrics["map_sample"][0]["tested"] == 2


def test_the_report_shows_it_and_says_what_cannot_be_had(whole: EvaluationRun) -> None:
    """Every panel is there; the one of image streams says why it is empty; probabilities are called what they are."""
    panels = {panel.id: panel for panel in collect(whole).panels()}
    filled = {
        "scores", "modality", "severity", "shapley", "minimal-pairs", "helped", "calibration", "mosaics", "boxes",
        "pointing", "faithfulness", "retrieval", "cosines", "geometry", "leakage",
    }  # fmt: skip
    assert {name for name in filled if panels[name].table.empty} == set()
    assert panels["shapley-streams"].table.empty
    assert "no stream 'vit' that could be hidden" in shapley_streams(whole).notes[0]
    assert "words taken as independent" in shapley(whole).rule


@pytest.mark.slow
def test_its_vectors_are_laid_out_on_maps(data: Path, tmp_path: Path) -> None:
    """Texts with their photos, and entities."""
    result = call("--model", f"{MODELS}:Shades", "--data", data, "--out", tmp_path / "run", "--no-studies")
    assert result.exit_code == 0, result.output
    coordinates = EvaluationRun.open(tmp_path / "run").coordinates()
    assert coordinates is not None and set(coordinates["map"]) == {"pairs", "entities"}


def test_tags_alone_are_enough_for_all_but_probabilities(data: Path, tmp_path: Path, whole: EvaluationRun) -> None:
    """The same scores, shares of being found, occlusion; calibration is left out, and its panel says so."""
    out = tmp_path / "plain"
    result = call("--model", f"{MODELS}:Plain", "--data", data, "--lang", "en", "--out", out, *SMALL)
    assert result.exit_code == 0, result.output
    run = EvaluationRun.open(out)
    assert run.answers().table["tags"].equals(whole.answers().table["tags"])
    assert {"modality", "minimal_pairs", "shapley", "maps", "pointing"} <= run.metrics.keys()
    assert not {"calibration", "contrastive"} & run.metrics.keys()
    assert {row["method"] for row in run.metrics["pointing"]} == {"occlusion"}
    assert set(run.answers("none").gold_confidence) == {0.0, 1.0} and run.answers().confidence is None
    assert "holds no confidence" in calibration(run).notes[0]
    assert "it gives no probabilities" in shapley(run).rule


def test_the_example_of_the_documentation_runs(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is written there, from the folder it lies in."""
    text = analysis.own_model.__doc__ or ""
    block = text.split("``bright.py``::\n", 1)[1].split("\n\nIt is evaluated", 1)[0]
    lines = [line.removeprefix("    ") for line in block.strip("\n").splitlines()]
    assert len(lines) <= 25
    (tmp_path / "bright.py").write_text("\n".join(lines) + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = call("--model", "bright:Bright", "--data", data, "--out", "runs/bright", *QUICK)
    assert (result.exit_code, result.stdout) == (0, "runs/bright\n"), result.output
    jordans = EvaluationRun.open("runs/bright").answers("matched").table["tags"].to_pylist()[2:4]
    assert jordans == [["B-LOC", "O"], ["B-PER", "O"]]


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("raises", "raised KeyError: 'no such\\nword' (own_models.py, line"),
        ("lazily", "raised KeyError"),
        ("exits", "raised SystemExit: 1 (own_models.py"),
        ("short", "answered 1 tags for 3 words"),
        ("dies", "ended (exit code 3)"),
        ("sleeps", "took longer than 1 seconds"),
    ],
)
def test_a_model_that_fails_is_told_in_one_sentence_with_the_item(
    data: Path, tmp_path: Path, how: str, told: str
) -> None:
    """The sentence, its place in the file and the condition; exit code 2, no traceback, and nothing is written."""
    out = tmp_path / "bad"
    result = call(
        "--model", f"{MODELS}:bad", "--model-option", f"how={how}", "--data", data, "--lang", "en", "--out", out,
        "--model-seconds", 1 if how == "sleeps" else 60, *QUICK, "--conditions", "none",
    )  # fmt: skip
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1 and told in result.stderr
    assert f"({data}:" in result.stderr and "image condition none" in result.stderr
    if how in ("raises", "lazily", "exits", "short"):
        assert re.search(rf"sentence 4 \({re.escape(str(data))}:1[78]\), image condition none", result.stderr)
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--model", "nothing"], "write package.module:function"),
        (["--model", "no_such_module:make"], "there is no module no_such_module"),
        (["--model", f"{MODELS}:no_such"], "has no factory 'no_such'; it has"),
        (["--model", f"{MODELS}:no_predict"], "returned a object, which has no predict(items)"),
        (["--model", f"{MODELS}:bad"], "missing a required argument: 'how'"),
        (["--model", f"{MODELS}:bad", "--model-option", "how=stillborn"], "SystemExit: no model today"),
        (["--model", f"{MODELS}:bad", "--model-option", "how"], "write NAME=VALUE"),
        (["--model", f"{MODELS}:bad", "--model-option", "size=3"], "its options (--model-option) are: how"),
        (["--model", f"{MODELS}:Shades", "--convention", "wiki"], "--convention is for checkpoints"),
        (["--model", f"{MODELS}:Shades", "--conditions", "vit_only"], "no stream 'vit'"),
        (["--model", f"{MODELS}:Shades", "--map", "GPE=LOC"], "neither the data nor the model has that type"),
        (["--model", f"{MODELS}:Shades", "--predictions", "theirs.txt"], "Give one of --checkpoint"),
    ],
)
def test_a_mistaken_command_is_told_in_one_sentence(
    data: Path, tmp_path: Path, arguments: list[str], told: str
) -> None:
    """Before the first sentence is asked."""
    result = call(*arguments, "--data", data, "--lang", "en", "--out", tmp_path / "run")
    assert result.exit_code == 2 and len(result.stderr.splitlines()) == 1 and told in result.stderr


def test_two_models_of_different_label_sets_are_compared_by_a_mapping(data: Path, tmp_path: Path) -> None:
    """What one calls PERSON and GPE is renamed in its answers, probabilities and maps; the runs are then the same."""
    fixed = ("--data", data, "--lang", "en", *QUICK)
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    other = ("--model", f"{MODELS}:Shades", "--model-option", "person=PERSON", "--model-option", "place=GPE")
    result = call(*other, *fixed, "--out", tmp_path / "unmapped")
    assert "--map PERSON=PER --map GPE=LOC" in result.stderr
    assert any(
        "No gold name is of the type PERSON" in note for note in scores(EvaluationRun.open(tmp_path / "unmapped")).notes
    )
    assert call(*other, *fixed, "--map", "PERSON=PER", "--map", "GPE=LOC", "--out", theirs).exit_code == 0
    assert call("--model", f"{MODELS}:Shades", *fixed, "--out", ours).exit_code == 0
    a, b = EvaluationRun.open(theirs), EvaluationRun.open(ours)
    for column in ("tags", "entities", "gold_span_confidence", "loss"):
        assert a.answers().table[column].equals(b.answers().table[column]), column
    assert (differences(a, b).table["difference"] == 0).all()


def test_it_reads_changed_words(data: Path, tmp_path: Path) -> None:
    """Small letters hide names from a model that knows them by their spelling; a stop that is not there, nothing."""
    out = tmp_path / "stress"
    options = ("--data", data, "--lang", "en", "--out", out, "--conditions", "lower_case,no_stop", *QUICK)
    assert call("--model", f"{MODELS}:Shades", *options).exit_code == 0
    table = pd.DataFrame(EvaluationRun.open(out).metrics["stress"])
    rows = table[(table["language"] == "all") & (table["type"] == "all")].set_index("condition")
    assert rows.loc["lower_case", "lost"] == rows.loc["lower_case", "n_gold"] * rows.loc["lower_case", "f1_clean"]
    assert rows.loc["no_stop", ["n_changed", "lost", "gained"]].tolist() == [0, 0, 0]


def test_an_interrupted_run_goes_on_where_it_was(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finished shards are not asked again, and the folder is that of an uninterrupted run."""
    from analysis.evaluation.shard_store import ShardStore

    log = tmp_path / "log"
    monkeypatch.setenv("SHADES_LOG", str(log))
    arguments = ("--model", f"{MODELS}:Shades", "--data", data, "--lang", "en", *QUICK, "--shard", 3)
    write = ShardStore.write

    def break_off(store: ShardStore, shard: int, *rest: Any) -> None:
        if shard == 2:
            raise InputError("The power failed.")
        write(store, shard, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(ShardStore, "write", break_off)
        assert call(*arguments, "--out", tmp_path / "run").exit_code == 2
    log.unlink()
    result = call(*arguments, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    asked = {tuple(words) for line in log.read_text(encoding="utf-8").splitlines() for words in json.loads(line)}
    assert ("Ann", "sleeps") not in asked and ("Bob", "and", "Ann") in asked
    assert call(*arguments, "--out", tmp_path / "again").exit_code == 0
    for name in ("predictions.parquet", "embeddings.safetensors", "metrics.json"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


def test_the_temperature_is_fitted_on_another_split(tmp_path: Path) -> None:
    """The model is asked about it."""
    file = write_data(tmp_path / "data")
    text = file.read_text(encoding="utf-8")
    (file.parent / "valid.txt").write_text("\n".join([text] * 5), encoding="utf-8")
    out = tmp_path / "run"
    result = call(
        "--model", f"{MODELS}:Shades", "--data", file.parent, "--split", "test", "--out", out, *QUICK,
        "--calibrate", "valid",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert EvaluationRun.open(out).metrics["calibration"][0]["fitted_on"].startswith(("valid", "nothing"))
    again = call("--model", f"{MODELS}:Plain", "--data", file, "--out", tmp_path / "b", "--calibrate", out, *QUICK)
    assert again.exit_code == 2 and "is no run of this model" in again.stderr


def test_the_process_ends_with_whoever_asked(tmp_path: Path) -> None:
    """After an answer, after a failure, and in the middle of an endless one."""
    with ModelProcess(f"{MODELS}:Shades") as model:
        [answer] = model.ask([Item(("Ann",))], ["one"])
        assert answer.tags == ("B-PER",) and model.facts.types == ("PER", "LOC")
        process = model._process
    started = time.monotonic()
    with (
        pytest.raises(InputError, match="took longer"),
        ModelProcess(f"{MODELS}:bad", {"how": "sleeps"}, seconds=0.2) as m,
    ):
        sleeping = m._process
        m.ask([Item(("Bob",))], ["one"])
    assert time.monotonic() - started < 15
    for ended in (process, sleeping):
        with pytest.raises(ValueError, match="closed"):
            ended.is_alive()  # type: ignore[union-attr]


def test_answers_must_have_the_same_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    """A vector now and then is no space."""
    (tmp_path / "moody.py").write_text(
        "from analysis.own_model import Answer\n"
        "class Moody:\n"
        "    def predict(self, items):\n"
        "        return [Answer(tags=['O'] * len(i.words), text_vector=[1.0] * len(i.words)) for i in items]\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    result = call("--model", "moody:Moody", "--data", data, "--lang", "en", "--out", "run", *QUICK)
    assert result.exit_code == 2
    assert "gave text_vector of 3 numbers on sentence 4" in result.stderr and "of 2 numbers before" in result.stderr


def test_words_are_hidden_by_the_model_s_own_sign(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under "nothing" and "image_only" it reads that sign in place of each word."""
    log = tmp_path / "log"
    monkeypatch.setenv("SHADES_LOG", str(log))
    fixed = ("--data", data, "--lang", "en", "--out", tmp_path / "run", *QUICK)
    result = call("--model", f"{MODELS}:Shades", *fixed, "--conditions", "nothing")
    assert result.exit_code == 0, result.output
    asked = [words for line in log.read_text(encoding="utf-8").splitlines() for words in json.loads(line)]
    assert {word for words in asked for word in words} == {"something"}
    assert sorted(set(map(len, asked))) == [2, 3]
