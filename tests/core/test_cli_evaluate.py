"""``evaluate``: scores that can be counted by hand, under every image condition."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from mmner_core.data import read_examples
from mmner_core.evaluation.evaluate import CONDITIONS, SHUFFLES, evaluate
from mmner_core.evaluation.image_shuffling import mean_scores
from mmner_core.inference.tagger import Tagger
from tests.core.test_cli import TINY, call, parsed, refused
from tests.told import names


def expected(language: str | None = None) -> dict[str, float]:
    """Count what a model scores that takes every word for a person."""
    examples, _ = read_examples(TINY, language=language, split="test")
    words = sum(len(e.words) for e in examples)
    names = sum(tag.startswith("B-") for e in examples for tag in e.tags or ())
    hits = sum(
        tag == "B-PER" and (e.tags or ())[i + 1 : i + 2] != ("I-PER",)
        for e in examples
        for i, tag in enumerate(e.tags or ())
    )
    return {"precision": hits / words, "recall": hits / names, "f1": 2 * hits / (words + names), "support": names}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_scores_are_those_counted_by_hand(person_checkpoint: Path, condition: str) -> None:
    """Micro and per language, whatever the photos, since this model does not care; images are counted."""
    record = parsed("evaluate", "--data", TINY, "--checkpoint", person_checkpoint, "--image-condition", condition)
    assert record["micro"] == pytest.approx(expected())
    assert record["sentences"] == 12
    for language in ("en", "fr", "de", "es"):
        part = record["by_language"][language]
        assert {key: part[key] for key in expected()} == pytest.approx(expected(language))
    assert record["by_type"]["PER"]["support"] + sum(
        record["by_type"][t]["support"] for t in ("LOC", "ORG", "MISC")
    ) == pytest.approx(expected()["support"])
    assert {"lenient_micro", "seconds", "checkpoint", "data_digest", "seed"} <= record.keys()
    assert record["image_condition"] == condition
    images = record["images"]
    assert (images["present"], images["missing"], images["broken"]) == ((0 if condition == "none" else 12), 0, 0)


def test_missing_and_broken_images_are_counted_and_named(person_checkpoint: Path, tmp_path: Path) -> None:
    """They are tagged as "no image", and the reader is told which."""
    data = shutil.copytree(TINY, tmp_path / "tiny")
    (data / "images" / "org-4.jpg").unlink()
    (data / "images" / "loc-4.jpg").write_bytes(b"<html>")
    arguments = ["evaluate", "--data", data, "--lang", "en", "--checkpoint", person_checkpoint]
    images = parsed(*arguments)["images"]
    assert (images["present"], images["missing"], images["broken"]) == (1, 1, 1)
    assert any("org-4.jpg" in problem for problem in images["problems"])
    assert any("web page" in problem for problem in images["problems"])
    shown = call(*arguments).stdout
    assert "Images (matched): 1 present, 1 missing, 1 broken." in shown


def test_the_table_has_a_row_per_part(person_checkpoint: Path) -> None:
    """All, languages, types; percent."""
    lines = call("evaluate", "--data", TINY, "--checkpoint", person_checkpoint).stdout.splitlines()
    first = [line.split()[0] for line in lines if line.split()]
    assert {"Part", "all", "en", "fr", "de", "es", "PER"} <= set(first)
    [row] = [line.split() for line in lines if line.split()[:1] == ["all"]]
    assert float(row[3]) == pytest.approx(100 * expected()["f1"], abs=0.01)


def test_limit_and_split_are_obeyed(person_checkpoint: Path) -> None:
    """One sentence of each language of the validation split."""
    options = ["--limit", 1, "--split", "valid", "--checkpoint", person_checkpoint]
    record = parsed("evaluate", "--data", TINY, *options)
    assert record["sentences"] == 4
    assert record["data"] == str(TINY)


@pytest.mark.slow
def test_several_shuffles_are_averaged(tiny_checkpoint: Path) -> None:
    """Scores are the means of those with the seeds one after the other, and the spread is told."""
    arguments = ["evaluate", "--data", TINY, "--checkpoint", tiny_checkpoint, "--image-condition", "shuffled"]
    records = [parsed(*arguments, "--seed", seed, "--shuffles", 1) for seed in (4, 5, 6)]
    together = parsed(*arguments, "--seed", 4, "--shuffles", 3)
    alone = [record["micro"]["f1"] for record in records]
    assert together["f1_of_each_shuffle"]["all"] == alone
    assert together["micro"]["f1"] == pytest.approx(sum(alone) / 3)
    for language in ("en", "fr", "de", "es"):
        recalls = [record["by_language"][language]["recall"] for record in records]
        assert together["by_language"][language]["recall"] == pytest.approx(sum(recalls) / 3)
    assert (together["sentences"], together["micro"]["support"]) == (12, records[0]["micro"]["support"])
    shown = call(*arguments, "--seed", 4, "--shuffles", 3).stdout
    spread = f"from {100 * min(alone):.2f} to {100 * max(alone):.2f}"
    assert f"Means over 3 shuffles of the photos; F1 of a single one {spread}." in shown


@pytest.mark.slow
def test_several_shuffles_read_each_text_and_photo_once(tiny_checkpoint: Path) -> None:
    """The second shuffle costs no pass of an encoder."""
    tagger = Tagger.load(tiny_checkpoint)
    passes: Counter[str] = Counter()
    assert tagger.model.cnn_encoder is not None
    tagger.model.text_encoder.register_forward_hook(lambda *_: passes.update(["text"]))
    tagger.model.cnn_encoder.register_forward_hook(lambda *_: passes.update(["photos"]))
    evaluate(tagger, TINY, condition="shuffled", shuffles=1)
    once = dict(passes)
    passes.clear()
    record = evaluate(tagger, TINY, condition="shuffled")
    assert once["text"] and once["photos"] and passes == once
    assert len(record["f1_of_each_shuffle"]["all"]) == SHUFFLES > 1


def test_a_type_met_in_some_shuffles_is_nought_in_all() -> None:
    """Means are of equal parts; counts stay as they are."""
    first = {"micro": {"f1": 0.5, "support": 4}, "by_type": {"PER": {"f1": 0.25, "support": 4}}}
    second = {"micro": {"f1": 1.0, "support": 4}, "by_type": {"PER": {"f1": 0.5, "support": 4}, "LOC": {"f1": 0.0}}}
    assert mean_scores([first, second]) == {
        "micro": {"f1": 0.75, "support": 4},
        "by_type": {"PER": {"f1": 0.375, "support": 4}, "LOC": {"f1": 0.0}},
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--data", "/none"], "/none does not exist."),
        (["--data", TINY, "--image-condition", "grey"], "There is no image condition 'grey'; choose one of matched"),
        (["--data", TINY, "--convention", "news"], "no convention 'news'"),
        (["--data", TINY, "--split", "all"], "There is no split 'all'"),
        (["--data", TINY, "--lang", "it"], "There is no language 'it'"),
        (["--data", TINY, "--images", "/none"], "/none is not a folder"),
        (["--data", TINY, "--shuffles", "2"], "Only the image condition shuffled has several shuffles, not matched"),
    ],
)
def test_what_cannot_be_scored_is_told(person_checkpoint: Path, arguments: list[object], sentence: str) -> None:
    """One sentence each."""
    assert sentence in refused("evaluate", *arguments, "--checkpoint", person_checkpoint)


def test_a_tag_that_the_model_does_not_know_is_named(person_checkpoint: Path, tmp_path: Path) -> None:
    """With file and line."""
    file = tmp_path / "test.txt"
    file.write_text("Ada\tB-PER\n\nAspirin\tB-DRUG\n")
    sentence = refused("evaluate", "--data", file, "--lang", "en", "--checkpoint", person_checkpoint)
    assert f"{file}:3" in sentence
    assert "B-DRUG" in sentence


def test_a_tag_is_named_with_the_line_of_its_word(person_checkpoint: Path, tmp_path: Path) -> None:
    """Not that of its sentence; and with how its type may be renamed."""
    file = tmp_path / "test.txt"
    file.write_text("IMGID:1\nAda\tB-PER\nof\tO\nParty\tB-OTHER\nin\tO\nParis\tB-GPE\n")
    sentence = refused("evaluate", "--data", file, "--lang", "en", "--checkpoint", person_checkpoint)
    assert names(sentence, f"{file}:4", "'B-OTHER'", "GPE", "--map OTHER=MISC", "--map GPE=LOC")


def test_types_of_the_data_are_renamed_as_told(person_checkpoint: Path, tmp_path: Path) -> None:
    """``--map PERSON=PER`` scores them as ours, ``=O`` leaves them out; what does not occur is refused."""
    file = tmp_path / "test.txt"
    file.write_text("Ada\tB-PERSON\n\nMonday\tB-DATE\n")
    arguments = ("evaluate", "--data", file, "--lang", "en", "--checkpoint", person_checkpoint, "--map", "PERSON=PER")
    record = parsed(*arguments, "--map", "DATE=O")
    assert (record["micro"]["support"], record["micro"]["recall"], record["micro"]["precision"]) == (1, 1.0, 0.5)
    assert record["map"] == {"PERSON": "PER", "DATE": "O"}
    assert names(refused(*arguments, "--map", "GPE=LOC"), "--map GPE", "DATE", "PERSON")


def test_what_was_met_in_the_data_is_shown(person_checkpoint: Path, tmp_path: Path) -> None:
    """Repaired tags, empty tokens and marks are counted under the scores."""
    file = tmp_path / "test.txt"
    file.write_text("-DOCSTART-\nAda\tI-PER\n\tO\n\nx\tB-LOC\n")
    shown = call("evaluate", "--data", file, "--lang", "en", "--checkpoint", person_checkpoint).stdout
    shown = " ".join(shown.split())
    assert "1 orphan I- tags read as B-; 1 document marks skipped; 1 words that are empty or only white space" in shown


def test_only_some_types_are_scored(person_checkpoint: Path) -> None:
    """Data that annotate no other type are scored by these alone; a type that the model lacks is one sentence."""
    arguments = ["--data", TINY, "--checkpoint", person_checkpoint]
    every = parsed("evaluate", *arguments)
    people = parsed("evaluate", *arguments, "--types", "PER")
    assert set(people["by_type"]) == {"PER"} and people["types"] == ["PER"]
    assert people["micro"] == people["by_type"]["PER"] == every["by_type"]["PER"]
    others = parsed("evaluate", *arguments, "--types", "LOC, ORG")
    assert others["micro"]["support"] == sum(every["by_type"][t]["support"] for t in ("LOC", "ORG"))
    assert others["micro"]["f1"] == 0
    assert names(refused("evaluate", *arguments, "--types", "GPE"), "'GPE'", "PER", "LOC", "ORG", "MISC")
