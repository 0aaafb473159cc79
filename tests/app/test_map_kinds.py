"""The kinds of heat map: what they are called, how well they point, and what is drawn and said of each."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from analysis.views.heat_map.described import describe_place
from analysis.views.heat_map.entity_map import MEAN, MapChoice, best_stream, entity_map
from analysis.views.heat_map.kinds import ATTENTION, GRADIENT, KINDS, OCCLUSION, kind_choices
from analysis.views.heat_map.rendered import MapControls, RenderedHeatMap, render_heat_map, stream_choices
from analysis.views.heat_map.side_by_side import side_by_side_html
from analysis.views.measured import Measured, Pointing
from analysis.views.questions import TagAnswer
from mmner_core.errors import InputError
from mmner_core.results import AttentionMap, Prediction
from mmner_core.serving.config import SHIPPED
from tests.app.made import WORDS, attention, entity, prediction
from tests.told import refused

ROW = {"layout": "two", "method": "attention", "type": "all", "hit": 0.912, "chance": 0.5, "swap": None, "n": 99}


def two_streams() -> Prediction:
    """Make a prediction of a name that looks at the same cells in two streams, and in a third at the whole photo."""
    rng = np.random.default_rng(0)
    streams = {
        "whole": AttentionMap(weights=np.full((2, len(WORDS), 1), 1.0), has_null=True, has_whole=False, grid=(0, 0)),
        "vit": attention(rng.random((2, len(WORDS), 3, 3)), 0.2),
        "cnn": attention(rng.random((2, len(WORDS), 3, 3)), 0.6),
    }
    return prediction((entity(0, "PER"),), streams=streams)


def drawn(kind: str, computed: np.ndarray) -> tuple[str, np.ndarray]:
    """Return what is said of a computed map, and the pixels of the unsmoothed map alone."""
    answer = TagAnswer(prediction=two_streams(), photo=Image.new("RGB", (400, 300)))
    found = render_heat_map(answer, 0, MapControls(opacity=1.0, cells=True, kind=kind), computed)
    assert found.alternative in found.caption
    return found.caption, np.asarray(found.image)


def test_the_measured_score_stands_beside_the_name() -> None:
    """Of the images made of two photos, over all types; a kind that was not measured has its name alone."""
    rows = [ROW | {"layout": "four", "hit": 0.1}, ROW | {"type": "PER", "hit": 0.2}, ROW]
    rows.append(ROW | {"method": "occlusion", "hit": 0.6})
    measured = Measured.read({"pointing": rows, "match": {"low": 0.21}})
    assert kind_choices(measured.pointing) == [
        ("Attention (points right in 91% of two-photo mosaics, chance 50%)", ATTENTION),
        ("Gradient-weighted attention", GRADIENT),
        ("Occlusion (points right in 60% of two-photo mosaics, chance 50%)", OCCLUSION),
    ]
    assert measured.low_match == 0.21
    assert Measured.read({"pointing": {"mosaics": rows, "boxes": []}}).pointing == measured.pointing


def test_what_mosaics_did_not_measure_boxes_may_have() -> None:
    """Each score says what it is of."""
    box = {"method": "occlusion", "type": "all", "hit": 0.59, "chance": 0.22}
    boxes = [box, box | {"type": "PER", "hit": 0.1}, box | {"method": "attention", "hit": 0.74}]
    pointing = Measured.read({"pointing": {"mosaics": [ROW], "boxes": boxes}}).pointing
    assert pointing["occlusion"].phrase == "points right in 59% of photos with boxes, chance 22%"
    assert pointing["attention"].phrase == "points right in 91% of two-photo mosaics, chance 50%"


def test_all_kinds_stand_side_by_side() -> None:
    """Each under its name and score; what a kind cannot give stands in its place, and markup of it stays text."""

    def draw(kind: str) -> RenderedHeatMap:
        if kind == GRADIENT:
            raise InputError("no <b>places</b>")
        return RenderedHeatMap(image=Image.new("RGB", (8, 8)), alternative=f"“<i>” by {kind}", caption="")

    html = side_by_side_html(draw, {ATTENTION: Pointing(hit=0.91, chance=0.5, of="two-photo mosaics")})
    places = [html.index(kind.name) for kind in KINDS.values()]
    assert places == sorted(places) and html.count("<img ") == 2
    assert "points right in 91% of two-photo mosaics, chance 50%" in html and html.count("not measured") == 2
    assert "no &lt;b&gt;places" in html and "<i>" not in html


def test_the_shipped_model_says_how_well_its_maps_point() -> None:
    """In the form of its files: every kind, better than chance; and when a pair does not match."""
    measured = Measured.read(json.loads((SHIPPED / "metrics.json").read_text(encoding="utf-8")))
    assert KINDS.keys() <= measured.pointing.keys() and measured.low_match is not None
    assert all(measured.pointing[kind].hit > measured.pointing[kind].chance for kind in KINDS)


@pytest.mark.parametrize(
    "metrics",
    [
        {}, {"pointing": {}, "match": []}, {"pointing": ["x", None, {}], "match": {}}, {"match": {"low": "0.2"}},
        {"pointing": [ROW | {"hit": None}, ROW | {"hit": 7}, ROW | {"chance": True}], "match": {"low": float("nan")}},
    ],
)  # fmt: skip
def test_what_is_not_of_that_form_is_not_there(metrics: dict[str, Any]) -> None:
    """A checkpoint's files may say anything, or nothing."""
    assert Measured.read(metrics) == Measured()


