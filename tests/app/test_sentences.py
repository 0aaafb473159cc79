"""What the page says about a result and about the photo's part in it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from analysis.palette import type_colours
from analysis.views.measured import Measured
from analysis.views.questions import Source
from analysis.views.service import OTHER_NAMES, OTHER_PHOTOS, another_photo
from analysis.views.tag.result import invitation_html, problem_html, result_html
from analysis.views.tag.sentences import Role, answer_summary, entity_sentence, image_role, lost_sentence, table_rows
from mmner_core.labels import DEFAULT_TYPES
from mmner_core.results import Candidate, Prediction, TaggedEntity
from tests.app.made import TEXT, WORDS, attention, entity, prediction

COLOURS = type_colours(DEFAULT_TYPES)
WITH = entity(0, "PER", 0.83, without=Candidate("ORG", 0.41))
SAME = entity(0, "PER", 0.83, without=Candidate("PER", 0.82))
STREAMS = {"vit": attention(np.ones((2, len(WORDS), 7, 7)))}

CASES = [
    (WITH, (entity(0, "ORG", 0.41),), Role.DECIDED, "the photo decided."),
    (SAME, (entity(0, "PER", 0.82),), Role.UNCHANGED, "the photo did not change this answer."),
    (
        entity(0, "PER", 0.95, without=Candidate("PER", 0.6)),
        (entity(0, "PER", 0.6),),
        Role.UNCHANGED,
        "did not change this answer, but made it surer.",
    ),
    (
        entity(0, "PER", 0.6, without=Candidate("PER", 0.95)),
        (entity(0, "PER", 0.95),),
        Role.UNCHANGED,
        "did not change this answer, but made it less sure.",
    ),
    (WITH, (), Role.ADDED, "the photo added this name."),
    (WITH, (entity(0, "ORG", stop=2),), Role.BOUNDARY, "the text alone marks “Jordan met” (ORG)."),
    (entity(0, "PER"), None, Role.UNKNOWN, "0.83 PER; next best 0.10 ORG."),
]


@pytest.mark.parametrize(("found", "text_only", "role", "ending"), CASES)
def test_each_name_gets_one_plain_sentence(
    found: TaggedEntity, text_only: tuple[TaggedEntity, ...] | None, role: Role, ending: str
) -> None:
    """The sentence states both figures and what the photo did."""
    sentence = entity_sentence(found, text_only)
    assert image_role(found, text_only) is role
    assert sentence.endswith(ending)
    if role is not Role.UNKNOWN:
        assert sentence.startswith(f"With the photo {found.confidence:.2f} PER, without ")


def test_another_photo_is_the_third_figure() -> None:
    """Where the name was also read with an unrelated photo, the sentence says what came of it."""
    compared = replace(WITH, with_other_image=Candidate("ORG", 0.62))
    sentence = entity_sentence(compared, (entity(0, "ORG", 0.41),))
    assert sentence == ("With the photo 0.83 PER, without 0.41 ORG, with another photo 0.62 ORG: the photo decided.")


def test_the_other_photo_is_never_the_visitors_own() -> None:
    """A photo of the gallery is compared with another of it; the same photo always with the same one."""
    for name in OTHER_NAMES:
        own = OTHER_PHOTOS / name
        digest = hashlib.sha256(own.read_bytes()).hexdigest()
        other = another_photo(digest)
        assert other == another_photo(digest)
        assert other is not None and other.is_file() and other != own


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (prediction(), "No names found in this text."),
        (prediction((entity(0, "PER"),)), "1 name found, from the text alone."),
        (
            prediction((SAME,), (entity(0, "PER", 0.82),), streams=STREAMS),
            "1 name found. The photo did not change it.",
        ),
        (
            prediction((WITH, entity(3, "PER", without=Candidate("PER", 0.8))), (entity(0, "ORG"), entity(3, "PER")),
                       streams=STREAMS),
            "2 names found. The photo decided 1; the other 1 stands on the text alone.",
        ),
        (prediction((WITH,), (entity(0, "ORG"),), streams=STREAMS), "1 name found. The photo decided it."),
        (
            prediction((WITH,), (entity(0, "ORG", stop=2),), streams=STREAMS),
            "1 name found. The photo moved the boundary of it.",
        ),
        (
            prediction((WITH,), (entity(8, "LOC"),), streams=STREAMS),
            "1 name found. The photo added 1 and took away 1.",
        ),
        (prediction((), (entity(8, "LOC"),), streams=STREAMS), "No names found; the text alone has 1."),
        (prediction((entity(0, "PER"),), streams=STREAMS), "1 name found, with the photo."),
    ],
)  # fmt: skip
def test_summary_adds_up(made: Prediction, expected: str) -> None:
    """The first line of a result says how many names there are and what the photo did."""
    assert answer_summary(made) == expected


def test_table_states_what_the_issue_asks() -> None:
    """Name, type, confidence, runner-up and character span, in text order."""
    rows = table_rows(prediction((entity(0, "PER"), entity(8, "LOC", 0.5))))
    assert [(r.name, r.type, r.confidence, r.runner_up, r.characters) for r in rows] == [
        ("Jordan", "PER", 0.83, "ORG 0.10", "0–6"),
        ("Rome", "LOC", 0.5, "ORG 0.10", "31–35"),
    ]


def test_result_escapes_everything_a_user_wrote() -> None:
    """Text, names and notes cannot become markup of the page."""
    made = prediction((entity(2, "PER", stop=5),), (entity(2, "PER", stop=5),), notes=("<script>x</script>",))
    html = result_html(made, COLOURS)
    assert "<script" not in html
    assert "<b>" not in html
    assert "&lt;b&gt;Ada&lt;/b&gt;" in html


def test_names_only_the_text_finds_are_told() -> None:
    """A name that the photo took away is not passed over in silence."""
    made = prediction((), (entity(8, "LOC", 0.7),), streams=STREAMS)
    assert lost_sentence(entity(8, "LOC", 0.7)) in result_html(made, COLOURS)


def test_downloads_hold_the_stable_json_and_bio() -> None:
    """Both files travel in the page itself, so the server keeps none."""
    made = prediction((entity(0, "PER"),))
    links = dict(re.findall(r'download="([^"]+)" href="data:[^;]+;base64,([^"]+)"', result_html(made, COLOURS)))
    assert json.loads(base64.b64decode(links["names.json"])) == made.to_json()
    assert base64.b64decode(links["names.bio"]).decode() == made.to_bio()
    assert made.text == TEXT


def test_missing_photo_and_missing_names_are_said() -> None:
    """Without a heat map the page says why."""
    assert "No photo, so no heat map" in result_html(prediction((entity(0, "PER"),)), COLOURS)
    assert "No names, so no heat map" in result_html(prediction(streams=STREAMS), COLOURS)


@pytest.mark.parametrize(
    ("cosines", "low", "said"),
    [
        ({"vit": 0.1, "cnn": 0.28}, 0.2, True), ({"vit": 0.1, "cnn": 0.32}, 0.2, False), ({"vit": 0.2}, 0.2, False),
        ({"vit": -1.0}, None, False), ({}, 0.2, False),
    ],
)  # fmt: skip
def test_a_photo_that_does_not_belong_to_the_text_is_said(
    cosines: dict[str, float], low: float | None, said: bool
) -> None:
    """Below what the checkpoint calls a low match; without that, or without a photo, the page says nothing."""
    made = replace(prediction((SAME,), streams=STREAMS), image_text_cosine=cosines)
    source = Source(name="mini", digest="0" * 16, types=DEFAULT_TYPES, measured=Measured(low_match=low))
    html = result_html(made, COLOURS, source=source)
    assert ("The photo does not seem to show what the text speaks of." in html) is said
    assert "does not seem" not in result_html(made, COLOURS)


@pytest.mark.parametrize(("share", "said"), [(0.0, True), (0.01, True), (0.9, False)])
def test_a_photo_that_a_name_looks_at_is_not_called_unrelated(share: float, said: bool) -> None:
    """One in ten pairs that belong together has a low cosine: attention on the photo speaks against it."""
    made = replace(prediction((replace(SAME, photo_share=share),), streams=STREAMS), image_text_cosine={"vit": -0.5})
    source = Source(name="mini", digest="0" * 16, types=DEFAULT_TYPES, measured=Measured(low_match=0.2))
    assert ("does not seem to show" in result_html(made, COLOURS, source=source)) is said


def test_problem_is_an_alert_and_escaped() -> None:
    """Bad input becomes one sentence that assistive technology announces."""
    html = problem_html("The text <b> is empty.")
    assert 'role="alert"' in html
    assert "The text &lt;b&gt; is empty." in html
    assert "Your result appears here" in invitation_html()
