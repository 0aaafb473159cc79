"""Two answers to one sentence: every name of either, exact probabilities in both, what is hidden is hidden."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from analysis.conditions.hidden_cells import HiddenCells
from analysis.views.api import Api
from analysis.views.service import TagQuestion, TagService
from analysis.views.tag.comparison import Change, compare
from analysis.views.tag.comparison_view import _change, changes_summary, comparison_html
from mmner_core.errors import InputError
from mmner_core.network.model import MMNER
from mmner_core.serving.config import ServingConfig
from mmner_core.serving.engine import Engine
from tests.analysis.tiny_model import drawn_photo
from tests.app.made import entity
from tests.app.opposite_models import write_opposite_models

TEXT = "Ada Lovelace met Barack Obama in Berlin <b>"


@pytest.fixture(scope="module")
def service(subwords: Any, tokenizer_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> TagService:
    """Serve a model with others to choose from."""
    first, others = write_opposite_models(tmp_path_factory.mktemp("models"), subwords, tokenizer_folder)
    return TagService(first, ServingConfig(checkpoints=others))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Draw two photos, larger than the model needs them."""
    folder = tmp_path_factory.mktemp("photos")
    for seed in (0, 1):
        drawn_photo(seed, (300, 200)).save(folder / f"{seed}.png")
    return [str(folder / f"{seed}.png") for seed in (0, 1)]


def two_questions(photos: list[str]) -> tuple[TagQuestion, TagQuestion]:
    """Ask with two photos, the second time the model that has other names."""
    one, other = (TagQuestion(text=TEXT, photo=photo, language="en") for photo in photos)
    return one, replace(other, model="turned")


def probabilities(service: TagService, question: TagQuestion) -> dict[tuple[str, str], float]:
    """Return the names of an answer."""
    return {(name.text, name.type): name.confidence for name in service.answer(question).prediction.entities}


def test_every_name_of_either_answer_is_there(service: TagService, photos: list[str]) -> None:
    """As probable as each answer says where it marks it; what only one marks has a probability in the other, too."""
    one, other = two_questions(photos)
    found = compare(service, one, other)
    first, second = probabilities(service, one), probabilities(service, other)
    changes = {(change.name.text, change.name.type): change for change in found.changes}
    assert changes.keys() == first.keys() | second.keys()
    for key, change in changes.items():
        assert (change.in_one, change.in_other) == (key in first, key in second)
        assert change.one is not None and change.other is not None
        if key in first:
            assert change.one == pytest.approx(first[key], abs=1e-3)
        if key in second:
            assert change.other == pytest.approx(second[key], abs=1e-3)
        assert change.kind == ("kept" if key in first and key in second else "vanished" if key in first else "added")
    assert {change.kind for change in found.changes} & {"vanished", "added"}
    turned = {(c.name.text, c.name.type): c for c in compare(service, other, one).changes}
    for key, change in changes.items():
        assert (turned[key].one, turned[key].other) == (
            pytest.approx(change.other, abs=1e-3), pytest.approx(change.one, abs=1e-3)
        )  # fmt: skip


def test_hiding_nothing_changes_nothing_and_hiding_all_is_one_colour(service: TagService, photos: list[str]) -> None:
    """No hidden cell leaves every probability; with all of them hidden the answer is that of an even photo."""
    question, flat = TagQuestion(text=TEXT, photo=photos[0], language="en"), Path(photos[0]).with_name("even.png")
    pixels = np.asarray(Image.open(photos[0]))
    even = Image.new("RGB", (300, 200), tuple(np.rint(pixels.reshape(-1, 3).mean(0)).astype(int).tolist()))
    even.save(flat)

    def hidden(rows: list[str]) -> TagQuestion:
        return TagQuestion(text=TEXT, photo=photos[0], language="en", hidden=HiddenCells.read(rows))

    nothing = compare(service, question, hidden(["00", "00"]))
    assert all(change.kind == "kept" for change in nothing.changes)
    assert max(abs(change.difference or 0) for change in nothing.changes) < 1e-3
    everything = compare(service, question, hidden(["1"]))
    blank = compare(service, question, TagQuestion(text=TEXT, photo=str(flat), language="en"))
    assert [(c.name.text, c.kind) for c in everything.changes] == [(c.name.text, c.kind) for c in blank.changes]
    np.testing.assert_allclose([c.other for c in everything.changes], [c.other for c in blank.changes], atol=0.01)
    half = compare(service, question, hidden(["10", "10"]))
    assert max(abs(change.difference or 0) for change in half.changes) > 1e-3
    shown = np.asarray(half.other.photo)
    assert len(np.unique(shown[:, :140].reshape(-1, 3), axis=0)) == 1 < len(np.unique(shown.reshape(-1, 3), axis=0))


def test_two_models_are_told_apart(service: TagService, photos: list[str]) -> None:
    """The same weights under two names give the same answer twice."""
    one = TagQuestion(text=TEXT, photo=photos[0], language="en")
    found = compare(service, one, TagQuestion(text=TEXT, photo=photos[0], language="en", model="same"))
    assert found.other.source is not None and found.other.source.name == "same"
    assert all(change.kind == "kept" and change.difference == pytest.approx(0, abs=1e-3) for change in found.changes)


