"""Gradient-weighted attention and occlusion on demand: the model's own numbers, in turn, charged and kept."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import httpx
import numpy as np
import pytest
import torch
from PIL import Image

from analysis.views.heat_map.computed import RASTER, compute_map
from analysis.views.heat_map.kinds import ATTENTION, GRADIENT, KINDS, OCCLUSION
from analysis.views.heat_map.side_by_side import SIDE_BY_SIDE
from analysis.views.rendering import render
from analysis.views.research import marginals
from analysis.views.research.library import RunLibrary
from analysis.views.research.loaded_model import LoadedModel
from analysis.views.research.view import View
from analysis.views.service import TagQuestion, TagService
from app import TagTab, build_app, launch_options
from mmner_core.checkpoints.folder import save_checkpoint
from mmner_core.errors import InputError
from mmner_core.inference.tag_job import TagRequest
from mmner_core.inference.tagger import Tagger
from mmner_core.photos.colour import GREY
from mmner_core.results import TaggedEntity
from mmner_core.serving.config import ServingConfig
from mmner_core.serving.engine import Engine
from mmner_core.serving.guard import guarded
from mmner_core.text.encoding import Pixels, SubwordEncoder, collate
from tests.analysis.tiny_model import drawn_photo, tiny_explainer
from tests.app.attacking import FILE, call, sentence, upload
from tests.app.serving import launched
from tests.helpers import span_probabilities
from tests.told import refused

pytestmark = pytest.mark.slow  # serves an app of its own

TEXT = "Jordan runs\n\nAda Lovelace in Paris"  # two parts, which are decoded apart
SECOND = 2  # the first word of the second
ROWS = [{"layout": "two", "method": "occlusion", "type": "all", "hit": 0.75, "chance": 0.5}]


@pytest.fixture(scope="module")
def grounded(subwords: SubwordEncoder, tokenizer_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a small grounded model that takes every word for a name, and says how well its maps point."""
    model = tiny_explainer(subwords, grounded=True, word_residual=True).model
    with torch.no_grad():
        model.classifier.bias[0] -= 5
    folder = tmp_path_factory.mktemp("grounded") / "tiny"
    return save_checkpoint(folder, model, tokenizer_folder, metrics={"pointing": ROWS}, provenance={}, card="# tiny\n")


@pytest.fixture(scope="module")
def photo() -> bytes:
    """Draw a photo of the size that the model reads."""
    buffer = io.BytesIO()
    drawn_photo().save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def question(photo: bytes, tmp_path: Path) -> TagQuestion:
    """Ask about a text and a photo."""
    (tmp_path / "photo.png").write_bytes(photo)
    return TagQuestion(text=TEXT, photo=str(tmp_path / "photo.png"), language="en")


@pytest.fixture(scope="module")
def engine(grounded: Path) -> Iterator[Engine]:
    """Return the model at work, in full precision."""
    tagger = Tagger.load(grounded)
    tagger.model.float()
    engine = Engine(tagger, batch_size=4)
    yield engine
    engine.close()


def probability(tagger: Tagger, pixels: torch.Tensor, name: TaggedEntity) -> float:
    """Return that of a name in the text's second part beside a photo, by one plain pass of the whole model."""
    window = tagger.prepare(TagRequest(text=TEXT, lang="en")).windows[1]  # the parts are read apart
    batch = collate([window], pad=tagger.subwords.pad, image_index=[0], pixels=Pixels(cnn=pixels))
    span = (name.word_start - SECOND, name.word_end - SECOND)
    with torch.no_grad():
        by_type = span_probabilities(tagger.model.crf, tagger.model(batch).emissions[0], [span])[0]
    return float(by_type[tagger.labels.types.index(name.type)])


