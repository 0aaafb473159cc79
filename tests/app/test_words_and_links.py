"""How the words of a name are shown, and what a link to a question holds and restores."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.heat_maps.attribution import check_maps
from analysis.heat_maps.word_saliency import NEAREST, SALIENT, WordSaliency
from analysis.views.service import TagQuestion
from analysis.views.tag.examples import demo_examples
from analysis.views.tag.link import LinkedQuestion, link_html, missing_photo_html
from analysis.views.tag.word_view import ask_words_html, words_html, words_reply
from mmner_core.errors import InputError
from mmner_core.results import Prediction
from mmner_core.runtime.digests import file_digest
from tests.app.made import TEXT, WORDS, entity, prediction

NAME = entity(3, "PER")
FALLS = np.array([0.0, 0.31, 0.02, 0.5, 0.0, -0.1, 0.0, 0.0, 0.001])


def saliency(falls: np.ndarray = FALLS, first: int = 0, *, checked: bool = True) -> WordSaliency:
    """Make what words a name rests on; the check is of a model that adds up the falls."""
    others = np.arange(first, first + len(falls)) != 3
    orders = {SALIENT: falls[others][None], NEAREST: np.arange(others.sum())[None]}
    checks = check_maps(lambda visible: (visible[:, 0] * falls[others]).sum(1), orders, steps=5) if checked else {}
    return WordSaliency(first=first, falls=falls, probability=0.83, alone=0.4, checks=checks)


def made(**options: Any) -> Prediction:
    """Make a prediction of one name."""
    return prediction((NAME,), **options)


def test_the_words_of_a_name() -> None:
    """The word whose absence costs most is told, not the name's own; the text is whole, escaped, each word weighed."""
    html = words_html(made(), NAME, saliency())
    assert "Without “met” the probability of “Ada” being PER falls by 0.31, from 0.83 to 0.52." in html
    assert "With all other words hidden it is 0.40." in html
    assert "Checked by hiding the other words" in html and "random orders" in html and "n = 39" in html
    assert "Hidden nearest first, which needs no model: " in html
    shown = re.sub(r"<sub>[^<]*</sub>", "", re.search(r'<div class="wb-text" dir="auto">(.*?)</div>', html, re.S)[1])
    assert unescape(re.sub(r"<[^>]+>", "", shown)) == TEXT
    assert "<b>" not in html and "<sub>-0.31</sub>" in html and "<sub>+0.10</sub>" in html
    assert html.count("wb-word-own") == 1 and html.count("wb-word-against") == 1
    assert "--share:0.775" in html and "--share:1.000" in html
    assert "leave one word out" in html


def test_of_a_long_text_the_stretch_around_the_name_is_shown() -> None:
    """The rest is cut off visibly, and words keep their places."""
    html = words_html(made(), NAME, saliency(FALLS[2:5], 2, checked=False))
    shown = re.search(r'<div class="wb-text" dir="auto">(.*?)</div>', html, re.S)[1]
    assert shown.startswith("… <span") and shown.endswith(" …")
    assert "too few other words" in html
    reply = words_reply(made(), NAME, saliency(FALLS[2:5], 2, checked=False))
    assert [word["text"] for word in reply["words"]] == ["<b>", "Ada", "</b>"] and reply["checks"] == {}


def test_where_no_word_counts_it_is_said() -> None:
    """Nor is there a button without a name."""
    html = words_html(made(), NAME, saliency(np.zeros(len(WORDS))))
    assert "No other word alone moves the probability of “Ada” being PER, 0.83." in html
    assert "No better than chance" in html
    assert ask_words_html(None) == "" and "“Ada”" in ask_words_html(NAME)


def restored(question: TagQuestion, digest: str, **more: Any) -> LinkedQuestion:
    """Read what the button of a question holds."""
    asked = re.search(r'data-asked="([^"]*)"', link_html(question, digest))
    assert asked is not None
    return LinkedQuestion.read(json.loads(unescape(asked[1])) | more)


def test_a_link_restores_the_question() -> None:
    """Text with quotes, the example's photo, language, convention, model, name and map."""
    example = next(example for example in demo_examples() if example.photo)
    assert example.photo is not None
    text = '"Ada" & <b>\'s</b>\n${x} Straße'
    question = TagQuestion(text=text, photo="/up/load.jpg", language="de", convention="caption", model="mini")
    found = restored(question, file_digest(example.photo), entity=2, kind="occlusion")
    assert found == LinkedQuestion(
        text=text, photo=example.photo, own_photo=False, language="de", convention="caption", model="mini", entity=2,
        kind="occlusion",
    )  # fmt: skip
    plain = restored(TagQuestion(text="Ada"), "")
    assert (plain.photo, plain.own_photo, plain.language, plain.entity, plain.kind) == (None, False, "auto", 0, "")


def test_a_link_holds_no_photo_of_a_visitor() -> None:
    """Only that there was one, and no path of the server."""
    question = TagQuestion(text="Ada", photo="/tmp/secret/photo.jpg")
    assert "secret" not in link_html(question, "ab" * 32)
    found = restored(question, "ab" * 32)
    assert found.own_photo and found.photo is None
    assert "add the" in missing_photo_html()


@pytest.mark.parametrize(
    "values",
    [
        {"text": None}, {"text": 5}, {"entity": -1}, {"entity": "1"}, {"photo": "../../etc/passwd"},
        {"photo": "/etc/passwd"}, {"kind": "saliency"}, {"language": ["en"]},
    ],
)  # fmt: skip
def test_a_link_that_was_changed_is_one_sentence(values: dict[str, Any]) -> None:
    """Whatever somebody writes into it."""
    with pytest.raises(InputError, match=r"\.$"):
        LinkedQuestion.read({"text": "Ada", **values})


def test_the_photos_of_the_examples_are_told_by_their_content() -> None:
    """Each file leads back to itself, whatever name it was uploaded under."""
    for photo in {example.photo for example in demo_examples() if example.photo}:
        assert isinstance(photo, Path)
        assert restored(TagQuestion(text="Ada", photo="/up/x"), file_digest(photo)).photo is not None
