"""All ways to the model, the inspector and long batches among them: the same limits, the same line, the same room."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from analysis.views.research.loaded_model import LoadedModel
from analysis.views.service import TagQuestion, TagService
from mmner_core.errors import InputError
from mmner_core.inference.tag_job import TagRequest
from mmner_core.results import Prediction
from mmner_core.serving.config import ServingConfig
from mmner_core.serving.engine import Engine
from tests.crowd import Crowd

WORDS = ["Ada's", "dog!", "Berlin"]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Write a photo of 10,000 pixels."""
    file = tmp_path / "photo.png"
    Image.new("RGB", (100, 100), (200, 90, 20)).save(file)
    return file


def test_a_runs_photo_obeys_the_servers_limits(tiny_checkpoint: Path, photo: Path) -> None:
    """A run may name an image as big as it likes; it is refused as a visitor's would be."""
    model = LoadedModel(TagService(tiny_checkpoint, ServingConfig(max_megapixels=0.005)))
    with pytest.raises(InputError, match="pixels"):
        model.answer(WORDS, photo, "en")
    assert [word.text for word in model.answer(WORDS, None, "en").prediction.words] == WORDS


def test_the_inspector_asks_as_a_visitor_does(
    tiny_checkpoint: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Photos take their turn to be decoded, requests are read together with what waits; the words are the run's."""
    turns: list[str] = []
    asked: list[TagRequest] = []

    class Turns:
        def __enter__(self) -> None:
            turns.append("taken")

        def __exit__(self, *_: object) -> None:
            turns.append("given back")

    submit = Engine.submit

    def note(self: Engine, request: TagRequest, **options: Any) -> Future[Prediction]:
        asked.append(request)
        return submit(self, request, **options)

    for module in ("mmner_core.serving.engine", "analysis.views.service"):
        monkeypatch.setattr(f"{module}.DECODING", Turns())
    monkeypatch.setattr(Engine, "submit", note)
    model = LoadedModel(TagService(tiny_checkpoint))
    answer = model.answer(WORDS, photo, "en")
    assert turns == ["taken", "given back"] * 2  # for the model and for the screen
    assert [word.text for word in answer.prediction.words] == WORDS
    assert answer.photo is not None and answer.prediction.image_size == (100, 100)
    assert model.answer(WORDS, photo, "en") is answer
    assert len(asked) == 1


def test_all_ways_to_the_model_share_its_room(tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The inspector does not come through the web framework's queue; still no more are at work than allowed."""
    service = TagService(tiny_checkpoint, ServingConfig(concurrency=1))
    service.tagger()
    model, submit, busy = LoadedModel(service), Engine.submit, Crowd()

    def work(self: Engine, request: TagRequest, **options: Any) -> Future[Prediction]:
        with busy:
            time.sleep(0.1)
        return submit(self, request, **options)

    monkeypatch.setattr(Engine, "submit", work)
    with ThreadPoolExecutor(4) as visitors:
        inspected = [visitors.submit(model.answer, [*WORDS, str(i)], None, "en") for i in range(2)]
        tagged = [visitors.submit(service.answer, TagQuestion(text=f"Lima {i}", language="en")) for i in range(2)]
        assert all(answer.result(30).prediction.tags for answer in [*inspected, *tagged])
    assert (busy.now, busy.most) == (0, 1)


def test_a_long_batch_leaves_room_in_the_line(tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more of its questions wait at once than one pass takes; all are answered, in order."""
    service = TagService(tiny_checkpoint, ServingConfig(batch_size=3))
    service.tagger()
    submit, hold, waiting = Engine.submit, threading.Event(), Crowd()
    tag = Engine._tag

    def enter(self: Engine, request: TagRequest, **options: Any) -> Future[Prediction]:
        if not waiting.most:
            threading.Timer(0.5, hold.set).start()
        waiting.__enter__()
        future = submit(self, request, **options)
        future.add_done_callback(waiting.__exit__)
        return future

    def tag_later(self: Engine, group: Any) -> list[Prediction]:
        hold.wait(10)
        return tag(self, group)

    monkeypatch.setattr(Engine, "submit", enter)
    monkeypatch.setattr(Engine, "_tag", tag_later)
    service.pool.close()  # the engine that is loaded next is held
    texts = [f"Lima {i}" for i in range(20)]
    _, futures = service.predict([TagQuestion(text=text, language="en") for text in texts])
    assert [future.result().text for future in futures] == texts
    assert waiting.most <= 4  # one may be answered a moment before it is counted as gone