def test_both_answers_stand_side_by_side(service: TagService, photos: list[str]) -> None:
    """Both texts escaped, a heat map each for the chosen name, a row per name, differences in words."""
    one, other = two_questions(photos)
    found = compare(service, one, other)
    html = comparison_html(found, ("First <photo>", "Second"), len(found.changes) - 1)
    assert html.count('<div class="wb-side">') == html.count("data:image/webp;base64,") == 2
    assert html.count('class="wb-name"') == len(found.changes) and "<b>" not in html
    assert "First &lt;photo&gt;" in html and "not marked" in html and "wb-mark-changed" in html
    pressed = html.count(f'data-entity="{len(found.changes) - 1}"\naria-pressed="true"')
    assert pressed == 1
    bare = compare(service, one, TagQuestion(text=TEXT, language="en"))
    assert comparison_html(bare, ("With", "Without")).count("data:image/webp") == 1


def test_changes_are_summed_up() -> None:
    """Names that vanish or come are named; else the largest change, if it shows."""
    kept = Change(name=entity(0, "PER"), one=0.9, other=0.6, in_one=True, in_other=True)
    gone = Change(name=entity(3, "PER"), one=0.7, other=0.2, in_one=True, in_other=False)
    new = Change(name=entity(8, "LOC"), one=None, other=0.8, in_one=False, in_other=True)
    assert changes_summary((kept, gone, new)) == (
        "“Ada” (PER) vanishes, “Rome” (LOC) is added; 1 of 3 names are the same."
    )
    assert changes_summary((kept,)) == "The name is the same. Most changed: “Jordan”, −0.30."
    still = Change(name=entity(0, "PER"), one=0.9, other=0.89, in_one=True, in_other=True)
    assert changes_summary((still, still)) == "All 2 names are the same; no probability changes by 0.05 or more."
    assert _change(replace(still, other=0.899)) == "+0.00"
    assert changes_summary(()) == "Neither answer has a name."
    assert new.difference is None and gone.difference == pytest.approx(-0.5)


def test_programs_compare(service: TagService, photos: list[str]) -> None:
    """Another image, hidden cells or another model; what would be the same twice is refused."""
    api = Api(service, lambda image: image)
    asked = (TEXT, (photos[0], photos[1]), ("", "turned"), None, "en", "")
    reply = api.compare(*asked)
    assert {name["change"] for name in reply["names"]} <= {"kept", "vanished", "added"}
    assert [entity["text"] for entity in reply["one"]["entities"]] == [
        name["text"] for name in reply["names"] if name["change"] != "added"
    ]
    hidden = api.compare(TEXT, (photos[0], None), ("", ""), ["11", "00"], "en", "")
    assert len(hidden["names"]) and hidden["other"]["checkpoint"] == hidden["one"]["checkpoint"]
    assert api.compare(TEXT, (None, None), ("", "same"), None, "en", "")["other"]["checkpoint"]["name"] == "same"
    for images, rows, said in (((photos[0], None), None, "same"), ((None, None), ["1"], "no image")):
        with pytest.raises(InputError, match=said):
            api.compare(TEXT, images, ("", ""), rows, "en", "")
    with pytest.raises(InputError, match="hidden cells"):
        api.compare(TEXT, (photos[0], None), ("", ""), "11", "en", "")


def test_programs_ask_for_words(service: TagService, photos: list[str]) -> None:
    """Every word of the text with its fall, computed once; a name that does not exist is told."""
    api = Api(service, lambda image: image)
    reply = api.words(TEXT, photos[0], 0, "en", "", "")
    assert [TEXT[word["start"] : word["end"]] for word in reply["words"]] == [word["text"] for word in reply["words"]]
    name = reply["name"]
    assert TEXT[name["start"] : name["end"]] == name["text"]
    question = TagQuestion(text=TEXT, photo=photos[0], language="en")
    assert reply["probability"] == pytest.approx(service.answer(question).prediction.entities[0].confidence, abs=1e-3)
    assert {check["n_random"] for check in reply["checks"].values()} == {39}
    assert api.words(TEXT, photos[0], 0, "en", "", "") == reply
    alone = api.words(TEXT, None, 0, "en", "", "")
    assert alone["probability"] != pytest.approx(reply["probability"], abs=1e-6)
    with pytest.raises(InputError, match="no name number"):
        api.words(TEXT, photos[0], 99, "en", "", "")


def test_the_words_of_a_long_text_are_asked_in_turns(service: TagService, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many variants at once as a group of questions is long, of the stretch around the name; others come between."""
    question = TagQuestion(text=" ".join([TEXT] * 12), language="en")
    answer = service.answer(question)
    turns: list[int] = []
    sizes: list[int] = []
    run, read = Engine.run, MMNER.encode_text

    def note_turn(self: Engine, work: Any) -> Any:
        turns.append(1)
        return run(self, work)

    def note_size(self: MMNER, batch: Any) -> Any:
        sizes.append(batch.input_ids.numel())
        return read(self, batch)

    monkeypatch.setattr(Engine, "run", note_turn)
    monkeypatch.setattr(MMNER, "encode_text", note_size)
    entity = len(answer.prediction.entities) // 2
    found = service.word_saliency(question, answer, entity)
    assert len(found.falls) <= 64 < len(answer.prediction.words) and found.first > 0
    assert len(turns) == len(sizes) > 5 and max(sizes) <= 1024
    assert service.word_saliency(question, answer, entity) is found and len(turns) == len(sizes)
