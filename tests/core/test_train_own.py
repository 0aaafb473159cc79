"""``train own``: a user's own files, with types and photos of their own, become a checkpoint that says what it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mmner_core import presets
from mmner_core.checkpoints.folder import load_checkpoint, save_checkpoint
from mmner_core.data import read_examples
from mmner_core.inference.tagger import Tagger
from mmner_core.network.model import MMNER
from mmner_core.training.own.announce import duration
from mmner_core.training.own.new_types import add_types
from mmner_core.training.own.plan import hyper_parameters, learning_parts, make_plan
from mmner_core.training.own.task import OwnTask
from tests.core.test_cli import TINY, call

FAST = ("--set", "epochs=1", "--set", "precision=no", "--set", "batch_sentences=8")
EN = TINY / "en"
FOOD = "I\tO\nlove\tO\ngreen\tB-FOOD\ncurry\tI-FOOD\nin\tO\nBonn\tB-LOC\n\n"
SOUP = "We\tO\nate\tO\nonion\tB-FOOD\nsoup\tI-FOOD\nin\tO\nParis\tB-LOC\n\n"
CAKE = "She\tO\nbaked\tO\napple\tB-FOOD\ncake\tI-FOOD\nat\tO\nhome\tO\n\n"


def write(file: Path, *texts: str) -> Path:
    """Write a file of tagged sentences."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(texts), encoding="utf-8")
    return file


