"""``train NAME``: from data to a checkpoint that loads, with scores, provenance and card; again, it resumes."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers

from mmner_core.checkpoints.folder import load_checkpoint
from mmner_core.errors import InputError
from mmner_core.inference.tagger import Tagger
from mmner_core.text.language_names import LANGUAGES
from mmner_core.training import runs
from mmner_core.training.config import DataSource, Recipe
from mmner_core.training.finish import train_named
from mmner_core.training.loop import Trainer
from tests.core.test_cli import call
from tests.core.training_run import DATA, tiny_run
from tests.told import refused

pytestmark = pytest.mark.slow  # trains


@pytest.fixture(scope="module")
def weights(tiny_bert: Path, tokenizer_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay out a folder of pretrained weights: the tiny encoder and its tokenizer in a sub-folder."""
    folder = tmp_path_factory.mktemp("weights")
    (folder / "tiny-encoder").mkdir()
    for source in (tiny_bert, tokenizer_folder):
        for file in source.iterdir():
            (folder / "tiny-encoder" / file.name).write_bytes(file.read_bytes())
    return folder


@pytest.fixture(scope="module")
def trained(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Run ``train`` as a user does; return the run's folder and what the command printed."""
    out = tmp_path_factory.mktemp("runs") / "first"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMNER_WEIGHTS", str(weights))
        patch.setitem(runs.RUNS, "tiny", _tiny)
        result = call("train", "tiny", "--data", DATA, "--out", out)
    assert result.exit_code == 0, result.stderr
    return out, result.stdout


def _tiny() -> Recipe:
    run = tiny_run(Path("tiny-encoder"), epochs=1, frozen=True)
    text = replace(run.model.text, architecture=None)  # to be looked up by name, as a real encoder's is
    return replace(run, model=replace(run.model, text=text))


def test_training_ends_with_a_checkpoint_that_tags(trained: tuple[Path, str]) -> None:
    """Its folder is printed, it loads, and its config names the encoder as the run does."""
    out, printed = trained
    assert printed == f"{out / 'checkpoint'}\n"
    tagger = Tagger.load(out / "checkpoint")
    assert tagger.tag("Marie Curie", lang="en").tags
    assert tagger.model.config.text.name == "tiny-encoder"


def test_metrics_hold_every_epoch_and_language(trained: tuple[Path, str]) -> None:
    """Validation scores of the best epoch per language, with images and without, and each epoch's mean."""
    metrics = load_checkpoint(trained[0] / "checkpoint").metrics
    assert [epoch["epoch"] for epoch in metrics["epochs"]] == [1]
    assert metrics["best_mean_f1"] == metrics["epochs"][0]["valid/mean"]
    parts = {(row["language"], row["images"]) for row in metrics["valid"]}
    assert parts == {(language, images) for language in LANGUAGES for images in ("matched", "none")}
    assert all(0 <= row["f1"] <= 1 and row["sentences"] > 0 for row in metrics["valid"])


def test_provenance_says_how_to_repeat_it(trained: tuple[Path, str]) -> None:
    """Digests of all data read, none of the test split; seed, versions, time."""
    provenance = load_checkpoint(trained[0] / "checkpoint").provenance
    assert set(provenance["data"]) == {"train:tiny", "valid:tiny"}
    assert provenance["seed"] == 19
    assert set(provenance["versions"]) == {"python", "torch", "transformers", "tokenizers", "timm", "accelerate"}
    assert provenance["seconds"] >= 0
    assert provenance["began"] <= provenance["ended"]


def test_the_card_shows_the_numbers(trained: tuple[Path, str]) -> None:
    """Validation scores are in; test scores only once somebody has measured them."""
    card = (trained[0] / "checkpoint" / "README.md").read_text(encoding="utf-8")
    assert "$" not in card
    assert "| data | images | en | fr | de | es |" in card and "| tiny | matched | " in card
    assert "Not scored yet" in card


def test_a_finished_run_is_not_trained_again(trained: tuple[Path, str], weights: Path) -> None:
    """The same command finds nothing left to do and writes the same weights."""
    out = trained[0]
    before = load_checkpoint(out / "checkpoint").digest
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMNER_WEIGHTS", str(weights))
        patch.setitem(runs.RUNS, "tiny", _tiny)
        train_named("tiny", DATA, out)
    assert load_checkpoint(out / "checkpoint").digest == before
    assert len(load_checkpoint(out / "checkpoint").metrics["epochs"]) == 1


def test_a_run_goes_on_with_other_data_and_says_so(weights: Path, tmp_path: Path) -> None:
    """The second part begins with the best weights of the first, which stay beside it and are not trained again."""

    def two_parts() -> Recipe:
        run = _tiny()
        return replace(run, then=replace(run.training, seed=20))

    out = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMNER_WEIGHTS", str(weights))
        patch.setitem(runs.RUNS, "tiny", two_parts)
        train_named("tiny", DATA, out, settings=["head_lr=0.002"], command="train tiny")
        first = load_checkpoint(out / "first" / "checkpoint")
        train_named("tiny", DATA, out, settings=["head_lr=0.002"], command="train tiny")
    assert load_checkpoint(out / "first" / "checkpoint").digest == first.digest
    last = load_checkpoint(out / "checkpoint")
    assert last.digest != first.digest
    assert last.provenance["init"]["checkpoint"] == first.digest
    assert (last.provenance["seed"], last.provenance["init"]["seed"]) == (20, 19)
    for part in (out, out / "first"):
        assert json.loads((part / "run.json").read_text())["run"]["training"]["head_lr"] == 0.002
    assert (out / "checkpoint" / "README.md").read_text(encoding="utf-8").count("\ntrain tiny\n") == 1


def test_test_scores_join_card_and_metrics(trained: tuple[Path, str], tmp_path: Path) -> None:
    """``card`` adds what the measuring commands printed, and tells of each look; the checkpoint's digest stays."""
    folder = Path(shutil.copytree(trained[0] / "checkpoint", tmp_path / "checkpoint"))
    before = load_checkpoint(folder).digest
    record = json.loads(call("evaluate", "--data", DATA / "tiny", "--checkpoint", folder, "--json").stdout)
    row = {"condition": "shuffled", "type": "all", "language": "fr", "difference": -0.02, "low": -0.031, "high": 0.0}
    hit = {"method": "attention", "type": "all", "hit": 0.875, "low": 0.8, "high": 0.9, "chance": 0.5, "n": 1200}
    written = {
        "own": record,
        "shuffled": {**record, "image_condition": "shuffled", "f1_of_each_shuffle": {"all": [0.25, 0.75]}},
        "run": {"modality": [row, {**row, "type": "PER"}, {**row, "condition": "blur-3"}]},
        "mosaics": {"mosaics": [{**hit, "layout": "two", "swap": 0.75}, {**hit, "layout": "two", "type": "PER"}]},
        "boxes": {"checkpoint": before, "seed": 19, "boxes": [{**hit, "type": "PER"}]},
    }
    files = {name: tmp_path / f"{name}.json" for name in written}
    for name, content in written.items():
        files[name].write_text(json.dumps(content), encoding="utf-8")
    assert "The test splits were not looked at." in (folder / "README.md").read_text(encoding="utf-8")
    first = call("card", folder, "--test", files["own"], "--look", "tiny test, to learn how it went")
    assert (first.exit_code, first.stdout) == (0, f"{folder / 'README.md'}\n")
    measured = "--test", files["own"], "--test", files["shuffled"], "--photo", f"tiny test={files['run']}"
    pointing = "--pointing", files["mosaics"], "--pointing", files["boxes"]
    assert call("card", folder, *measured, *pointing, "--look", "tiny test, the final figures").exit_code == 0
    loaded = load_checkpoint(folder)
    assert loaded.digest == before
    assert loaded.metrics["test"] == [written["own"], written["shuffled"]]
    f1 = 100 * record["by_language"]["fr"]["f1"]
    card = (folder / "README.md").read_text(encoding="utf-8")
    own, shuffled = (line for line in card.splitlines() if line.startswith(f"| {DATA / 'tiny'} (wiki) | "))
    assert own.startswith(f"| {DATA / 'tiny'} (wiki) | matched | ") and f" {f1:.1f} (" in own
    assert " | shuffled, mean of 2 | " in shuffled
    looks = "looked at 2 times:\n\n1. tiny test, to learn how it went\n2. tiny test, the final figures\n"
    assert looks in card and len(loaded.provenance["looks"]) == 2
    assert "| tiny test | fr |  | -2.0 [-3.1, +0.0] |  |  |" in card and card.count("| tiny test |") == 1
    assert "| two | attention | 88 [80, 90] | 88 | 50 | 75 | 1,200 |" in card
    assert "| PER | attention | 88 [80, 90] | 50 | 1,200 |" in card


@pytest.mark.parametrize(
    ("option", "content", "told"),
    [("--test", "{}", "by_language"), ("--pointing", "[1]", "JSON object"), ("--photo", None, "NAME=FILE")],
)
def test_what_no_command_printed_joins_no_card(
    trained: tuple[Path, str], tmp_path: Path, option: str, content: str | None, told: str
) -> None:
    """One sentence says which file lacks what, and the card stays."""
    folder = trained[0] / "checkpoint"
    before = (folder / "README.md").read_bytes()
    file = tmp_path / "printed.json"
    file.write_text(content or "{}", encoding="utf-8")
    result = call("card", folder, option, file, "--look", "none")
    assert result.exit_code == 2 and len(result.stderr.splitlines()) == 1
    assert told in result.stderr and str(file) in result.stderr
    assert (folder / "README.md").read_bytes() == before


def test_an_encoder_that_is_nowhere_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names the folder that was searched, or the variable that would name one."""
    monkeypatch.setitem(runs.RUNS, "tiny", _tiny)
    monkeypatch.setenv("MMNER_WEIGHTS", str(tmp_path))
    with refused("'tiny-encoder'", tmp_path, "MMNER_WEIGHTS"):
        train_named("tiny", DATA, tmp_path / "out")
    monkeypatch.delenv("MMNER_WEIGHTS")
    with refused("MMNER_WEIGHTS"):
        train_named("tiny", DATA, tmp_path / "out")


def test_a_run_may_begin_with_a_checkpoint(trained: tuple[Path, str], tmp_path: Path) -> None:
    """``--init``: only the parts named by the run move; the checkpoint it came from stands in the provenance.

    The checkpoint is enough: tokenizer and architecture are its own, and nothing is looked for elsewhere.
    """
    first = load_checkpoint(trained[0] / "checkpoint")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MMNER_WEIGHTS", raising=False)
        patch.setattr(transformers.PretrainedConfig, "get_config_dict", _nowhere)
        patch.setattr(transformers.AutoTokenizer, "from_pretrained", _nowhere)
        patch.setitem(runs.RUNS, "tuned", _tuned)
        options = ("--data", DATA, "--out", tmp_path / "tuned", "--init", first.path)
        result = call("train", "tuned", *options)
    assert result.exit_code == 0, result.stderr
    tuned = load_checkpoint(tmp_path / "tuned" / "checkpoint")
    assert (tuned.path / "tokenizer.json").read_bytes() == (first.path / "tokenizer.json").read_bytes()
    before, after = first.model.state_dict(), tuned.model.state_dict()
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"fusion"}
    assert tuned.provenance["init"]["checkpoint"] == first.digest
    assert tuned.provenance["init"]["command"] == first.provenance["command"]
    assert {row["images"] for row in tuned.metrics["valid"]} == {"matched", "none", "shuffled"}
    card = (tuned.path / "README.md").read_text()
    assert card.startswith("# tuned:")
    assert first.provenance["command"] in card and tuned.provenance["command"] in card


def test_a_run_refuses_the_checkpoint_of_another_model(trained: tuple[Path, str], tmp_path: Path) -> None:
    """One that reads texts otherwise, or lacks what the run leaves as it is: one sentence says what does not fit."""
    first = trained[0] / "checkpoint"
    run = _tuned()
    run = replace(run, training=replace(run.training, init=str(first)))
    model = load_checkpoint(first).model.config
    others = {
        "conventions": replace(model, conventions=("caption", "wiki")),
        "grounding": replace(model, fusion=replace(model.fusion, word_residual=True, grounded=True)),
    }
    for part, other in others.items():
        with pytest.raises(InputError, match=f"holds another model .*{part}"):
            Trainer(replace(run, model=other), DATA, tmp_path, str(first))


def test_a_run_may_try_another_part_on_a_checkpoint(trained: tuple[Path, str], tmp_path: Path) -> None:
    """A part that the checkpoint lacks begins at random if the run trains it; all else is the checkpoint's."""
    first = load_checkpoint(trained[0] / "checkpoint")
    fusion = replace(first.model.config.fusion, word_residual=True, grounded=True)
    training = replace(_tuned().training, init=str(first.path), trainable=("fusion.", "grounding."))
    run = Recipe(model=replace(first.model.config, fusion=fusion), training=training)
    begun = Trainer(run, DATA, tmp_path, str(first.path)).model.state_dict()
    before = first.model.state_dict()
    assert {name.split(".")[0] for name in begun if name not in before} == {"grounding"}
    for name in begun.keys() & before.keys():
        assert torch.equal(before[name], begun[name]), name


def test_a_checkpoint_that_is_not_there_is_one_sentence(
    trained: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is anything looked for elsewhere, nor the run's folder made."""
    monkeypatch.setitem(runs.RUNS, "tuned", _tuned)
    with pytest.raises(InputError, match="There is no checkpoint folder"):
        train_named("tuned", DATA, tmp_path / "out", init=tmp_path / "none")
    assert not (tmp_path / "out").exists()


def _nowhere(*arguments: object, **options: object) -> None:
    raise AssertionError(f"asked for {arguments}")


def _tuned() -> Recipe:
    run = _tiny()
    source = DataSource(path="tiny", images="tiny/images", random_image=0.3)
    valid = (source, replace(source, condition="shuffled"))
    return replace(run, training=replace(run.training, train=(source,), valid=valid, trainable=("fusion.",)))
