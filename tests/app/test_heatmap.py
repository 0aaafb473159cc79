"""Heat maps: one scale for all, drawn where the model looked, and told in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from analysis.palette import heat_colours
from analysis.views.heat_map.caption import caption_html
from analysis.views.heat_map.described import describe_place, describe_shares, region
from analysis.views.heat_map.entity_map import MapChoice, best_stream, entity_map
from analysis.views.heat_map.overlay import DrawStyle, draw_overlay
from analysis.views.heat_map.rendered import MapControls, head_choices, render_heat_map, stream_choices
from analysis.views.service import TagAnswer
from mmner_core.errors import InputError
from mmner_core.results import AttentionMap, Crop, Prediction
from tests.app.made import WORDS, attention, entity, prediction
from tests.told import refused


def peaked(row: int, column: int, *, null: float = 0.0) -> Prediction:
    """Make a prediction whose names look at one of 7 x 7 cells only."""
    cells = np.full((2, len(WORDS), 7, 7), 1e-9)
    cells[..., row, column] = 1.0
    whole = np.full((2, len(WORDS), 2), 0.5)
    streams = {
        "cnn": AttentionMap(weights=whole, has_null=True, has_whole=False, grid=(0, 0)),
        "vit": attention(cells, null),
    }
    return prediction((entity(0, "PER"), entity(3, "PER", stop=5)), streams=streams)


def photo() -> Image.Image:
    """Make a grey photo at half the size the prediction states."""
    return Image.new("RGB", (200, 150), (128, 128, 128))


def test_entity_map_averages_words_and_heads() -> None:
    """The map of a name is the mean over its words and heads; a single head can be chosen."""
    rng = np.random.default_rng(0)
    stream = attention(rng.random((3, len(WORDS), 4, 5)), null=0.2)
    made = prediction((entity(3, "PER", stop=5),), streams={"vit": stream})
    found = entity_map(made, MapChoice(entity=0, stream="vit"))
    assert found.cells is not None
    np.testing.assert_allclose(found.cells, stream.weights[:, 3:5, 1:].mean(axis=(0, 1)).reshape(4, 5))
    one = entity_map(made, MapChoice(entity=0, stream="vit", head=2))
    assert one.cells is not None
    np.testing.assert_allclose(one.cells, stream.weights[2, 3:5, 1:].mean(axis=0).reshape(4, 5))
    assert found.null_share == pytest.approx(0.2)
    assert found.places_share == pytest.approx(0.8)
    assert found.even == pytest.approx(1 / 21)


def test_scale_is_the_same_for_every_map() -> None:
    """Equal values get an equal colour whatever else the map holds; a quarter of the scale stays dark."""
    crop, size = Crop(0, 0, 70, 70), (70, 70)
    style = DrawStyle(opacity=1.0, smooth=False)
    flat = np.full((7, 7), 0.25)
    peaky = flat.copy()
    peaky[0, 0] = 5.0
    base = Image.new("RGB", size)
    first, second = (np.asarray(draw_overlay(base, levels, crop, size, style)) for levels in (flat, peaky))
    np.testing.assert_array_equal(first[20:, 20:], second[20:, 20:])
    np.testing.assert_array_equal(first[35, 35], heat_colours(np.array(0.25)).round())
    np.testing.assert_array_equal(second[5, 5], heat_colours(np.array(1.0)).round())


def test_border_the_model_never_saw_is_dimmed() -> None:
    """Outside the crop the photo is darker and carries no map; the crop is scaled to the photo as shown."""
    style = DrawStyle(opacity=0.0)
    drawn = np.asarray(draw_overlay(photo(), np.ones((7, 7)), Crop(100, 0, 300, 300), (400, 300), style))
    assert drawn[75, 100].tolist() == [128, 128, 128]
    assert drawn[75, 20].tolist() == drawn[75, 180].tolist() == [45, 45, 45]


def test_map_lies_where_the_model_looked() -> None:
    """A peak in the upper left cell of the crop is drawn there and nowhere else."""
    answer = TagAnswer(prediction=peaked(0, 0), photo=photo())
    drawn = render_heat_map(answer, 0, MapControls(stream="vit", opacity=1.0, cells=True))
    pixels = np.asarray(drawn.image).sum(axis=-1)
    inside = pixels[4:20, 29:44]  # the first cell of a crop that begins at x = 25 and is 150 wide
    assert inside.min() > 600
    assert pixels[60:140, 60:170].max() < 50


def test_text_alternative_names_the_place() -> None:
    """Those who cannot see the map are told where it is brightest and by how much."""
    drawn = render_heat_map(TagAnswer(prediction=peaked(0, 6, null=0.5), photo=photo()), 0, MapControls(stream="vit"))
    assert "“Jordan” is brightest in the upper right" in drawn.alternative
    assert "row 1, column 7 of 7 × 7" in drawn.alternative
    assert "50% of its attention on that one cell, 25.0 times an even spread" in drawn.alternative


def test_shuffled_map_keeps_the_mass_and_repeats() -> None:
    """The baseline has the same values at other places, the same ones on every visit."""
    rng = np.random.default_rng(1)
    made = prediction((entity(0, "PER"),), streams={"vit": attention(rng.random((2, len(WORDS), 7, 7)), 0.3)})
    real, first, second = (
        entity_map(made, MapChoice(entity=0, stream="vit", shuffled=shuffled)).cells for shuffled in (False, True, True)
    )
    assert real is not None
    assert first is not None
    assert second is not None
    np.testing.assert_allclose(np.sort(first.ravel()), np.sort(real.ravel()))
    assert not np.allclose(first, real)
    np.testing.assert_array_equal(first, second)


def test_stream_without_places_says_so() -> None:
    """Where the photo is one vector there is no map; a sentence says it and the photo is shown as it is."""
    drawn = render_heat_map(TagAnswer(prediction=peaked(0, 0), photo=photo()), 0, MapControls(stream="cnn"))
    assert "no map" in drawn.caption
    assert np.asarray(drawn.image)[75, 100].tolist() == [128, 128, 128]


def test_shares_are_told_in_one_sentence() -> None:
    """Attention on places, on the whole-image token and on the "no image" key are stated."""
    weights = np.tile(np.array([0.25, 0.15, 0.3, 0.3]), (1, len(WORDS), 1))
    stream = AttentionMap(weights=weights, has_null=True, has_whole=True, grid=(1, 2))
    found = entity_map(prediction((entity(0, "PER"),), streams={"vit": stream}), MapChoice(entity=0, stream="vit"))
    sentence = describe_shares(found)
    for part in ("60% on places", "15% on the whole-image token", "25% on the “no image” key"):
        assert part in sentence


def test_caption_escapes_the_name() -> None:
    """A name that looks like markup stays text."""
    cells = np.ones((2, len(WORDS), 3, 3))
    cells[..., 1, 1] = 2.0
    made = prediction((entity(2, "PER", stop=5),), streams={"vit": attention(cells)})
    found = entity_map(made, MapChoice(entity=0, stream="vit"))
    assert "<b>" not in caption_html(found)
    assert "“<b>Ada</b>” is brightest in the centre" in describe_place(found)


@pytest.mark.parametrize(
    ("controls", "name", "named"),
    [
        (MapControls(stream="vit"), 9, ["number 10", "2"]),
        (MapControls(stream="resnet"), 0, ["'resnet'", "cnn", "vit"]),
        (MapControls(stream="vit", head="7"), 0, ["head 8", "2"]),
        (MapControls(stream="vit", head="x"), 0, ["Head", "'x'"]),
    ],
)
def test_impossible_choices_get_one_sentence(controls: MapControls, name: int, named: list[str]) -> None:
    """Values from a program that calls the handlers are checked."""
    with refused(*named):
        render_heat_map(TagAnswer(prediction=peaked(0, 0), photo=photo()), name, controls)


def test_controls_offer_what_the_prediction_has() -> None:
    """Streams and heads come from the model; the stream with a map is shown first."""
    made = peaked(0, 0)
    assert best_stream(made) == "vit"
    assert stream_choices(made) == [("CNN stream: whole photo", "cnn"), ("ViT stream: 7 × 7 cells", "vit")]
    assert [value for _, value in head_choices(made)] == ["mean", "0", "1"]
    assert best_stream(prediction()) is None


@pytest.mark.parametrize(
    ("cell", "name"), [((0, 0), "upper left"), ((3, 3), "centre"), ((6, 3), "lower centre"), ((3, 6), "middle right")]
)
def test_regions_are_named(cell: tuple[int, int], name: str) -> None:
    """A cell of a 7 x 7 grid has a name in words."""
    assert region(*cell, 7, 7) == name


@pytest.mark.parametrize(
    ("controls", "entity"),
    [
        ({"stream": None}, 0), ({"stream": []}, 0), ({"stream": "vit", "head": 0}, 0), ({"stream": "vit"}, "0"),
        ({"stream": "vit", "opacity": "0.5"}, 0), ({"stream": "vit", "opacity": float("nan")}, 0),
        ({"stream": "vit", "opacity": -1}, 0), ({"stream": "vit", "opacity": None}, 0), ({"stream": "vit"}, None),
    ],
)  # fmt: skip
def test_controls_of_another_kind_are_refused(controls: dict[str, Any], entity: Any) -> None:
    """Whatever JSON a program sends in their place."""
    with pytest.raises(InputError, match="of a heat map"):
        render_heat_map(TagAnswer(prediction=peaked(0, 0), photo=photo()), entity, MapControls(**controls))
