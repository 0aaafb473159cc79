"""While a visitor has much read, whoever asks a short question is answered in between, not after all of it."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from analysis.views.service import TagService
from app import build_app, launch_options
from mmner_core.inference.tag_job import TagRequest
from mmner_core.results import Prediction
from mmner_core.serving.engine import Engine
from mmner_core.serving.guard import guarded
from tests.app.serving import launched

pytestmark = pytest.mark.slow  # serves an app of its own

SHORT = "Ada Lovelace in Berlin"
SENTENCES = [f"Ada met Bob{i} in the harbour of Köln." for i in range(64 * 6)]
MUCH = {
    "tag": [" ".join(SENTENCES), None, "en", ""],
    "tag_batch": [[{"text": " ".join(SENTENCES[6 * i : 6 * i + 6]), "language": "en"} for i in range(64)]],
}


@pytest.mark.parametrize("name", MUCH)
def test_a_short_question_does_not_wait_for_the_whole(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Of another's long text or many items only what is read already goes before it; those are answered as well."""
    service = TagService(tiny_checkpoint)
    model = service.tagger().model
    encode, submit = model.encode_text, Engine.submit
    reading, arrived, hold = threading.Event(), threading.Event(), threading.Event()
    happened: list[str] = []

    def encode_and_note(batch: Any) -> Any:
        happened.append("read")
        reading.set()
        hold.wait(60)
        return encode(batch)

    def submit_and_note(self: Engine, request: TagRequest, **options: Any) -> Future[Prediction]:
        future = submit(self, request, **options)
        if request.text == SHORT:
            future.add_done_callback(lambda _: happened.append("answered"))
            arrived.set()
        return future

    monkeypatch.setattr(model, "encode_text", encode_and_note)
    monkeypatch.setattr(Engine, "submit", submit_and_note)
    config = service.config
    with launched(build_app(service), launch_options(config, guarded(config))) as client:

        def join(visitor: str, name: str, data: list[Any]) -> tuple[str, dict[str, str]]:
            headers = {"X-Forwarded-For": visitor}
            joined = client.post(f"/gradio_api/call/{name}", json={"data": data}, headers=headers).raise_for_status()
            return f"/gradio_api/call/{name}/{joined.json()['event_id']}", headers

        much = join("192.0.2.1", name, MUCH[name])
        assert reading.wait(60)
        short = join("192.0.2.2", "tag", [SHORT, None, "en", ""])
        assert arrived.wait(60)
        hold.set()
        for path, headers in (short, much):
            assert "event: complete" in client.get(path, headers=headers).text
    assert happened[:3] == ["read", "read", "answered"]
    assert len(happened) > 8
