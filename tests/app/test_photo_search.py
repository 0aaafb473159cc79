"""A text finds the nearest photos of a run: the right ones, by the model that made the run, in the visitor's name."""

from __future__ import annotations

import json
import re
import shutil
from concurrent.futures import Future
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.views.research.controller import TabController
from analysis.views.research.photo_search import PhotoVectors
from analysis.views.service import TagService
from mmner_core.errors import InputError
from mmner_core.inference.tag_job import TagRequest
from mmner_core.results import Prediction
from mmner_core.serving.engine import Engine
from mmner_core.serving.visitor import current_visitor, working_for
from tests.app.research_run import EVIL, write_hand_made_run

pytestmark = pytest.mark.slow  # compiles UMAP

TEXT = "Quién vio Amazon en Bilbao"


@pytest.fixture(scope="module")
def controller(tiny_checkpoint: Path, runs: Path, tmp_path_factory: pytest.TempPathFactory) -> TabController:
    """Return a controller with the tiny model over runs of it, of another model, of no model, and without vectors."""
    folder = tmp_path_factory.mktemp("runs")
    shutil.copytree(runs / "tiny", folder / "other")
    provenance = json.loads((folder / "other" / "provenance.json").read_text())
    provenance["checkpoint"]["digest"] = "0123456789"
    (folder / "other" / "provenance.json").write_text(json.dumps(provenance))
    return TabController(TagService(tiny_checkpoint), [runs, folder])


def found(controller: TabController, text: str = TEXT, **state: str) -> str:
    """Return what is found for a text."""
    return controller.part("embedding", {"run": "tiny", "part": "found", "ask": text, **state})["html"]


def cosines(html: str) -> list[float]:
    """Read the cosines of the cards."""
    return [float(value.replace("\u2212", "-")) for value in re.findall(r"cosine ([+\u2212][\d.]+)<", html)]


def test_the_nearest_photos_come_first(controller: TabController) -> None:
    """Each photo of the run once, by its cosine with the text, with its image and all of its sentences."""
    run, html = controller.library.run("tiny"), found(controller)
    vector = controller.model.text_vector(run, TEXT)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    ids, has = run.embedding("sentence_id"), run.embedding("has_image") > 0
    vectors = run.embedding("image_cnn").astype(np.float32)  # of two streams the CNN's is the main one
    sentences = run.answers().sentences.set_index("sentence_id")
    by_hand: dict[str, float] = {}
    for sentence, photo in zip(ids[has].tolist(), vectors[has], strict=True):
        by_hand[sentences["image_id"][sentence]] = float(photo @ vector / np.linalg.norm(photo))
    assert cosines(html) == pytest.approx(sorted(by_hand.values(), reverse=True), abs=2e-3)
    assert f"{len(by_hand)} photos nearest to “{TEXT}”, of {len(by_hand)}<" in html
    assert html.count("<img") == len(by_hand) and html.count("data:image/webp") == len(by_hand)
    told = set(map(int, re.findall(r'"row": "(\d+)"', unescape(html))))
    assert told <= set(ids[has].tolist()) and len(told) >= len(by_hand)


def test_a_language_has_its_own_photos(controller: TabController) -> None:
    """Only photos of its sentences are looked at, and only these sentences are told."""
    html = found(controller, language="de")
    photos = PhotoVectors.of(controller.library.run("tiny")).sentences
    expected = photos[photos["language"] == "de"]["image_id"].nunique()
    assert html.count('class="wb-item"') == expected > 0
    assert set(re.findall(r'lang="(\w+)"', html)) == {"de"}
    assert f"of {expected} with sentences in German" in html


def test_a_visitor_is_charged_as_for_a_tag_request(controller: TabController, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text goes through the engine in the visitor's name, once; asked again the answer is still there."""
    asked: list[tuple[str, str | None]] = []
    submit = Engine.submit

    def note(self: Engine, request: TagRequest, **options: Any) -> Future[Prediction]:
        asked.append((request.text, current_visitor()))
        return submit(self, request, **options)

    monkeypatch.setattr(Engine, "submit", note)
    with working_for("192.0.2.7"):
        first, second = found(controller, "Ada in Lima"), found(controller, "Ada in Lima")
    assert asked == [("Ada in Lima", "192.0.2.7")]
    assert first == second and cosines(first)


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        ("other", "was made by another model (01234567) than the one loaded"),
        ("hand", "was made by another system than the one loaded"),
        ("long", "holds no vectors"),
    ],
)
def test_a_run_that_cannot_be_searched_is_told(
    controller: TabController, run: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one sentence, and without asking the model."""
    monkeypatch.setattr(Engine, "submit", lambda *_, **__: pytest.fail("the model was asked"))
    answer = controller.part("embedding", {"run": run, "part": "found", "ask": TEXT})
    assert answer["problem"] and sentence in answer["html"]


def test_no_model_is_told(tmp_path: Path) -> None:
    """The field is there; what it leads to says what is missing."""
    write_hand_made_run(tmp_path / "hand")
    controller = TabController(TagService(tmp_path / "none" / "checkpoint"), [tmp_path])
    assert 'data-state="ask"' in controller.part("embedding", {"run": "hand", "part": "search"})["html"]
    answer = controller.part("embedding", {"run": "hand", "part": "found", "ask": TEXT})
    assert answer["problem"] and "our side" not in answer["html"] and str(tmp_path) not in answer["html"]


def test_what_is_typed_stays_text(controller: TabController) -> None:
    """Markup is escaped, blanks ask nothing, and a text beyond the limit is told."""
    html = found(controller, EVIL)
    assert "<script" not in html and "&lt;script&gt;" in html and cosines(html)
    assert found(controller, "  ") == ""
    answer = controller.part("embedding", {"run": "tiny", "part": "found", "ask": "x" * 5000})
    assert answer["problem"] and "at most 4000" in answer["html"]


def test_vectors_of_another_width_are_refused(controller: TabController) -> None:
    """A damaged run gives a sentence, not an error of ours."""
    with pytest.raises(InputError, match="another width"):
        PhotoVectors.of(controller.library.run("tiny")).nearest(np.ones(3, dtype=np.float32), most=1)