def refusal(*arguments: object) -> str:
    """Run ``train own``, which must fail with exit code 2 and nothing printed; return its sentence."""
    result = call("train", "own", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr.splitlines()[-1]


def task(init: Path, train: Sequence[Path], valid: Sequence[Path], **options: object) -> OwnTask:
    """Describe a training that begins with a checkpoint."""
    asked = {"out": Path("out"), "init": init, **options}
    return OwnTask(train=tuple(train), valid=tuple(valid), **asked)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def grounded_checkpoint(tokenizer_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a model like the shipped one, in small: grounded attention, a frozen CNN."""
    config = presets.tiny_grounded()
    assert config.cnn is not None
    config = replace(config, cnn=replace(config.cnn, frozen=True))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(19)
        model = MMNER.build(config).eval()
    folder = tmp_path_factory.mktemp("checkpoints") / "grounded"
    return save_checkpoint(
        folder,
        model,
        tokenizer_folder,
        metrics={},
        provenance={"command": "tests", "run": "grounded"},
        card="# grounded",
    )


@pytest.fixture(scope="module")
def with_photos(grounded_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """Train on files with photos, from a checkpoint; return the folder and what was printed and told."""
    out = tmp_path_factory.mktemp("runs") / "mine"
    options = ("--images", TINY / "images", "--keep", TINY / "es" / "valid.txt", "--init", grounded_checkpoint)
    result = call(
        *("train", "own", "--train", EN / "train.txt", TINY / "de" / "train.txt", "--valid", EN / "valid.txt"),
        *("--test", EN / "test.txt", *options, "--out", out, *FAST),
    )
    assert result.exit_code == 0, result.stderr
    return out, result.stdout, result.stderr


def test_your_own_files_become_a_checkpoint_that_tags(with_photos: tuple[Path, str, str]) -> None:
    """Its folder is all that is printed; it loads and tags."""
    out, printed, _ = with_photos
    assert printed == f"{out / 'checkpoint'}\n"
    assert Tagger.load(out / "checkpoint").tag("Marie Curie", lang="en").tags


def test_it_says_before_it_starts_what_it_will_do(
    with_photos: tuple[Path, str, str], grounded_checkpoint: Path
) -> None:
    """One block: data and languages, names, photos, what learns, for how long, where it is written."""
    out, _, told = with_photos
    block = told[told.index("Training on your own data") :]
    assert block.startswith(f"Training on your own data, from {grounded_checkpoint}:\n")
    rows: dict[str, str] = {}
    for line in block.splitlines()[1:]:
        if not line.startswith("  "):
            break
        name, text = line[:14].strip() or list(rows)[-1], line[14:]
        rows[name] = f"{rows[name]} {text}" if name in rows else text
    assert list(rows) == "Training Validation Test Names Photos Learns Settings Before Time Writes".split()
    assert "16 sentences (en 8, de 8)" in rows["Training"]
    assert "of the 16 training sentences have one" in rows["Photos"]
    assert rows["Learns"] == "text encoder, fusion, classifier, CRF; the image encoder stays as it is"
    assert "on cpu, by the first steps" in rows["Time"]
    assert str(out / "checkpoint") in rows["Writes"]


def test_the_test_score_is_that_of_evaluate(with_photos: tuple[Path, str, str]) -> None:
    """With the photos and without, and beside it what the checkpoint had that it began with."""
    metrics = load_checkpoint(with_photos[0] / "checkpoint").metrics
    assert [record["image_condition"] for record in metrics["test"]] == ["matched", "none"]
    for record in metrics["test"]:
        condition = ("--image-condition", record["image_condition"], "--images", TINY / "images")
        options = ("--checkpoint", with_photos[0] / "checkpoint", *condition, "--json")
        evaluated = json.loads(call("evaluate", "--data", EN / "test.txt", *options).stdout)
        assert record["micro"] == evaluated["micro"]
        assert set(record["before"]) == {"precision", "recall", "f1", "support"}


def test_what_it_knew_before_is_scored_before_and_after(with_photos: tuple[Path, str, str]) -> None:
    """On the data that the user named: in metrics, card and last lines."""
    out, _, told = with_photos
    checkpoint = load_checkpoint(out / "checkpoint")
    [row] = checkpoint.metrics["kept"]
    assert row["before"]["data"] == row["after"]["data"] == str(TINY / "es" / "valid.txt")
    card = (out / "checkpoint" / "README.md").read_text(encoding="utf-8")
    assert f"| {TINY / 'es' / 'valid.txt'} | es |" in card and "$" not in card
    assert "What it knew before, on" in told.splitlines()[-1]


def test_the_card_and_provenance_say_where_it_comes_from(
    with_photos: tuple[Path, str, str], grounded_checkpoint: Path
) -> None:
    """Data digests, languages, the checkpoint that it began with, and the command of each stage."""
    checkpoint = load_checkpoint(with_photos[0] / "checkpoint")
    provenance = checkpoint.provenance
    assert set(provenance["data"]) == {
        f"train:{EN / 'train.txt'}",
        f"train:{TINY / 'de' / 'train.txt'}",
        f"valid:{EN / 'valid.txt'}",
    }
    assert provenance["run"] == "own"
    assert set(provenance["own"]["languages"]) == {"en", "de"}
    assert provenance["init"]["checkpoint"] == load_checkpoint(grounded_checkpoint).digest
    card = (checkpoint.path / "README.md").read_text(encoding="utf-8")
    assert card.startswith("# mine:")


def test_photos_teach_the_fusion_and_leave_the_eye_alone(
    with_photos: tuple[Path, str, str], grounded_checkpoint: Path
) -> None:
    """Text encoder, fusion, classifier and CRF move; the CNN and what reads its cells do not."""
    assert moved(grounded_checkpoint, with_photos[0] / "checkpoint") >= {"text_encoder", "fusion", "classifier", "crf"}
    before, after = (
        load_checkpoint(f).model.state_dict() for f in (grounded_checkpoint, with_photos[0] / "checkpoint")
    )
    still = [name for name in before if name.startswith(("cnn_encoder.", "grounding.readers."))]
    assert still and all(torch.equal(before[name], after[name]) for name in still)


def moved(before: Path, after: Path) -> set[str]:
    """Return the parts of a model that training has changed."""
    states = [load_checkpoint(folder).model.state_dict() for folder in (before, after)]
    return {
        n.split(".")[0]
        for n in states[0]
        if states[0][n].shape != states[1][n].shape or (states[0][n] != states[1][n]).any()
    }


@pytest.mark.slow
def test_the_same_command_finds_nothing_left_to_do(
    with_photos: tuple[Path, str, str], grounded_checkpoint: Path
) -> None:
    """A finished run is not trained again; with other data or settings the folder is refused before anything else."""
    out = with_photos[0]
    before = load_checkpoint(out / "checkpoint").digest
    files = ("--train", EN / "train.txt", TINY / "de" / "train.txt", "--valid", EN / "valid.txt")
    options = ("--images", TINY / "images", "--init", grounded_checkpoint, "--out", out)
    again = call("train", "own", *files, *options, *FAST)
    assert "trained already" in again.stderr
    assert load_checkpoint(out / "checkpoint").digest == before
    assert "was not measured" in again.stderr.splitlines()[-1]
    assert "was not measured" in (out / "checkpoint" / "README.md").read_text(encoding="utf-8")
    said = refusal(*files, *options, "--set", "epochs=2")
    assert said.startswith(f"{out} holds a run of other settings or data")


@pytest.fixture(scope="module")
def with_food(grounded_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Train on text alone, with a type that the checkpoint does not know; return the folder and what was told."""
    folder = tmp_path_factory.mktemp("food")
    train = write(folder / "a.txt", FOOD, SOUP.replace("LOC", "GPE"))
    valid = write(folder / "b.txt", CAKE, FOOD.replace("Bonn", "Ulm"))
    result = call(
        *("train", "own", "--train", train, "--valid", valid, "--map", "GPE=LOC", "--init", grounded_checkpoint),
        *("--out", folder / "out", *FAST),
    )
    assert result.exit_code == 0, result.stderr
    return folder / "out", result.stderr


def test_new_types_join_those_of_the_checkpoint(with_food: tuple[Path, str]) -> None:
    """The types of the data that it lacked come last; renamed ones are no new ones; the block says which are new."""
    out, told = with_food
    checkpoint = load_checkpoint(out / "checkpoint")
    assert checkpoint.model.config.types == ("PER", "LOC", "ORG", "MISC", "FOOD")
    assert checkpoint.provenance["own"]["new_types"] == ["FOOD"]
    assert checkpoint.provenance["own"]["renamed_types"] == {"GPE": "LOC"}
    assert "FOOD 2 (new)" in told and "none is PER or ORG or MISC" in told


def test_without_photos_all_that_reads_them_stays(with_food: tuple[Path, str], grounded_checkpoint: Path) -> None:
    """Text alone teaches text encoder, classifier and CRF."""
    parts = moved(grounded_checkpoint, with_food[0] / "checkpoint") - {"grounding", "gate"}  # which got a type more
    assert parts == {"text_encoder", "classifier", "crf"}


def test_unmeasured_losses_are_told(with_food: tuple[Path, str], grounded_checkpoint: Path) -> None:
    """Without data of the old kind, block, last lines and card say plainly that nobody knows what was lost."""
    out, told = with_food
    assert "will not be measured" in told
    assert told.splitlines()[-1].startswith(f"What {grounded_checkpoint} knew before may have been lost")
    assert "was not measured" in (out / "checkpoint" / "README.md").read_text(encoding="utf-8")


def test_types_that_the_data_do_not_mark_are_not_unlearnt(tmp_path: Path, grounded_checkpoint: Path) -> None:
    """A word tagged O may be a person where nobody marked persons; one type that validation marks is marked."""
    train, valid = write(tmp_path / "a.txt", FOOD, SOUP), write(tmp_path / "b.txt", CAKE + "Ada\tB-PER\nran\tO\n\n")
    plan = make_plan(task(grounded_checkpoint, [train], [valid]))
    assert plan.absent == ("ORG", "MISC")
    assert [source.unannotated for source in (*plan.run.training.train, *plan.run.training.valid)] == [plan.absent] * 2


def test_a_grown_model_tags_as_before(tiny_model: MMNER, grounded_checkpoint: Path, subwords: object) -> None:
    """Old tags get the scores that they had; where a photo is looked at, hardly another one."""
    from mmner_core.inference.image_loader import PhotoFiles
    from mmner_core.text.encoding import SubwordEncoder, collate

    assert isinstance(subwords, SubwordEncoder)
    before = load_checkpoint(grounded_checkpoint).model
    with torch.no_grad():
        for reader in before.grounding.readers.values():  # type: ignore[union-attr]
            reader.bias[0] += 3  # else no cell shows anything
        before.classifier.bias[0] -= 3  # else no word looks
    after = MMNER.build(replace(before.config, types=(*before.config.types, "FOOD", "DRUG"))).eval()
    state = add_types(before.state_dict(), after.state_dict(), before.config.types, after.config.types)
    after.load_state_dict(state)
    n = len(before.labels)
    with torch.no_grad():
        after.classifier.bias[n:] -= 20  # the text holds no new type possible, as where the old ones have been learnt
    examples, _ = read_examples(EN / "valid.txt", images=TINY / "images")
    loaded = PhotoFiles(before.config).load(examples)
    windows = [w for parts in subwords.windows([e.words for e in examples]) for w in parts]
    for pixels, tolerance in ((None, 1e-5), (loaded.pixels, 0.05)):
        rows = loaded.rows if pixels is not None else None
        batch = collate(windows, pad=subwords.pad, image_index=rows, pixels=pixels)
        with torch.no_grad():
            old, new = before(batch), after(batch)
        torch.testing.assert_close(new.emissions[..., :n], old.emissions, atol=tolerance, rtol=tolerance)
        if pixels is not None:
            assert float(old.photo_share.max()) > 0
    torch.testing.assert_close(after.crf.transitions[:n, :n], before.crf.transitions)


@pytest.mark.slow
def test_a_preset_begins_with_the_types_of_the_data(
    tmp_path: Path, tiny_bert: Path, tokenizer_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From pretrained encoders: no type but those of the data, no convention, no eyes where there are no photos."""
    weights = tmp_path / "weights" / "tiny"
    for source in (tiny_bert, tokenizer_folder):
        for file in source.iterdir():
            write(weights / file.name).write_bytes(file.read_bytes())
    monkeypatch.setenv("MMNER_WEIGHTS", "")
    train, valid = write(tmp_path / "a.txt", FOOD, SOUP), write(tmp_path / "b.txt", CAKE, FOOD.replace("Bonn", "Ulm"))
    result = call(
        *("train", "own", "--train", train, "--valid", valid, "--preset", "tiny", "--out", tmp_path / "out"),
        *("--weights", tmp_path / "weights", *FAST),
    )
    assert result.exit_code == 0, result.stderr
    config = load_checkpoint(tmp_path / "out" / "checkpoint").model.config
    assert (config.types, config.conventions, config.cnn) == (("FOOD", "LOC"), (), None)
    assert "model tiny, from pretrained encoders" in result.stderr
    assert "may have been lost" not in result.stderr


def test_languages_are_found_where_no_folder_names_them(tmp_path: Path, grounded_checkpoint: Path) -> None:
    """A file of one language is taken whole; a short sentence of it is not another language's."""
    lines = (TINY / "de" / "train.txt").read_text(encoding="utf-8")
    train = write(tmp_path / "a.txt", lines, "Kevin\tB-PER\nok\tO\n\n")
    plan = make_plan(task(grounded_checkpoint, [train], [EN / "valid.txt"]))
    assert {item.example.language for item in plan.mixture.train} == {"de"}
    assert {example.language for example in plan.mixture.valid[str(EN / "valid.txt")]} == {"en"}


def test_sentences_of_validation_and_test_are_not_learnt(tmp_path: Path, grounded_checkpoint: Path) -> None:
    """They are left out of training, and counted."""
    train = write(tmp_path / "a.txt", FOOD, SOUP, CAKE, SOUP.replace("onion", "pea"))
    valid, test = write(tmp_path / "b.txt", CAKE), write(tmp_path / "c.txt", SOUP)
    plan = make_plan(task(grounded_checkpoint, [train], [valid], test=(test,)))
    assert plan.data.repeated == 2
    assert [item.example.words[2] for item in plan.mixture.train] == ["green", "pea"]


@pytest.mark.parametrize(
    ("train", "valid", "test", "sentence"),
    [
        ("Ada\tO\nran\tO\n\nBob\tO\nsat\tO\n\n", CAKE, CAKE, "a.txt:1: neither this nor any other training sentence"),
        (
            CAKE,
            CAKE,
            CAKE,
            "a.txt:1: this and every other training sentence also stands in the validation or test data",
        ),
        (FOOD, CAKE, CAKE, "a.txt:1: this is the only training sentence beside those of the validation and test data"),
        (FOOD + SOUP, "A\tO\nB\tB-DISH\n\n", CAKE, "b.txt:2: the validation data have a name of the type DISH"),
        (FOOD + SOUP, CAKE, "\nA\tB-DISH\n\n", "c.txt:2: the test data have a name of the type DISH"),
        (FOOD + SOUP, "A\tO\n\n", CAKE, "The validation data hold no name"),
        (FOOD + SOUP, CAKE, "word\n", "c.txt:1: these lines are not tagged words"),
        (FOOD + SOUP, CAKE, "\nA\tO\n\n", "c.txt:2: neither this sentence nor any other of the file has a name"),
        (FOOD + "bad line here\n", CAKE, CAKE, "a.txt:8: "),
    ],
    ids=[
        "no names",
        "repeated",
        "one sentence",
        "type only in validation",
        "type only in test",
        "nothing to select by",
        "no tags",
        "no names to score",
        "no word",
    ],
)
def test_data_of_no_use_are_one_sentence(
    tmp_path: Path, grounded_checkpoint: Path, train: str, valid: str, test: str, sentence: str
) -> None:
    """With file and line where there is one; the folder of the run is not made."""
    files = [write(tmp_path / name, text) for name, text in (("a.txt", train), ("b.txt", valid), ("c.txt", test))]
    said = refusal(
        *("--train", files[0], "--valid", files[1], "--test", files[2], "--init", grounded_checkpoint),
        *("--out", tmp_path / "out"),
    )
    assert said.replace(f"{tmp_path}/", "").startswith(sentence)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--images", "photos"), "the photo loc-9 is not in photos; name the folder of the photos."),
        (("--init", "nowhere"), "There is no checkpoint folder nowhere"),
        (("--preset", "tiny"), "Begin either with a checkpoint"),
        (("--keep", "keep.txt"), "keep.txt:3: unknown tag 'B-FOOD'; this label set has"),
        (("--map", "PERSON=PER"), "--map PERSON: no tag is of that type; there are"),
        (("--convention", "tweets"), "has no convention 'tweets' (wiki, caption)."),
        (("--set", "epoch=3"), "'epoch=3' sets nothing"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_options_that_cannot_be_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grounded_checkpoint: Path, options: tuple[str, ...], sentence: str
) -> None:
    """Photos, checkpoint, types or settings that are not there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    write(tmp_path / "keep.txt", CAKE)
    write(tmp_path / "a.txt", "IMGID:loc-9\n", FOOD, SOUP)
    write(tmp_path / "b.txt", CAKE)
    init = () if "--init" in options else ("--init", grounded_checkpoint)
    said = refusal("--train", "a.txt", "--valid", "b.txt", "--out", "out", *init, *options)
    assert sentence in said
    assert not (tmp_path / "out").exists()


def test_its_options_are_for_own_data_alone(tmp_path: Path) -> None:
    """A named run has no --train, own data no --data; each says where its options are listed."""
    named = call("train", "mini_text", "--train", "a.txt", "--out", tmp_path)
    assert named.exit_code == 2 and "No such option: --train" in named.stderr
    assert named.stderr.rstrip().endswith("train --help.")
    own = call("train", "own", "--data", "a.txt", "--out", tmp_path)
    assert own.exit_code == 2 and own.stderr.rstrip().endswith("train own --help.")


def test_the_size_of_the_data_settles_epochs_and_batches(tmp_path: Path) -> None:
    """Few sentences are read often in small batches, many a few times; a preset is trained as its named run is."""
    tune = OwnTask(train=(tmp_path,), valid=(tmp_path,), out=tmp_path, init=tmp_path)
    few, some, many = (hyper_parameters(tune, n, 256) for n in (60, 500, 50_000))
    assert [c.epochs for c in (few, some, many)] == [20, 16, 3]
    assert [c.batch_sentences for c in (few, some, many)] == [4, 16, 32]
    paper = hyper_parameters(OwnTask(train=(tmp_path,), valid=(tmp_path,), out=tmp_path, preset="paper"), 50_000, 256)
    assert (paper.epochs, paper.encoder_lr, paper.weight_decay) == (8, 5e-5, 0.0)


def test_a_model_without_grounding_learns_its_fusion_from_text() -> None:
    """There it is in the way of every word; grounded attention is not."""
    plain, grounded = presets.tiny(), presets.tiny_grounded()
    assert "fusion." in learning_parts(plain, sees=False, new=False)
    assert "fusion." not in learning_parts(grounded, sees=False, new=False)
    assert "grounding.readers." in learning_parts(grounded, sees=True, new=True)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 second"), (41, "41 seconds"), (70, "1 minute"), (200, "3 minutes"), (9000, "2.5 hours")],
)
def test_durations_are_told_as_a_person_would(seconds: float, said: str) -> None:
    """Not more exactly than they are known."""
    assert duration(seconds) == said
