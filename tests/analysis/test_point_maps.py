"""Maps know where their cells lie, streams are averaged where they lie alike, and the reader of cells is asked."""

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
import torch
from PIL import Image

from analysis.heat_maps.attribution import occlusion_map
from analysis.heat_maps.explainer import ModelExplainer
from analysis.heat_maps.places import Heat
from analysis.heat_maps.pointing_maps import HeatMapper, heat_maps, mean_map
from mmner_core.encoders.image import ImageStates
from mmner_core.errors import InputError
from mmner_core.labels import Entity
from mmner_core.photos.mosaics import Box
from mmner_core.text.encoding import SubwordEncoder
from tests.analysis.tiny_model import drawn_photo, tiny_explainer

WORDS, ENTITY = ("Jordan", "runs"), Entity(0, 1, "LOC")
WHOLE = Box(0, 0, 1, 1)


@pytest.fixture(scope="module")
def explainer(subwords: SubwordEncoder) -> ModelExplainer:
    """Both streams look at the cells of one small CNN."""
    return tiny_explainer(subwords)


def test_methods_of_a_model_without_a_reader(explainer: ModelExplainer) -> None:
    """Attention is the mean of the streams, which stand beside it; the random twin differs; occlusion only if asked."""
    maps = heat_maps(HeatMapper(explainer), HeatMapper(explainer.random_twin()))(drawn_photo())(WORDS, ENTITY)
    assert list(maps) == ["attention", "attention/vit", "attention/cnn", "gradient", "random"]
    assert {heat.cells.shape for heat in maps.values()} == {(2, 2)} and {heat.seen for heat in maps.values()} == {WHOLE}
    mean = (maps["attention/vit"].cells + maps["attention/cnn"].cells) / 2
    np.testing.assert_allclose(maps["attention"].cells, mean)
    np.testing.assert_allclose(
        mean, np.mean(list(explainer.attention(explainer.scene(WORDS, drawn_photo()), ENTITY).values()), 0)
    )
    assert not np.allclose(maps["random"].cells, mean)
    mapper = HeatMapper(explainer, occlusion=True)
    occlusion = heat_maps(mapper)(drawn_photo())(WORDS, ENTITY)["occlusion"].cells
    score = explainer.cell_score(explainer.scene(WORDS, drawn_photo()), ENTITY)
    np.testing.assert_allclose(occlusion, occlusion_map(score, (2, 2)), rtol=1e-3, atol=1e-6)


def test_the_map_of_cells_is_the_probability_of_the_type(explainer: ModelExplainer) -> None:
    """Of a reader's [U, P, T + 1] the names's type is picked and laid out in rows."""
    read = torch.arange(4 * 5).view(1, 4, 5) / 20

    def cell_types(image: ImageStates) -> torch.Tensor:
        assert image.cnn is not None
        return read

    with patch.object(explainer.model, "cell_types", cell_types):
        maps = heat_maps(HeatMapper(explainer))(drawn_photo())(WORDS, ENTITY)
    place = explainer.model.labels.types.index("LOC")
    np.testing.assert_allclose(maps["cells"].cells, read[0, :, place].view(2, 2))


def test_maps_lie_on_what_the_model_sees(explainer: ModelExplainer) -> None:
    """Of a photo twice as wide as high, the middle half is seen; also by a model that would cut at random."""
    assert explainer.model.config.cnn is not None
    cnn = replace(explainer.model.config.cnn, random_crop_at_test=True)
    with patch.object(explainer.model, "config", replace(explainer.model.config, cnn=cnn)):
        sights = [explainer.look(drawn_photo(size=(128, 64))) for _ in range(2)]
    assert sights[0].seen["cnn"] == Box(0.25, 0, 0.75, 1)
    assert sights[0].pixels.cnn is not None and sights[1].pixels.cnn is not None
    assert sights[0].pixels.cnn.equal(sights[1].pixels.cnn)


def test_streams_that_lie_otherwise_are_not_averaged() -> None:
    """Only maps with the cells of the first, on the same part of the photo, are."""
    one, other = np.zeros((2, 2)), np.ones((2, 2))
    assert mean_map({"vit": Heat(one, WHOLE), "cnn": Heat(other, WHOLE)}).cells.mean() == 0.5
    assert mean_map({"vit": Heat(one, WHOLE), "cnn": Heat(other, Box(0, 0, 0.5, 1))}).cells.mean() == 0
    assert mean_map({"vit": Heat(one, WHOLE), "cnn": Heat(np.ones((3, 3)), WHOLE)}).cells.shape == (2, 2)


def test_hidden_cells_are_those_of_the_donor(explainer: ModelExplainer) -> None:
    """With all cells hidden the answer is that to the donor's photo; with none, that to the photo."""
    scene, other = (explainer.scene(WORDS, drawn_photo(seed)) for seed in (0, 1))
    score = explainer.cell_score(scene, ENTITY, other.pixels)
    shown, hidden = score(np.array([np.ones((2, 2)), np.zeros((2, 2))], dtype=bool))
    assert shown == pytest.approx(explainer.probability(scene, [ENTITY])[0], rel=1e-4)
    assert hidden == pytest.approx(explainer.probability(other, [ENTITY])[0], rel=1e-4)


def test_a_model_without_cells_has_no_maps(subwords: SubwordEncoder) -> None:
    """Text alone, or the pooled photo as the only key: one sentence says so."""
    for fusion in ({"streams": ()}, {"streams": ("cnn",), "cnn_keys": "pooled"}):
        with pytest.raises(InputError, match="has no heat map"):
            HeatMapper(tiny_explainer(subwords, **fusion))


def test_a_photo_that_is_none_is_none(explainer: ModelExplainer, tmp_path: object) -> None:
    """What cannot be decoded is no error here: whoever asks counts it."""
    path = tmp_path / "broken.jpg"  # type: ignore[operator]
    path.write_bytes(b"\xff\xd8\xff garbage")
    assert explainer.open(path) is None and explainer.open(None) is None
    Image.new("RGB", (8, 8)).save(path)
    assert explainer.open(path).size == (8, 8)
