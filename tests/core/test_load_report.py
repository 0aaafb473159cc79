"""The verdict of a load test, and that what its visitors ask is what it says."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
from PIL import Image

from tests.load.memory import MemoryCurve
from tests.load.outcome import Fate, Kill, LoadReport, Outcome
from tests.load.questions import draw_photos, make_question
from tests.load.wire import LoadedPage

pytestmark = pytest.mark.slow  # tests a tool of the tests


def outcome(fate: Fate = "answered", kind: str = "text", seconds: float = 0.1, told: str = "") -> Outcome:
    """Make what became of one question."""
    return Outcome(kind=kind, fate=fate, started=0.0, seconds=seconds, told=told)


def report(*outcomes: Outcome, end_mb: float = 100.0, kill: Kill | None = None, length: int = 60) -> LoadReport:
    """Make the report of a minute in which memory goes from 100 MB to ``end_mb`` after 30 seconds."""
    memory = MemoryCurve(samples=[(float(t), 100.0 if t < 30 else end_mb) for t in range(length)])
    return LoadReport(visitors=2, seconds=60.0, outcomes=outcomes, memory=memory, warm_up=10.0, kill=kill)


def test_a_clean_run_passes() -> None:
    """Answers, sentences to come back later, and questions cut off on purpose are no problem."""
    clean = report(outcome(), outcome("busy", told="Come back later."), outcome("interrupted"))
    assert clean.problems() == []
    assert clean.to_json()["passed"]
    assert clean.to_json()["busy_sentences"] == ["Come back later."]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (report(outcome("busy")), "No question was answered"),
        (report(outcome(), outcome("error", told="500 at /x")), "1 of 2 questions: error; the first: 500 at /x"),
        (report(outcome(), outcome("lost", told="ended")), "1 of 2 questions: lost"),
        (report(outcome(), end_mb=111.0), "1.11 times"),
        (report(outcome(), kill=Kill(at=1.0, back_after=2.0, left_behind=("/tmp/half",))), "/tmp/half"),
    ],
)
def test_what_must_not_be_is_said(bad: LoadReport, told: str) -> None:
    """Each failing has its sentence, and the test is not passed."""
    (problem,) = bad.problems()
    assert told in problem
    assert not bad.to_json()["passed"]


def test_memory_is_judged_only_where_there_was_time() -> None:
    """Ten per cent more is allowed; of a few seconds nothing is said."""
    assert report(outcome(), end_mb=109.0).memory_ratio == pytest.approx(1.09)
    assert report(outcome(), end_mb=200.0, length=25).memory_ratio is None


def test_quantiles_are_those_of_numpy() -> None:
    """Latency is told per kind, over answers alone."""
    seconds = np.random.default_rng(1).exponential(size=101)
    outcomes = [outcome(seconds=float(s)) for s in seconds] + [outcome("error", seconds=99.0)]
    got = report(*outcomes).latency(["text"])
    assert got is not None and got["n"] == 101
    assert [got["p50"], got["p95"], got["p99"]] == pytest.approx(np.percentile(seconds, [50, 95, 99]))


def test_questions_hold_their_number_and_their_share_of_photos() -> None:
    """Every question can be told from every other by its text, in four languages' sentences."""
    chance, photos = random.Random(3), draw_photos(3, count=4)
    questions = [make_question(n, photos, chance, photo_share=0.5) for n in range(100_000, 100_400)]
    assert all(str(q.number) in q.text for q in questions)
    assert 150 < sum(q.photo is not None for q in questions) < 250
    assert {q.photo.mime_type for q in questions if q.photo} == {"image/jpeg", "image/png", "image/webp"}


def test_a_numbered_photo_is_the_same_image_in_other_bytes() -> None:
    """No cache that goes by the bytes knows it, and every decoder reads it."""
    photo = draw_photos(3, count=1)[0]
    other = photo.numbered(7)
    assert other.content != photo.content
    images = [np.asarray(Image.open(io.BytesIO(p.content))) for p in (photo, other)]
    assert np.array_equal(*images)


def test_the_button_is_found_in_the_configuration() -> None:
    """The function's number and the places of its inputs come from the page, as a browser has them."""
    names = {1: "wb-run", 2: "wb-sentence", 3: "wb-photo", 4: "wb-result", 5: None}
    values = {5: 0.5}
    config = {
        "components": [{"id": i, "props": {"elem_id": name, "value": values.get(i)}} for i, name in names.items()],
        "dependencies": [
            {"id": 0, "targets": [[2, "submit"]], "inputs": [2], "outputs": [4]},
            {"id": 8, "targets": [[1, "click"]], "inputs": [5, 2, 3], "outputs": [5, 4]},
        ],
    }
    assert LoadedPage.read(config) == LoadedPage(function=8, values=(0.5, None, None), sentence=1, photo=2, result=1)
