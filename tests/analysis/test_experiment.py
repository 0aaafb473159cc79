"""``python -m analysis experiment``: a grid of tiny models, shared, killed and resumed, as tables that can be read."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from analysis.cli.main import app
from analysis.run.folder import EvaluationRun
from tests.told import names

pytestmark = pytest.mark.slow  # evaluates with all maps and intervals

REPOSITORY = Path(__file__).parents[2]
TINY = REPOSITORY / "tests" / "data" / "tiny"
# Ends itself in the second epoch of the second cell: one is finished, one half trained.
KILLED = """
import os, signal
from analysis.cli.main import run
from mmner_core.training.loop import Trainer
step, count = Trainer._step, 0
def step_or_die(self, batch):
    global count
    count += 1
    if count == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, batch)
Trainer._step = step_or_die
run()
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay out the tiny data in two languages, once as a training set and once as another test set."""
    folder = tmp_path_factory.mktemp("data")
    for language in ("en", "fr"):
        shutil.copytree(TINY / language, folder / "tiny" / language)
        (folder / "other" / language).mkdir(parents=True)
        shutil.copy(TINY / language / "valid.txt", folder / "other" / language)
    # A sentence of the other test set that is in training as well.
    first = (TINY / "en" / "train.txt").read_text(encoding="utf-8").split("\n\n")[0]
    with (folder / "other" / "en" / "valid.txt").open("a", encoding="utf-8") as lines:
        lines.write(f"\n{first}\n")
    shutil.copytree(TINY / "images", folder / "tiny" / "images")
    return folder


@pytest.fixture(scope="module")
def weights(tiny_bert: Path, tokenizer_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay out pretrained weights under the name that preset ``tiny`` gives its text encoder."""
    folder = tmp_path_factory.mktemp("weights")
    (folder / "tiny").mkdir()
    for source in (tiny_bert, tokenizer_folder):
        for file in source.iterdir():
            shutil.copy(file, folder / "tiny")
    return folder


def arguments(name: str, runs: Path, data: Path, *options: object) -> list[str]:
    """Write the command's arguments."""
    common = ("--preset", "tiny", "--train", "tiny", "--epochs", 2)
    return [str(part) for part in ("experiment", name, "--runs", runs, "--data", data, *common, *options)]


def call(name: str, runs: Path, data: Path, weights: Path, *options: object) -> Result:
    """Run the program in this process."""
    words = arguments(name, runs, data, *options)
    return CliRunner().invoke(app, words, env={"MMNER_WEIGHTS": str(weights)}, catch_exceptions=False)


def record(runs: Path, name: str) -> dict[str, Any]:
    """Read what an experiment wrote about itself."""
    content: dict[str, Any] = json.loads((runs / "tables" / name / "experiment.json").read_text(encoding="utf-8"))
    return content


def trainings(runs: Path) -> dict[str, int]:
    """Return when each cell was finished, by key."""
    return {cell.parent.name: cell.stat().st_mtime_ns for cell in runs.glob("cells/*/cell.json")}


