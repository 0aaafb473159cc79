"""Repeated sentences within a split: exact, but for case and signs, and near, without comparing all pairs."""

from __future__ import annotations

import random
from itertools import combinations
from pathlib import Path

import pytest

from analysis.evaluation.writer import write_run
from analysis.panels.data_quality import duplicates, leaking_pairs
from analysis.run.answers import Answers
from analysis.run.folder import EvaluationRun
from analysis.scores.duplicates import find_duplicates
from analysis.scores.leakage import normalised, shingles
from tests.analysis.small_run import small_answers, small_table

LONG = "the mayor of Rome met the mayor of Paris on Monday in the old town"


def answers(*texts: str, **columns: object) -> Answers:
    """Make sentences without entities."""
    return small_answers(
        [(text, " ".join("O" * len(text.split())), " ".join("O" * len(text.split()))) for text in texts], **columns
    )


def test_each_repeated_sentence_is_listed_once_under_the_strongest_name() -> None:
    """Against the earliest one; exact before normalised before near."""
    found = find_duplicates(answers(LONG, "we  met", f"{LONG} again", LONG.upper() + " !", LONG, "We met .", "we met"))
    rows = found[["sentence_id", "other_id", "what"]].to_numpy().tolist()
    assert rows == [
        [4, 0, "exact sentence"], [6, 1, "exact sentence"], [3, 0, "normalised"], [5, 1, "normalised"],
        [2, 0, "near duplicate"],
    ]  # fmt: skip
    assert found["similarity"].iloc[-1] == pytest.approx(12 / 13)  # one trigram comes twice


def test_short_sentences_and_signs_are_alike_by_chance() -> None:
    """Only the very same words make a short one a duplicate, and signs alone are none but of themselves."""
    assert find_duplicates(answers("we met in Rome", "we met in Paris", ". .", "! !")).empty
    assert find_duplicates(answers(". .", ". .")).shape[0] == 1


def test_other_tags_and_another_image_are_told() -> None:
    """The same words with other tags beside the same image contradict each other; in a minimal pair they do not."""
    rows = [("Ada sings", "B-PER O", "O O"), ("Ada sings", "B-ORG O", "O O"), ("Ada sings", "B-PER O", "O O")]
    found = find_duplicates(small_answers(rows, image_id=["a", "a", "b"]))
    assert found[["gold", "image"]].to_numpy().tolist() == [["another", "the same"], ["the same", "another"]]


def test_it_finds_what_comparing_all_pairs_finds() -> None:
    """Of sentences made from each other by changed words, exactly those that share 80 % of their trigrams."""
    rng = random.Random(7)
    vocabulary = [f"w{i}" for i in range(60)]
    texts = [[rng.choice(vocabulary) for _ in range(rng.randint(20, 40))] for _ in range(40)]
    for _ in range(160):
        copy = list(rng.choice(texts))
        for _ in range(rng.randint(0, 1)):
            copy[rng.randrange(len(copy))] = rng.choice(vocabulary)
        texts.append(copy)
    distinct = list(dict.fromkeys(map(tuple, texts)))
    sets = [shingles(normalised(words)) for words in distinct]
    similar = {
        j for i, j in combinations(range(len(sets)), 2) if len(sets[i] & sets[j]) >= 0.8 * len(sets[i] | sets[j])
    }
    found = find_duplicates(answers(*map(" ".join, distinct)))
    assert len(similar) > 20 and set(found["sentence_id"]) == similar


@pytest.mark.slow
def test_many_alike_take_no_time() -> None:
    """Ten thousand copies, and as many sentences that begin alike, are no matter of all pairs."""
    texts = [LONG] * 10_000 + [
        f"breaking news from the city of {i} tonight {i + 1} {i + 2} {i + 3}" for i in range(10_000)
    ]
    assert len(find_duplicates(answers(*texts))) == 9_999


def test_the_panel_counts_kinds_and_contradictions() -> None:
    """In a sentence; nothing repeated is said as well."""
    rows = [("Ada sings", "B-PER O", "O O"), ("Ada sings", "B-ORG O", "O O")]
    panel = duplicates(EvaluationRun.from_table(small_table(rows, image_id=["a", "a"]), name="small"))
    assert panel.notes[0] == "1 exact sentence; 1 of them has other tags beside the same image."
    assert duplicates(EvaluationRun.from_table(small_table(rows[:1]), name="one")).notes == (
        "No sentence repeats another.",
    )


def test_leaking_sentences_are_listed_and_lead_to_the_inspector(tmp_path: Path) -> None:
    """With where training has them; a run that stored counts alone says so."""
    counts = [{"language": "all", "what": "exact sentence", "n_leaked": 1, "n": 1, "share": 1.0}]
    pair = {
        "test_where": "test.txt:1",
        "train_where": "train.txt:9",
        "what": "exact sentence",
        "similarity": 1.0,
        "text": "Ada",
    }
    stored = {
        "with": {"leakage_pairs": [pair]},
        "none": {"leakage_pairs": []},
        "old": {},
        "bad": {"leakage_pairs": [{"x": 1}]},
    }
    panels = {}
    for name, metrics in stored.items():
        table = small_table([("Ada", "B-PER", "B-PER")])
        write_run(tmp_path / name, table, metrics={"leakage": counts, **metrics}, provenance={})
        panels[name] = leaking_pairs(EvaluationRun.open(tmp_path / name))
    assert panels["with"].table[["sentence_id", "train_where"]].to_numpy().tolist() == [[0, "train.txt:9"]]
    assert panels["none"].notes == ("No test sentence is in training.",)
    assert "does not say which" in panels["old"].notes[0] and "lacks 'what'" in panels["bad"].notes[0]
