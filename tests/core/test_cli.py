"""The command line: stable JSON, exit codes, and one sentence for a mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mmner_core.cli.main import app
from mmner_core.data import read_examples
from tests.told import names

REPOSITORY = Path(__file__).parents[2]
TINY = REPOSITORY / "tests" / "data" / "tiny"
PHOTO = TINY / "images" / "per-1.jpg"


def call(*arguments: object) -> Result:
    """Run a command in this process; a traceback fails the test."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def parsed(*arguments: object) -> Any:
    """Run a command that must succeed, with nothing but JSON on standard output."""
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def refused(*arguments: object) -> str:
    """Run a command that must fail with exit code 2; return its one sentence."""
    result = call(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    [sentence] = result.stderr.splitlines()
    assert "Traceback" not in sentence
    return sentence


def test_tag_prints_the_agreed_json(person_checkpoint: Path) -> None:
    """Text, language, entities with offsets and runner-up, notes: these keys and no others."""
    text = "Ça va ? Ada 😀 Curie"
    record = parsed("tag", "--text", text, "--lang", "fr", "--checkpoint", person_checkpoint)
    assert list(record) == ["text", "language", "entities", "notes"]
    assert (record["text"], record["language"]) == (text, "fr")
    assert record["notes"] == ["No photo: tagged from the text alone."]
    assert [e["text"] for e in record["entities"]] == ["Ça", "va", "?", "Ada", "😀", "Curie"]
    for entity in record["entities"]:
        assert list(entity) == ["text", "type", "start", "end", "confidence", "runner_up"]
        assert text[entity["start"] : entity["end"]] == entity["text"]
        assert entity["type"] == "PER"
        assert list(entity["runner_up"]) == ["type", "confidence"]
        assert 0 <= entity["runner_up"]["confidence"] < entity["confidence"] <= 1


def test_tag_with_a_photo_says_what_the_text_alone_gives(person_checkpoint: Path) -> None:
    """One key more per name, no note."""
    record = parsed("tag", "--text", "Ada", "--image", PHOTO, "--lang", "en", "--checkpoint", person_checkpoint)
    assert record["entities"][0]["without_image"]["type"] == "PER"
    assert record["notes"] == []


def test_tag_prints_a_table_for_people(person_checkpoint: Path) -> None:
    """Names, spans and language; what looks like markup or a control sequence is shown as typed."""
    result = call("tag", "--text", "[bold]Ada\x1b[31m", "--lang", "en", "--checkpoint", person_checkpoint)
    assert result.exit_code == 0
    assert "Ada" in result.stdout
    assert "bold" in result.stdout
    assert "\x1b" not in result.stdout
    assert "Language: en (given)" in result.stdout


def test_tag_says_when_there_is_no_name(tiny_model: object, person_checkpoint: Path, tmp_path: Path) -> None:
    """An answer without names is an answer."""
    import shutil

    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(person_checkpoint, tmp_path / "checkpoint")
    state = load_file(folder / "model.safetensors")
    state["classifier.bias"][0] += 100
    save_file(state, folder / "model.safetensors")
    assert "No names found." in call("tag", "--text", "hello", "--checkpoint", folder).stdout
    assert parsed("tag", "--text", "hello", "--checkpoint", folder)["entities"] == []


@pytest.mark.slow
def test_the_program_runs_as_a_process(person_checkpoint: Path) -> None:
    """``python -m mmner_core`` prints JSON alone on standard output, and nothing on standard error."""
    command = [sys.executable, "-m", "mmner_core", "tag", "--json", "--checkpoint", str(person_checkpoint)]
    done = subprocess.run(
        [*command, "--text", "Ada in Köln", "--image", str(PHOTO)], cwd=REPOSITORY, capture_output=True, check=True
    )
    assert json.loads(done.stdout)["text"] == "Ada in Köln"
    assert done.stderr == b""


@pytest.mark.slow
def test_a_mistake_ends_the_process_with_code_2(tmp_path: Path) -> None:
    """One sentence on standard error, no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "mmner_core", "info", str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert names(done.stderr, tmp_path, "model.safetensors") and done.stderr.count("\n") == 1


def test_importing_the_program_imports_nothing_heavy() -> None:
    """Help and mistakes come at once: torch and its like are imported by the commands that need them."""
    code = (
        "import sys, mmner_core.cli.main; print(*sorted({'torch', 'transformers', 'spacy', 'rich'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.slow
def test_tagging_text_needs_neither_transformers_nor_torchvision(person_checkpoint: Path) -> None:
    """Their imports cost more than all the rest of a cold start."""
    code = (
        "import sys\nfrom mmner_core.inference.tagger import Tagger\n"
        "Tagger.load(sys.argv[1], images=False).tag('Ada', lang='en')\n"
        "print(*sorted({'transformers', 'torchvision', 'timm', 'scipy', 'sklearn', 'pandas'} & {*sys.modules}))"
    )
    command = [sys.executable, "-c", code, str(person_checkpoint)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["tag"], "Give either --text, for one text, or --input and --output, for a JSONL file."),
        (["tag", "--text", "a", "--input", "b"], "Give either --text"),
        (["tag", "--input", "a.jsonl"], "--input needs --output"),
        (["tag", "--text", "a", "--output", "b"], "--output and --skip-bad belong to --input"),
        (["tag", "--input", "a", "--output", "b", "--image", "c"], "--image belongs to --text"),
        (["tag", "--text", "a", "--checkpoint", "/none"], "There is no checkpoint folder /none"),
        (["tag", "--speed"], "No such option: --speed; see python -m mmner_core tag --help."),
        (["evaluate"], "Missing option '--data'; see python -m mmner_core evaluate --help."),
        (["evaluate", "--data", "x", "--limit", "0"], "Invalid value for '--limit'"),
        (["tga"], "No such command 'tga'"),
        (["convert", "/none.txt", "x", "--to", "conll"], "/none.txt is neither a file nor a data set"),
        (["train", "maxi", "--data", str(TINY), "--out", "x"], "There is no run 'maxi'; choose one of mini_text,"),
        (["train", "mini", "--data", "/none", "--out", "x"], "There is no data folder /none."),
        (["info", "/none"], "There is no checkpoint folder /none"),
    ],
)
def test_a_mistake_is_one_sentence(arguments: list[str], sentence: str) -> None:
    """Exit code 2, and the sentence says what to do."""
    assert sentence in refused(*arguments)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--text", " "], "The text is empty"),
        (["--text", "a", "--lang", "it"], "Language 'it' is not supported"),
        (["--text", "a", "--image", "/none.jpg"], "There is no image /none.jpg."),
        (["--text", "a", "--image", __file__], "is in no format this program reads"),
        (["--text", "a", "--convention", "news"], "no convention 'news' (wiki, caption)"),
    ],
)
def test_what_cannot_be_tagged_is_told(person_checkpoint: Path, arguments: list[str], sentence: str) -> None:
    """The tagger's own sentences arrive whole."""
    assert sentence in refused("tag", *arguments, "--checkpoint", person_checkpoint)


def test_info_prints_card_and_facts(person_checkpoint: Path) -> None:
    """For people the card and a table, for programs every fact."""
    shown = call("info", person_checkpoint)
    assert shown.exit_code == 0
    assert "Takes every word for a person." in shown.stdout
    record = parsed("info", person_checkpoint)
    assert record["digest"] in shown.stdout
    assert record["labels"][:3] == ["O", "B-PER", "I-PER"]
    assert record["config"]["conventions"] == ["wiki", "caption"]
    assert record["metrics"] == {"best_epoch": 1}
    assert record["bytes"] == sum(file.stat().st_size for file in person_checkpoint.iterdir())
    assert record["parameters"]["classifier"] == 9 * 16 + 9


@pytest.mark.parametrize("middle", ["mmnerd", "conll", "conllu"])
def test_a_file_converted_and_back_is_the_same(tmp_path: Path, middle: str) -> None:
    """Words and tags survive every format; image ids survive where the format has a place for them."""
    source = TINY / "en" / "test.txt"
    there, back = tmp_path / "there", tmp_path / "back"
    assert parsed("convert", source, there, "--to", middle)["sentences"] == 3
    assert "3 sentences, 13 words" in call("convert", there, back, "--to", "mmnerd").stdout
    if middle == "mmnerd":
        assert back.read_bytes() == source.read_bytes()
    before, after = (read_examples(file, language="en")[0] for file in (source, back))
    assert [(e.words, e.tags) for e in before] == [(e.words, e.tags) for e in after]
    assert "exists" in refused("convert", there, back, "--to", "conll")
    assert parsed("convert", there, back, "--to", "conll", "--overwrite")["sentences"] == 3
