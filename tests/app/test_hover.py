"""The photo beside a point of the map: how the page is wired for it, and what the server answers."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import fields
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from analysis.panels.space_map import points_of
from analysis.views import page
from analysis.views.research.controller import TabController
from analysis.views.research.view import PARAMETERS, View
from analysis.views.service import TagService

pytestmark = pytest.mark.slow  # compiles UMAP

VIEWS = Path(page.__file__).parent


@pytest.fixture(scope="module")
def controller(runs: Path) -> TabController:
    """Return a controller over a run of the tiny model and others without a map; the model itself is not needed."""
    return TabController(TagService(runs / "none" / "checkpoint"), [runs])


def hover(controller: TabController, point: int | str, **state: str) -> str:
    """Return what the page gets for the point that the pointer rests on."""
    return controller.part("embedding", {"run": "tiny", "part": "hover", "point": str(point), **state})["html"]


class Elements(HTMLParser):
    """Collects the attributes of elements, and the classes that they lie in."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str | None]] = {}
        self.within: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        known = dict(attrs)
        name = (known.get("class") or tag).split()[0]
        self.found[name] = known
        self.within[name] = list(self._open)
        if tag == "div":
            self._open.append(name)

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        if tag == "div":
            self._open.pop()


def test_the_map_has_a_place_for_a_photo_and_holds_none(controller: TabController) -> None:
    """Points name themselves by number; the photo's place is hidden, laid over the figure, and not read aloud."""
    answer = controller.part("embedding", {"run": "tiny", "part": "map"})
    elements = Elements(answer["html"])
    assert elements.within["wb-hover"][-1] == elements.within["wb-figure"][-1] == "wb-map-box"
    place = elements.found["wb-hover"]
    assert "hidden" in place and place["aria-hidden"] == "true"
    assert "data:image" not in json.dumps(answer)
    figure = json.loads(answer["figure"])
    held = [trace["customdata"] for trace in figure["data"] if "customdata" in trace]
    numbers = [np.frombuffer(base64.b64decode(numbers["bdata"]), numbers["dtype"]) for numbers in held]
    assert sorted(np.concatenate(numbers)) == list(range(len(points_of(controller.library.run("tiny")))))


def test_a_point_has_the_photo_of_its_sentence(controller: TabController, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text and photo of a sentence show the same one, in both projections; a photo that may not be shown is none."""
    run = controller.library.run("tiny")
    points = points_of(run)
    with_image = points[points["modality"] == "image"]
    photos = run.answers().sentences.set_index("sentence_id")["image_path"]
    for sentence, point in zip(with_image["sentence_id"], with_image["point"], strict=True):
        shown = hover(controller, point)
        assert re.fullmatch(r'<img class="wb-photo" alt="" src="data:image/webp;base64,[\w+/=]+">', shown)
        text = points[(points["sentence_id"] == sentence) & (points["modality"] == "text")]["point"].iloc[0]
        assert hover(controller, text, projection="pca", colour="source") == shown
        assert shown == controller.images.image_html(run, photos[sentence], side=240)
    monkeypatch.setattr(controller.images, "find", lambda *_: None)
    assert hover(controller, 0) == ""


def test_what_is_no_point_has_no_photo(controller: TabController) -> None:
    """Numbers beyond the map show nothing; what is no number, and a run without a map, are told."""
    assert hover(controller, 10_000) == hover(controller, "") == ""
    for state in ({"point": "x"}, {"point": "1", "run": "hand"}, {"point": "1", "map": "nope"}):
        answer = controller.part("embedding", {"run": "tiny", "part": "hover", **state})
        assert answer["problem"] and "our side" not in answer["html"]


def test_photos_of_points_push_nothing_out(controller: TabController) -> None:
    """What is kept of the tabs stays as it is while the pointer wanders over the map."""
    controller.part("embedding", {"run": "tiny", "part": "map"})
    kept = dict(controller._rendered)
    for point in range(8):
        hover(controller, point)
    assert dict(controller._rendered) == kept


def test_the_scripts_are_there() -> None:
    """The page's head has the script, the map calls it, and the answer that it asks for is no markup of a problem."""
    assert page.asset("research/hover.js") in page.head_html()
    called = page.asset("research/research.js")
    assert "window.workbenchHover(box, " in called and 'part: "hover"' in called and "answer.problem" in called
    assert 'querySelector(".wb-hover")' in page.asset("research/hover.js")


def test_the_address_holds_every_field_but_the_pointer() -> None:
    """What is asked for is restored by a link; where the pointer rests is not."""
    script = (VIEWS / "address.js").read_text(encoding="utf-8")
    names = set(re.findall(r'"([a-z_]+)"', script[script.index("names = [") : script.index("];")]))
    assert names == {PARAMETERS.get(field.name, field.name) for field in fields(View)} - {"point"} | {"example", "tab"}