@pytest.fixture(scope="module")
def grid(data: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run ``robustness`` to its end: the full model with two seeds."""
    runs = tmp_path_factory.mktemp("grids") / "whole"
    result = call("robustness", runs, data, weights, "--severities", "5")
    assert (result.exit_code, result.stdout) == (0, f"{runs / 'tables' / 'robustness'}\n"), result.stderr
    return runs


@pytest.fixture(scope="module")
def transfer(grid: Path, data: Path, weights: Path) -> Path:
    """Run ``cross-lingual`` with one seed in the same folder."""
    result = call("cross-lingual", grid, data, weights, "--seeds", 1, "--markdown", grid / "all.md")
    assert result.exit_code == 0, result.stderr
    return grid


def test_every_condition_has_its_row(grid: Path) -> None:
    """Own, missing, spoilt, shuffled and misleading photos, each with F1, seeds and n; the loss against the own."""
    folder = grid / "tables" / "robustness"
    f1 = pd.read_parquet(folder / "f1.parquet")
    assert list(f1["condition"])[:6] == ["matched", "none", "blank", "noise", "shuffled", "other_type"]
    assert set(f1["condition"][6:]) == {f"{name}-5" for name in ("blur", "noise", "jpeg", "crop", "dark", "occlusion")}
    assert f1["f1"].between(0, 1).all()
    assert [len(seeds) for seeds in f1["by_seed"]] == [2] * len(f1)
    minus = pd.read_parquet(folder / "difference.parquet").set_index("condition")
    own = f1.set_index("condition").loc["matched", "f1"]
    taking_part = f1.set_index("condition")["n_sentences"] == f1["n_sentences"][0]
    for condition in minus.index[taking_part[minus.index]]:
        found = f1.set_index("condition").loc[condition, "f1"]
        assert minus.loc[condition, "difference"] == pytest.approx(found - own)


def test_a_cell_is_a_run_that_the_app_opens(grid: Path) -> None:
    """Its folder holds test sentences, conditions and provenance; training left only what is needed behind."""
    about = record(grid, "robustness")
    assert about["seeds"] == [19, 20]
    for cell in about["cells"]:
        (name,) = cell["runs"]
        run = EvaluationRun.open(grid / name)
        assert run.provenance["data"]["splits"] == {"tiny": "test"}
        assert set(run.answers().sentences["source"]) == {"tiny"}
        assert {file.name for file in (grid / "cells" / cell["key"]).iterdir()} == {
            "cell.json", "checkpoint", "metrics.jsonl", "run.json", "tensorboard",
        }  # fmt: skip


def test_the_page_says_what_was_done(transfer: Path) -> None:
    """Command, seeds, sizes, what is resampled; experiments in one order; the file asked for is the same."""
    page = (transfer / "EXPERIMENTS.md").read_text(encoding="utf-8")
    assert page == (transfer / "all.md").read_text(encoding="utf-8")
    assert page.index("## robustness") < page.index("## cross-lingual")
    assert "draws the test sentences with replacement (the same draw for all seeds" in " ".join(page.split())
    assert "python -m analysis" in page
    assert "- Preset `tiny`, seeds 19, 20, 2 epochs, the best on validation kept." in page
    assert "- Training data: `tiny` (`=N`" in page
    assert "16 sentences, 32 read in 2 steps, per cell." in page


def test_the_matrix_marks_what_was_never_read(transfer: Path) -> None:
    """Two languages: three rows of two columns, each but its own and the joint row zero-shot; the heat map beside."""
    matrix = pd.read_parquet(transfer / "tables" / "cross-lingual" / "matrix.parquet")
    assert list(zip(matrix["trained on"], matrix["tested on"], matrix["zero_shot"], strict=True)) == [
        ("en", "en", False), ("en", "fr", True), ("fr", "en", True), ("fr", "fr", False), ("all", "en", False),
        ("all", "fr", False),
    ]  # fmt: skip
    assert {len(seeds) for seeds in matrix["by_seed"]} == {1}
    page = (transfer / "tables" / "cross-lingual" / "page.md").read_text(encoding="utf-8")
    assert page.count(" † |") == 2
    html = (transfer / "tables" / "cross-lingual" / "matrix.html").read_text(encoding="utf-8")
    assert html.count(", zero-shot") == 2


def test_experiments_share_their_cells(transfer: Path) -> None:
    """All languages together is the full model: it was trained once, by the experiment that came first."""
    cells = {cell["variant"]: cell for cell in record(transfer, "cross-lingual")["cells"]}
    full = next(cell for cell in record(transfer, "robustness")["cells"] if cell["seed"] == 19)
    assert cells["all"]["key"] == full["key"]
    assert (cells["all"]["label"], cells["en"]["label"]) == ("full", "en")
    assert len(trainings(transfer)) == 4
    # A row of one language reads it twice, so that all rows read as much.
    assert [cells[name]["train_sentences"] for name in ("en", "fr", "all")] == [8, 8, 16]
    assert {cell["sentences_read"] for cell in cells.values()} == {32}


def test_a_killed_grid_goes_on(grid: Path, data: Path, weights: Path, tmp_path: Path) -> None:
    """SIGKILL within the second cell: the first is kept, the second goes on, and the tables are the same."""
    runs = tmp_path / "killed"
    words = arguments("robustness", runs, data, "--severities", "5")
    process = subprocess.run(
        [sys.executable, "-c", KILLED, *words],
        cwd=REPOSITORY,
        env=os.environ | {"MMNER_WEIGHTS": str(weights)},
        capture_output=True,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()
    finished = trainings(runs)
    assert len(finished) == 1
    assert len(list(runs.glob("cells/*/state/progress.json"))) == 1
    assert record(runs, "robustness")["seeds"] == [19]
    assert "seeds 19 (to come: 20), 2 epochs" in (runs / "EXPERIMENTS.md").read_text(encoding="utf-8")

    result = call("robustness", runs, data, weights, "--severities", "5")

    assert result.exit_code == 0, result.stderr
    assert finished.items() <= trainings(runs).items()
    assert record(runs, "robustness")["tables"] == record(grid, "robustness")["tables"]


def test_nothing_is_done_twice(grid: Path, data: Path, weights: Path) -> None:
    """The same command once more trains and tags nothing and writes the same tables."""
    before, tables = trainings(grid), record(grid, "robustness")["tables"]
    written = {path: path.stat().st_mtime_ns for path in grid.glob("runs/*/provenance.json")}
    assert call("robustness", grid, data, weights, "--severities", "5").exit_code == 0
    assert trainings(grid) == before
    assert {path: path.stat().st_mtime_ns for path in grid.glob("runs/*/provenance.json")} == written
    assert record(grid, "robustness")["tables"] == tables


def test_other_data_sets_are_read_by_their_convention(grid: Path, data: Path, weights: Path) -> None:
    """Data without photos and without a test split is read as it is, by the convention asked for, which is said."""
    options = ("--seeds", 1, "--variants", "full", "--test", "tiny=1,other@caption")
    result = call("cross-dataset", grid, data, weights, *options)
    assert result.exit_code == 0, result.stderr
    table = pd.read_parquet(grid / "tables" / "cross-dataset" / "f1.parquet")
    assert list(zip(table["source"], table["language"], table["n_sentences"], strict=True)) == [
        ("tiny", "en", 1), ("tiny", "fr", 1), ("other", "en", 3), ("other", "fr", 3),
    ]  # fmt: skip
    page = (grid / "tables" / "cross-dataset" / "page.md").read_text(encoding="utf-8")
    assert "Read: tiny: test split, other: valid split." in page
    assert "Left out, being in the training data too: 1 of other." in page
    assert "Annotation convention: other by caption; the others by the model's default." in page


def test_a_collapse_is_said(grid: Path, data: Path, weights: Path) -> None:
    """With alpha 0 nobody teaches the tagger; what happened to it and to the space is in the table."""
    options = ("--seeds", 1, "--alphas", "0", "--temperatures", "", "--variants", "full,alpha 0")
    result = call("alpha-temperature", grid, data, weights, *options)
    assert result.exit_code == 0, result.stderr
    table = pd.read_parquet(grid / "tables" / "alpha-temperature" / "values.parquet").set_index("variant")
    assert list(table["alpha"]) == [0.8, 0.0]
    assert table["separation"].between(0, 1).all()
    assert table["temperature"].tolist() == pytest.approx([0.5, 0.5])
    # Two steps cannot align anything.
    assert table["verdict"].str.contains("stuck at guessing|not aligned|collapsed").all()


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("ablations", (), "There is no experiment 'ablations'; choose one of ablation, robustness, cross-lingual, "),
        ("ablation", ("--preset", "big"), "There is no preset 'big'; choose one of "),
        ("ablation", ("--train", "tiny=0"), "--train: 'tiny=0' is no data set; write its folder"),
        ("ablation", ("--train", "missing"), "missing does not exist."),
        ("ablation", ("--train", ""), "No run says what the preset 'tiny' is trained on; name data sets with --train."),
        ("ablation", ("--variants", "fill"), "There is no variant 'fill'; choose among full, "),
        ("alpha-temperature", ("--alphas", "a"), "--alphas takes numbers between commas, got 'a'."),
        ("robustness", ("--severities", "9"), "There is no severity 9; choose from 1 (mild) to 5 (drastic)."),
    ],
)
def test_a_mistake_is_one_sentence(
    name: str, options: tuple[str, ...], sentence: str, data: Path, weights: Path, tmp_path: Path
) -> None:
    """What is wrong and what there is instead; nothing is trained."""
    result = call(name, tmp_path / "runs", data, weights, *options)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not list(tmp_path.glob("runs/cells/*"))


def test_data_that_are_not_there_are_named(weights: Path, tmp_path: Path) -> None:
    """The folder, and the option that names another."""
    result = call("ablation", tmp_path / "runs", tmp_path / "nowhere", weights)
    assert result.exit_code == 2
    assert names(result.stderr, tmp_path / "nowhere", "--data")


def test_an_ablation_says_what_attention_and_space_lose(data: Path, weights: Path, tmp_path: Path) -> None:
    """Pointing and recall per variant; what one lacks has no row. A second one may begin with a trained checkpoint."""
    grounded = ("--preset", "tiny_grounded", "--seeds", 1, "--epochs", 1)
    variants = ("full", "no grounding", "no contrastive loss")
    result = call("ablation", tmp_path / "first", data, weights, *grounded, "--variants", ",".join(variants))
    assert result.exit_code == 0, result.stderr
    tables = tmp_path / "first" / "tables" / "ablation"
    pointing, space = (pd.read_parquet(tables / f"{name}.parquet") for name in ("pointing", "space"))
    assert set(pointing["variant"]) == set(variants)
    assert pointing["hit"].between(0, 1).all() and (pointing["n"] > 0).all()
    assert set(space["variant"]) == set(variants[:2])
    assert (space["n"] > 0).all()
    page = (tables / "page.md").read_text(encoding="utf-8")
    assert "two photos (chance 50)" in page and "separation (chance 50)" in page

    cells = {cell["variant"]: cell["key"] for cell in record(tmp_path / "first", "ablation")["cells"]}
    start = tmp_path / "first" / "cells" / cells["full"] / "checkpoint"
    result = call(
        "ablation", tmp_path / "next", data, weights, *grounded, "--variants", "full,no grounding", "--init", start
    )
    assert result.exit_code == 0, result.stderr
    assert f"from the checkpoint `{start}`" in (tmp_path / "next" / "EXPERIMENTS.md").read_text(encoding="utf-8")
    for cell in record(tmp_path / "next", "ablation")["cells"]:
        run = json.loads((tmp_path / "next" / "cells" / cell["key"] / "run.json").read_text(encoding="utf-8"))
        assert run["run"]["training"]["init"] == str(start)