def test_occlusion_is_what_covering_each_part_does(engine: Engine, photo: bytes) -> None:
    """A loop over 7 x 7 patches of the photo, whatever the model's cells, and one pass of the whole model for each."""
    tagger = engine.tagger
    pixels = tagger.photos.decode(photo).pixels
    assert pixels is not None and pixels.cnn is not None and tagger.model.config.cnn is not None
    config = tagger.model.config.cnn
    job = tagger.prepare(TagRequest(text=TEXT, lang="en"))
    prediction = tagger.tag(TEXT, photo, "en")
    name = next(entity for entity in prediction.entities if entity.word_start >= SECOND)
    found = compute_map(engine, job, pixels, name, OCCLUSION)
    grey = (torch.tensor(GREY) / 255 - torch.tensor(config.mean)) / torch.tensor(config.std)
    edges = [-(-i * config.size // 7) for i in range(8)]
    whole = probability(tagger, pixels.cnn, name)
    expected = np.empty(RASTER)
    for i in range(7):
        for j in range(7):
            covered = pixels.cnn.clone()
            covered[:, :, edges[i] : edges[i + 1], edges[j] : edges[j + 1]] = grey[:, None, None]
            expected[i, j] = whole - probability(tagger, covered, name)
    assert found.shape == RASTER == (7, 7)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(expected).max() > 1e-3
    assert whole == pytest.approx(name.confidence, abs=1e-4)


def test_the_model_does_it_in_turns(engine: Engine, photo: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than sixteen covered photos at once, so that others are answered in between; the text is read once."""
    tagger = engine.tagger
    pixels = tagger.photos.decode(photo).pixels
    assert pixels is not None
    job, name = tagger.prepare(TagRequest(text=TEXT, lang="en")), tagger.tag(TEXT, photo, "en").entities[0]
    turns: list[int] = []
    photos: list[int] = []
    texts: list[int] = []
    run, see, read = Engine.run, type(tagger.model).encode_pixels, type(tagger.model).encode_text

    def note_turn(self: Engine, work: Any) -> Future[Any]:
        turns.append(1)
        return run(self, work)

    def note_photos(self: Any, pixels: Pixels) -> Any:
        assert pixels.cnn is not None
        photos.append(len(pixels.cnn))
        return see(self, pixels)

    def note_text(self: Any, batch: Any) -> Any:
        texts.append(1)
        return read(self, batch)

    monkeypatch.setattr(Engine, "run", note_turn)
    monkeypatch.setattr(type(tagger.model), "encode_pixels", note_photos)
    monkeypatch.setattr(type(tagger.model), "encode_text", note_text)
    compute_map(engine, job, pixels, name, OCCLUSION)
    assert photos == [1, 16, 16, 16, 2] and len(turns) == 5 and len(texts) == 1
    compute_map(engine, job, pixels, name, GRADIENT)
    assert len(turns) == 7 and len(texts) == 2


def test_a_map_is_charged_once_and_kept(grounded: Path, question: TagQuestion, monkeypatch: pytest.MonkeyPatch) -> None:
    """The photo is decoded again and the model asked once for each name and kind; attention costs nothing."""
    service = TagService(grounded)
    spent: list[float] = []
    monkeypatch.setattr(service._megapixels, "spend", spent.append)
    answer = service.answer(question)
    before = len(spent)
    assert service.computed_map(question, answer, 0, ATTENTION) is None
    first = service.computed_map(question, answer, 0, OCCLUSION)
    assert first is not None and first.shape == RASTER
    assert len(spent) == before + 1
    assert service.computed_map(question, service.answer(question), 0, OCCLUSION) is first
    heat = service.computed_map(question, answer, 1, GRADIENT)
    assert heat is not None and heat.shape == answer.prediction.attention["cnn"].grid and heat.min() >= 0
    assert len(spent) == before + 2


def test_what_has_no_map_is_told(grounded: Path, tiny_checkpoint: Path, question: TagQuestion) -> None:
    """No photo, no such name, no such kind."""
    service = TagService(grounded)
    alone = TagQuestion(text=TEXT, language="en")
    with pytest.raises(InputError, match="without a photo"):
        service.computed_map(alone, service.answer(alone), 0, OCCLUSION)
    answer = service.answer(question)
    with refused("100"):
        service.computed_map(question, answer, 99, OCCLUSION)
    with pytest.raises(InputError, match="choose one of"):
        service.computed_map(question, answer, 0, "saliency")


def inspected(kind: str, grounded: Path, question: TagQuestion, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what the inspector shows of a sentence where the address names a kind of map."""
    model, words, photo = LoadedModel(TagService(grounded)), ["Ada", "runs"], Path(str(question.photo))
    monkeypatch.setattr(marginals, "chance_badge", lambda run, kind: f"{kind} of {run}")
    request: Any = SimpleNamespace(view=View.read({"kind": kind}), run="one")
    found = marginals._map(
        model.answer(words, photo, "en"), request, partial(model.render_heat_map, words, photo, "en")
    )
    return render("research/marginals", notes=[], tags=[], rows=[], map=found)


def test_the_inspector_offers_the_kinds(grounded: Path, question: TagQuestion, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the words of the first tab, and draws the one that the address names."""
    html = inspected(OCCLUSION, grounded, question, monkeypatch)
    assert '<option value="occlusion" selected>Occlusion (points right in 75% of two-photo mosaics' in html
    assert "Occlusion maps, in this run: occlusion of one" in html
    assert "needs of the photo" in html


def test_the_inspector_shows_the_kinds_side_by_side(
    grounded: Path, question: TagQuestion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the verdict of the run on each."""
    html = inspected(SIDE_BY_SIDE, grounded, question, monkeypatch)
    assert f'<option value="{SIDE_BY_SIDE}" selected' in html and html.count("<figure") == 3
    assert all(f"in this run: {kind} of one" in html and f"<h5>{KINDS[kind].name}</h5>" in html for kind in KINDS)


@pytest.fixture
def client(grounded: Path) -> Iterator[httpx.Client]:
    """Serve the app with the grounded model."""
    config = ServingConfig(visitor_rate=0)
    app = build_app(TagService(grounded, config))
    with launched(app, launch_options(config, guarded(config)), timeout=120) as opened:
        yield opened


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # gradio's, from counting its requests
def test_a_program_chooses_the_kind(client: httpx.Client, photo: bytes) -> None:
    """Each is another image and another sentence; a kind that there is not is told."""
    (path,) = upload(client, "photo.png", photo).json()
    defaults = [0, "", "mean", 0.5, False, False, "en", "", ""]
    told, images = [], []
    for kind in ([], [ATTENTION], [GRADIENT], [OCCLUSION]):
        fine, answer = call(client, "heat_map", [TEXT, {"path": path, **FILE}, *defaults, *kind])
        assert fine, answer
        image, place = json.loads(answer)
        told.append(place)
        images.append(client.get(f"gradio_api/file={image['path']}").content)
    assert told[0] == told[1] and images[0] == images[1]
    assert len(set(told)) == len(set(images)) == 3
    assert Image.open(io.BytesIO(images[3])).size == (64, 64)
    fine, answer = call(client, "heat_map", [TEXT, {"path": path, **FILE}, *defaults, "saliency"])
    assert not fine and "choose one of attention, gradient, occlusion" in sentence(answer)


def test_the_page_offers_the_kinds(grounded: Path, question: TagQuestion) -> None:
    """With the scores of the model that answered."""
    service = TagService(grounded)
    with gr.Blocks(analytics_enabled=False):
        tab = TagTab(service, RunLibrary())
    stream, style = "mean", (0.5, False, False)
    answer = service.answer(question)
    assert answer.source is not None and answer.source.measured.pointing["occlusion"].hit == 0.75
    _, attention = tab.draw(0, question, stream, "mean", *style)
    _, occlusion = tab.draw(0, question, stream, "mean", *style, OCCLUSION)
    assert "Where the model looked for" in attention and "needs of the photo" in occlusion
    assert (OCCLUSION, 0) in answer.maps
    _, problem = tab.draw(0, question, stream, "mean", *style, "saliency")
    assert 'role="alert"' in problem
