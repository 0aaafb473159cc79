"""The factories that come with the workbench: a model of Hugging Face, a checkpoint, a command of any language."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from analysis.adapters.command import RunningCommand
from analysis.adapters.huggingface import iob_tag
from analysis.cli.main import app
from analysis.own_model import Item
from analysis.own_model.checked import check_answers
from analysis.run.folder import EvaluationRun
from mmner_core.errors import InputError
from tests.analysis.own_models import write_data

pytestmark = pytest.mark.slow  # a model of one's own is asked in a process of its own

DATA = Path(__file__).parents[1] / "data" / "tiny"
QUICK = ("--no-studies", "--no-maps")
LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
SCRIPT = """
import json, sys
from PIL import Image

for line in sys.stdin:
    item = json.loads(line)
    light = None if item["image"] is None else sum(Image.open(item["image"]).resize((1, 1)).getpixel((0, 0))) / 765
    kind = "PER" if light is None or light > 0.5 else "LOC"
    tags = ["B-" + kind if word[0].isupper() else "O" for word in item["words"]]
    if "Bob" in item["words"] and len(sys.argv) > 1:
        if sys.argv[1] == "quit":
            exit(7)
        print({"prose": "no idea", "field": '{"tags": [], "mood": 1}'}[sys.argv[1]], flush=True)
    else:
        print(json.dumps({"tags": tags, "probabilities": [0.75] * len(tags)}), flush=True)