def test_the_mean_over_streams_comes_first() -> None:
    """Over those with the same cells, and their heads; a stream or a head can still be chosen."""
    made = two_streams()
    assert best_stream(made) == MEAN
    assert [value for _, value in stream_choices(made)] == [MEAN, "whole", "vit", "cnn"]
    vit, cnn = (made.attention[stream].cells()[:, 0] for stream in ("vit", "cnn"))
    for head in (None, 1):
        found = entity_map(made, MapChoice(entity=0, stream=MEAN, head=head))
        assert found.cells is not None
        expected = np.stack([vit, cnn]).mean((0, 1)) if head is None else (vit[1] + cnn[1]) / 2
        np.testing.assert_allclose(found.cells, expected)
        assert found.null_share == pytest.approx(0.4)
        assert found.places_share == pytest.approx(0.6)
    one = entity_map(made, MapChoice(entity=0, stream="cnn"))
    assert one.cells is not None
    np.testing.assert_allclose(one.cells, cnn.mean(0))


@pytest.mark.parametrize("kind", [GRADIENT, OCCLUSION])
def test_computed_maps_have_scales_of_their_own(kind: str) -> None:
    """The end of a scale is an absolute value, so a map of small values stays dark; falls below 0 count as none."""
    top = KINDS[kind].top
    full, below = np.full((7, 7), 0.01 * top), np.full((7, 7), -top)
    full[2, 5] = 3 * top
    words, bright = drawn(kind, full)
    assert "row 3, column 6 of 7 × 7" in words and KINDS[kind].stops[-1] in words
    assert "Attention of this name: 60% on places in the photo, 40% on the “no image” key" in words
    left, width = 50, 300  # of the crop, at the size of the photo
    assert bright[2 * 300 // 7 + 20, left + 5 * width // 7 + 20].sum() > 600
    assert bright[10:60, left + 10 : left + 60].sum(-1).max() < 60
    words, dark = drawn(kind, below)
    assert ("hardly rests" in words) is (kind == GRADIENT) and ("no single part" in words) is (kind == OCCLUSION)
    np.testing.assert_array_equal(dark[100, 200], drawn(kind, np.zeros((7, 7)))[1][100, 200])


def test_what_occlusion_says() -> None:
    """Which part, and by how much the probability falls without it; shuffled it says so."""
    heat = np.zeros((7, 7))
    heat[0, 0] = 0.31
    found = entity_map(two_streams(), MapChoice(entity=0, stream=MEAN), kind=OCCLUSION, computed=heat)
    assert describe_place(found) == (
        "Covering the upper left of what the model saw (row 1, column 1 of 7 × 7) lowers the probability of “Jordan” "
        "being PER most, by 0.31."
    )
    shuffled = MapChoice(entity=0, stream=MEAN, shuffled=True)
    found = entity_map(two_streams(), shuffled, kind=OCCLUSION, computed=heat)
    assert found.cells is not None and found.cells.sum() == pytest.approx(0.31)
    assert describe_place(found).startswith("Shuffled map of “Jordan”: ")


@pytest.mark.parametrize("kind", ["saliency", None, 3, ["attention"]])
def test_a_kind_that_there_is_not(kind: Any) -> None:
    """Whatever a program sends in its place."""
    with refused("attention", "gradient", "occlusion"):
        MapControls(kind=kind)
