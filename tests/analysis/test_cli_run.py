"""``python -m analysis run`` writes a whole folder, goes on after a kill, shares its work, and tells mistakes."""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from analysis.cli.main import app
from analysis.conditions.conditions import STRESSED
from analysis.run.folder import EvaluationRun
from mmner_core.cli.main import app as core
from tests.told import names

pytestmark = pytest.mark.slow  # evaluates with all maps and intervals

REPOSITORY = Path(__file__).parents[2]
DATA = REPOSITORY / "tests" / "data" / "tiny"
FAST = ("--no-studies", "--no-maps", "--shard", "3")
# Ends itself in the middle of writing the third shard: its rows are there, the file that vouches for them is not.
KILLED = """
import os, signal, sys
from analysis.evaluation import shard_store
from analysis.cli.main import run
write_table, count = shard_store.pq.write_table, 0
def write_and_die(*arguments, **options):
    global count
    write_table(*arguments, **options)
    count += 1
    if count == 3:
        os.kill(os.getpid(), signal.SIGKILL)
shard_store.pq.write_table = write_and_die
run()
"""


def call(*arguments: object) -> Result:
    """Run the program in this process."""
    return CliRunner().invoke(app, ["run", *map(str, arguments)])


def in_process(arguments: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a run with everything small."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    boxes = tmp_path_factory.mktemp("boxes") / "boxes.jsonl"
    row = {"image": "per-1.jpg", "name": "Ada", "type": "PER", "boxes": [[0, 0, 1, 0.5]], "language": "en"}
    boxes.write_text(json.dumps(row), encoding="utf-8")
    (boxes.parent / "images").symlink_to(DATA / "images")
    samples = ("--faithfulness-sample", 2, "--pointing-sample", 2, "--boxes", boxes)
    result = call(
        "--checkpoint", tiny_checkpoint, "--data", DATA, "--split", "valid", "--out", out, "--calibrate", "test",
        "--train", DATA / "en" / "valid.txt", "--train", DATA, "--irrelevant", DATA / "images",
        "--conditions", "matched,none,blank,irrelevant,blur-5", *samples,
    )  # fmt: skip
    assert (result.exit_code, result.stdout) == (0, f"{out}\n")
    return out


@pytest.fixture(scope="module")
def quick(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a run of four shards without studies and maps."""
    out = tmp_path_factory.mktemp("runs") / "quick"
    assert call("--checkpoint", tiny_checkpoint, "--data", DATA, "--out", out, *FAST).exit_code == 0
    return out


def test_a_run_holds_all_that_the_tabs_need(folder: Path) -> None:
    """Conditions, numbers, vectors, map, lexicon and provenance; nothing is left beside the folder."""
    run = EvaluationRun.open(folder)
    assert next(iter(run.conditions)) == "matched"
    assert run.conditions["matched"] == run.conditions["none"] == 12
    assert run.conditions["irrelevant"] == run.conditions["blur-5"] == run.conditions["nothing"] == 8
    assert {
        "scores", "modality", "modality_by_cosine", "minimal_pairs", "shapley", "shapley_streams", "contrastive",
        "calibration", "calibration_bins", "leakage", "map_sample", "pointing", "mosaics", "boxes",
    } <= run.metrics.keys()  # fmt: skip
    assert set(run.coordinates()["map"]) == {"pairs", "entities"}
    assert run.lexicon().types["Chelsea"] == {"PER", "LOC"}
    recalls = pd.DataFrame(run.metrics["contrastive"]).query("quantity == 'text_to_image@1' and language == 'all'")
    assert recalls.set_index("pairs")["n"].to_dict() == {"all": 8, "seen": 2, "unseen": 6}
    assert recalls["type_alone"].between(recalls["chance"], 1).all()
    copies = [row for row in run.metrics["leakage"] if row["what"] == "exact sentence" and row["language"] != "all"]
    assert {row["language"]: row["n_leaked"] for row in copies} == {"de": 0, "en": 3, "es": 0, "fr": 0}
    assert run.provenance["data"]["split"] == "valid"
    assert run.provenance["conditions"]["skipped"]["blank"] == {"the sentence has no photo": 4}
    assert [path.name for path in folder.parent.iterdir()] == ["whole"]


def test_vectors_and_rows_belong_together(folder: Path) -> None:
    """The cosine of a row is that of its stored vectors, and a sentence without photo has none."""
    run = EvaluationRun.open(folder)
    answers = run.answers()
    assert run.embedding("sentence_id").tolist() == answers.sentences["sentence_id"].tolist()
    has_image = run.embedding("has_image") > 0
    np.testing.assert_array_equal(has_image, (answers.sentences["image_id"] != "").to_numpy())
    stored = (run.embedding("text").astype(float) * run.embedding("image_cnn").astype(float)).sum(1)
    np.testing.assert_allclose(stored[has_image], answers.cosine[has_image], atol=2e-3)
    assert np.isnan(answers.cosine[~has_image]).all()
    types = run.provenance["types"]
    gold = run.embedding("entity_gold")
    named = {types[code] for code in gold[gold >= 0]}
    assert named == set(answers.gold.type_names())
    assert (gold >= 0).sum() == len(answers.gold)


def test_scores_agree_with_mmner_core_evaluate(quick: Path, tiny_checkpoint: Path) -> None:
    """Two programs, one number: strict and lenient, matched and none, per language."""
    rows = {
        (row["condition"], row["rule"], row["language"]): row
        for row in EvaluationRun.open(quick).metrics["scores"]
        if row["type"] == "all"
    }
    for condition in ("matched", "none"):
        arguments = ["evaluate", "--checkpoint", tiny_checkpoint, "--data", DATA, "--image-condition", condition]
        record = json.loads(CliRunner().invoke(core, [*map(str, arguments), "--json"]).stdout)
        for rule, key in (("strict", "micro"), ("lenient", "lenient_micro")):
            assert (rows[condition, rule, "all"]["f1"] or 0.0) == pytest.approx(record[key]["f1"])
        for language, part in record["by_language"].items():
            assert (rows[condition, "strict", language]["f1"] or 0.0) == pytest.approx(part["f1"])


def test_a_killed_run_goes_on_where_it_was(quick: Path, tiny_checkpoint: Path, tmp_path: Path) -> None:
    """Killed while writing its third shard, then started again: the folder is that of an uninterrupted run."""
    out = tmp_path / "quick"
    arguments = ["run", "--checkpoint", str(tiny_checkpoint), "--data", str(DATA), "--out", str(out), *FAST]
    killed = in_process(["-c", KILLED, *arguments])
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    parts = tmp_path / ".quick.parts"
    first = {path.name: path.stat().st_mtime_ns for path in parts.glob("part-0000[01].*")}
    assert not out.exists() and len(first) == 6 and (parts / "part-00002.parquet").is_file()
    untouched = []

    def look(path: Path) -> None:
        untouched.append({p.name: p.stat().st_mtime_ns for p in path.glob("part-0000[01].*")} == first)

    with pytest.MonkeyPatch.context() as patch:
        from analysis.evaluation.shard_store import ShardStore

        remove = ShardStore.remove
        patch.setattr(ShardStore, "remove", lambda store: (look(store.folder), remove(store)))
        assert call(*arguments[1:]).exit_code == 0
    assert untouched == [True]  # the two finished shards were not tagged again
    for name in ("predictions.parquet", "embeddings.safetensors", "metrics.json"):
        assert (out / name).read_bytes() == (quick / name).read_bytes(), name


def test_parts_of_another_job_are_not_taken(quick: Path, tiny_checkpoint: Path, tmp_path: Path) -> None:
    """A damaged part is tagged again, and so is everything once an option has changed."""
    from analysis.evaluation.shard_store import ShardStore

    store = ShardStore.open(tmp_path / "parts", {"seed": 1}, 1)
    store.write(0, EvaluationRun.open(quick).answers().table, {"text": np.eye(2)}, {})
    assert store.finished(0) and ShardStore.open(tmp_path / "parts", {"seed": 1}, 1).finished(0)
    rows = tmp_path / "parts" / "part-00000.parquet"
    rows.write_bytes(rows.read_bytes()[:-1])
    assert not store.finished(0)
    assert not ShardStore.open(tmp_path / "parts", {"seed": 2}, 1).finished(0) and not rows.exists()


def test_changed_words_are_conditions_of_a_run(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """Beside the images' and over the same sentences; the run knows the words as read, and what the change costs."""
    out = tmp_path / "stress"
    options = ("--data", DATA, "--split", "valid", "--out", out, "--conditions", "matched,blank", "--stress", *FAST)
    assert call("--checkpoint", tiny_checkpoint, *options).exit_code == 0
    run = EvaluationRun.open(out)
    assert set(run.conditions) == {"matched", "none", "blank", *STRESSED}
    lower = run.answers("lower_case")
    assert len(lower) == len(run.answers("none")) and lower.changed().any()
    assert [lower.shown_words_of(row) for row in range(len(lower))] == [
        [word.lower() for word in lower.words_of(row)] for row in range(len(lower))
    ]
    assert {row["condition"] for row in run.metrics["stress"]} == set(STRESSED)
    assert not set(STRESSED) & {row["condition"] for row in run.metrics["modality"]}


def test_two_processes_share_a_run(quick: Path, tiny_checkpoint: Path, tmp_path: Path) -> None:
    """Launched as two processes, the run holds the same answers."""
    out = tmp_path / "shared"
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "analysis", "run"]
    arguments = ["--checkpoint", str(tiny_checkpoint), "--data", str(DATA), "--out", str(out), *FAST]
    done = in_process([*launch, *arguments], OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    shared, alone = EvaluationRun.open(out), EvaluationRun.open(quick)
    assert shared.provenance["processes"] == 2
    assert shared.provenance["command"] == shlex.join(["python", "-m", "analysis", "run", *arguments])
    assert shared.conditions == alone.conditions
    for condition in alone.conditions:
        ours, theirs = shared.answers(condition), alone.answers(condition)
        assert ours.table["tags"].equals(theirs.table["tags"])
        np.testing.assert_allclose(ours.loss, theirs.loss, rtol=1e-2)


def test_another_systems_output_becomes_a_run(tmp_path: Path) -> None:
    """The gold file itself as predictions scores 1; a changed tag lowers that; shuffled sentences are refused."""
    gold = (DATA / "en" / "test.txt").read_text(encoding="utf-8")
    file = tmp_path / "theirs.txt"
    file.write_text(gold.replace("B-ORG", "B-PER"), encoding="utf-8")
    out = tmp_path / "theirs"
    result = call("--data", DATA / "en" / "test.txt", "--predictions", file, "--out", out, "--train", DATA / "en")
    assert (result.exit_code, result.stdout) == (0, f"{out}\n")
    run = EvaluationRun.open(out)
    (score,) = [
        row for row in run.metrics["scores"] if (row["rule"], row["language"], row["type"]) == ("strict", "all", "all")
    ]
    assert (score["n_gold"], score["n_correct"]) == (4, 3)
    assert run.conditions == {"as given": 3}
    assert run.provenance["predictions"]["path"] == str(file)
    sentences = gold.strip().split("\n\n")
    file.write_text("\n\n".join(sentences[::-1]), encoding="utf-8")
    result = call("--data", DATA / "en" / "test.txt", "--predictions", file, "--out", tmp_path / "not")
    assert result.exit_code == 2 and "is not the sentence at" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--conditions", "blurred"], "There is no image condition 'blurred'; choose among matched"),
        (["--conditions", "irrelevant"], "no irrelevant photos are known; give --pairs or --irrelevant"),
        (["--convention", "mine"], "no convention 'mine'"),
        (["--pairs", DATA / "en" / "test.txt"], "lacks the column 'lang'"),
        (["--irrelevant", DATA / "en"], "holds no photo"),
        (["--calibrate", "nowhere"], "nowhere is no folder"),
        (["--split", "dev2"], "There is no split 'dev2'"),
        (["--predictions", DATA], "Give one of --checkpoint"),
        (["--limit", 0], "see python -m analysis run --help."),
    ],
)
def test_mistakes_are_told_in_one_sentence(
    arguments: list[object], message: str, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    """Exit code 2, one line on stderr, nothing written."""
    fixed = ("--checkpoint", tiny_checkpoint, "--data", DATA, "--out", tmp_path / "out")
    result = CliRunner().invoke(app, ["run", *map(str, (*fixed, *FAST, *arguments))], prog_name="python -m analysis")
    assert result.exit_code == 2
    assert message in result.stderr and result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_an_existing_run_is_kept_unless_told_otherwise(quick: Path, tiny_checkpoint: Path, tmp_path: Path) -> None:
    """Without --overwrite the folder stays as it is; with it, it is replaced."""
    out = tmp_path / "run"
    out.mkdir()
    arguments = ("--checkpoint", tiny_checkpoint, "--data", DATA, "--out", out, "--limit", 1, *FAST)
    result = call(*arguments)
    assert result.exit_code == 2 and "exists already" in result.stderr
    assert call(*arguments, "--overwrite").exit_code == 0
    assert EvaluationRun.open(out).conditions["matched"] == 4


def test_text_only_data_is_a_run_of_its_own(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """Without any photo there is one condition, and the reason for the others is kept."""
    file = tmp_path / "plain.txt"
    file.write_text("Jordan\tB-PER\nsings\tO\n\nin\tO\nParis\tB-LOC\n", encoding="utf-8")
    out = tmp_path / "run"
    assert call("--checkpoint", tiny_checkpoint, "--data", file, "--lang", "en", "--out", out).exit_code == 0
    run = EvaluationRun.open(out)
    assert run.conditions == {"none": 2}
    assert run.provenance["conditions"]["left_out"]["matched"] == "no sentence has a photo file"


def test_a_checkpoint_is_scored_on_types_of_other_names(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """``--map`` renames the gold names; without it the word's line is named, and what to add."""
    file, out = tmp_path / "plain.txt", tmp_path / "run"
    file.write_text("Jordan\tO\nin\tO\nParis\tB-GPE\n", encoding="utf-8")
    arguments = ("--checkpoint", tiny_checkpoint, "--data", file, "--lang", "en", "--out", out, *FAST)
    refused = call(*arguments)
    assert refused.exit_code == 2 and names(refused.stderr, f"{file}:3", "'B-GPE'", "--map GPE=LOC")
    assert call(*arguments, "--map", "GPE=LOC").exit_code == 0
    run = EvaluationRun.open(out)
    assert run.answers().gold.type_names().tolist() == ["LOC"]
    assert run.provenance["data"]["map"] == {"GPE": "LOC"}