"""


def call(*arguments: object) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, ["run", *map(str, arguments)])


@pytest.fixture(scope="module")
def token_classifier(tokenizer_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a random BERT for token classification with the tiny tokenizer, as Hugging Face does."""
    import torch

    from mmner_core.encoders.libraries import prepare_libraries
    from mmner_core.presets import TINY_BERT

    prepare_libraries()
    from transformers import AutoTokenizer, BertConfig, BertForTokenClassification

    folder = tmp_path_factory.mktemp("classifier")
    config = BertConfig(**TINY_BERT, id2label=dict(enumerate(LABELS)), label2id={n: i for i, n in enumerate(LABELS)})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        BertForTokenClassification(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(tokenizer_folder).save_pretrained(folder)
    return folder


def test_a_model_of_hugging_face_is_evaluated_from_its_folder(token_classifier: Path, tmp_path: Path) -> None:
    """Without a photo, since it reads text only; with calibration and the vectors of entities."""
    out = tmp_path / "run"
    result = call(
        "--model", "analysis.adapters.huggingface:pipeline", "--model-option", f"path={token_classifier}",
        "--data", DATA, "--out", out, "--no-maps",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    run = EvaluationRun.open(out)
    assert list(run.conditions) == ["none"] and run.metrics["calibration"]
    assert run.provenance["conditions"]["left_out"]["matched"] == "the model reads text only"
    assert run.embedding("entity").shape[1] == 16 and len(run.embedding("entity"))
    assert run.provenance["types"][:2] == ["PER", "LOC"]


def test_each_word_has_the_label_of_its_first_sub_word(token_classifier: Path) -> None:
    """As transformers itself says; a text beyond the window is read in several, and a word of nothing is O."""
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    from analysis.adapters.huggingface import pipeline

    model = pipeline(str(token_classifier))
    words = ("Angela", "Merkel", "visited", "\u200b", "Wolfsburg")
    many = tuple(f"word{i}" for i in range(100))
    answers = check_answers(model.predict([Item(words), Item(many)]), [Item(words), Item(many)])
    assert [len(answer.tags) for answer in answers] == [5, 100]
    tokenizer = AutoTokenizer.from_pretrained(token_classifier)
    encoded = tokenizer([list(words)], is_split_into_words=True, return_tensors="pt")
    network = AutoModelForTokenClassification.from_pretrained(token_classifier).eval()
    expected = network(**encoded).logits.softmax(-1)[0]
    ids = encoded.word_ids(0)
    for number, by_tag in enumerate(answers[0].by_tag or ()):
        if number in ids:
            theirs = expected[ids.index(number)].tolist()
            np.testing.assert_allclose([by_tag[label] for label in LABELS], theirs, atol=1e-5)
        else:
            assert by_tag == {"O": 1.0}


@pytest.mark.parametrize(
    ("label", "tag"),
    [("O", "O"), ("B-PER", "B-PER"), ("I-PER", "I-PER"), ("S-PER", "B-PER"), ("E-PER", "I-PER"), ("U-LOC", "B-LOC"),
     ("L-LOC", "I-LOC"), ("person", "I-person"), ("GEO-LOC", "I-GEO-LOC"), ("work of art", "I-work_of_art")],
)  # fmt: skip
def test_labels_of_every_scheme_are_read(label: str, tag: str) -> None:
    """IOB, BIOES, BILOU, and types alone."""
    assert iob_tag(label) == tag


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    """In one sentence."""
    result = call(
        "--model", "analysis.adapters.huggingface:pipeline", "--model-option", f"path={tmp_path}", "--data", DATA,
        "--out", tmp_path / "run",
    )  # fmt: skip
    assert result.exit_code == 2 and "holds no model for token classification" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_checkpoint_as_a_model_of_ones_own_gives_the_same_answers(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """Tags, cosines and vectors agree with those of ``run --checkpoint``; probabilities are those of single words."""
    fixed = ("--data", DATA, "--split", "valid", *QUICK, "--conditions", "matched,none")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    adapter = ("--model", "analysis.adapters.checkpoint:tagger", "--model-option", f"path={tiny_checkpoint}")
    result = call(*adapter, *fixed, "--out", ours)
    assert result.exit_code == 0, result.output
    assert call("--checkpoint", tiny_checkpoint, *fixed, "--out", theirs).exit_code == 0
    own, reference = EvaluationRun.open(ours), EvaluationRun.open(theirs)
    for condition in ("matched", "none"):
        a, b = own.answers(condition), reference.answers(condition)
        assert a.table["tags"].equals(b.table["tags"])
    np.testing.assert_allclose(own.answers().cosine, reference.answers().cosine, atol=1e-2)
    np.testing.assert_allclose(own.embedding("text"), reference.embedding("text"), atol=1e-2)
    assert own.provenance["model"]["digest"] == reference.provenance["checkpoint"]["digest"]


def test_a_command_of_any_language_is_evaluated(tmp_path: Path) -> None:
    """It reads words, language and a photo's file from a line, and answers with a line."""
    data = write_data(tmp_path / "data")
    script = tmp_path / "tag.py"
    script.write_text(SCRIPT, encoding="utf-8")
    command = shlex.join([sys.executable, str(script)])
    out = tmp_path / "run"
    result = call(
        "--model", "analysis.adapters.command:lines", "--model-option", f"command={command}", "--data", data,
        "--lang", "en", "--out", out, *QUICK, "--conditions", "matched,none",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    run = EvaluationRun.open(out)
    assert run.answers("matched").table["tags"].to_pylist()[2:4] == [["B-PER", "O"], ["B-LOC", "O"]]
    assert run.answers("matched").confidence.tolist()[:2] == [0.75, 0.75]
    modality = pd.DataFrame(run.metrics["modality"]).query("condition == 'matched' and language == 'all'")
    assert modality.query("type == 'all'")["difference"].item() > 0


@pytest.mark.parametrize(
    ("how", "told"),
    [("quit", "ended with exit code 7"), ("prose", "wrote 'no idea', which is no JSON"), ("field", "the field 'mood'")],
)
def test_a_command_that_fails_is_told_with_the_item(tmp_path: Path, how: str, told: str) -> None:
    """The one it was at."""
    data = write_data(tmp_path / "data")
    script = tmp_path / "tag.py"
    script.write_text(SCRIPT, encoding="utf-8")
    command = shlex.join([sys.executable, str(script), how])
    result = call(
        "--model", "analysis.adapters.command:lines", "--model-option", f"command={command}", "--model-option",
        "images=no", "--data", data, "--lang", "en", "--out", tmp_path / "run", *QUICK,
    )  # fmt: skip
    assert result.exit_code == 2 and len(result.stderr.splitlines()) == 1
    assert told in result.stderr and "sentence 4 (" in result.stderr


@pytest.mark.parametrize("command", ["no-such-program --fast", "", "'open"])
def test_a_command_that_cannot_be_started_is_told(command: str) -> None:
    """With the reason."""
    with pytest.raises(InputError, match="cannot be started"):
        RunningCommand(command)


def test_a_command_ends_with_its_model(tmp_path: Path) -> None:
    """It sees the end of its input, and its photos are taken away."""
    model: Any = RunningCommand(shlex.join([sys.executable, "-c", "import sys; sys.stdin.read()"]))
    folder = Path(model._folder.name)
    model.close()
    assert model._process.returncode == 0 and not folder.exists()
