"""The app as programs and handlers see it: typed handlers, one sentence per problem, nothing read from the server."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from analysis.views.research.library import RunLibrary
from analysis.views.service import TagQuestion, TagService
from analysis.views.tag.examples import demo_examples
from app import TagTab, build_app, launch_options
from mmner_core.serving.config import ServingConfig
from mmner_core.serving.guard import guarded
from tests.told import refused

TEXT = "Barack Obama was in Berlin with Ada Lovelace"


@pytest.fixture(scope="module")
def client(url: str) -> Client:
    """Connect to the app as a program does."""
    return Client(url, verbose=False, analytics_enabled=False)


@pytest.fixture
def photo() -> str:
    """Return the path of a photo."""
    return str(demo_examples()[0].photo)


@pytest.fixture
def tab(service: TagService) -> Iterator[TagTab]:
    """Build the first tab on its own."""
    with gr.Blocks(analytics_enabled=False):
        yield TagTab(service, RunLibrary())


def post(url: str, data: list[Any]) -> str:
    """Call /tag without a client library, as an attacker would; return the server's answer."""
    call = httpx.post(f"{url}gradio_api/call/tag", json={"data": data})
    return httpx.get(f"{url}gradio_api/call/tag/{call.json()['event_id']}", timeout=30).text


def nearly(record: Any) -> Any:
    """Return JSON whose numbers need only be near: without heat maps the model computes them another way."""
    if isinstance(record, dict):
        return {key: nearly(value) for key, value in record.items()}
    if isinstance(record, list):
        return [nearly(value) for value in record]
    return pytest.approx(record, abs=1e-2) if isinstance(record, float) else record


@pytest.mark.parametrize(
    "query", ["page=2", "page=", "wb-tab=errors&p%61ge=x&run=y", "page=1&page=2", "deep_link=x", "page=/etc/passwd"]
)
def test_every_link_opens_the_page(url: str, query: str) -> None:
    """Gradio looks its own pages up by such names and fails; here they are a visitor's, whatever their value."""
    answer = httpx.get(f"{url}?{query}")
    assert answer.status_code == 200 and "2M-NER Workbench" in answer.text
    assert httpx.head(f"{url}?{query}").status_code == 200


def test_public_handlers_are_named_and_typed(client: Client) -> None:
    """Programs see the handlers and parameters that the documentation promises; those of the page are not theirs."""
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert sorted(named) == [
        "/cancel_run",
        "/compare",
        "/heat_map",
        "/models",
        "/run",
        "/run_zip",
        "/runs",
        "/schema",
        "/tag",
        "/tag_batch",
        "/threshold",
        "/words",
    ]
    parameters = [p["parameter_name"] for p in named["/tag"]["parameters"]]
    assert parameters == ["text", "image", "language", "convention", "model"]


@pytest.mark.parametrize("with_photo", [False, True])
def test_tag_returns_the_stable_json(client: Client, service: TagService, photo: str, with_photo: bool) -> None:
    """What a program gets is what the tagger says, with offsets into the text as given."""
    image = handle_file(photo) if with_photo else None
    got = client.predict(text=TEXT, image=image, api_name="/tag")
    question = TagQuestion(text=TEXT, photo=photo if with_photo else None)
    answer = service.answer(question)
    model = {"name": service.checkpoint.name, "digest": service.tagger().digest}
    told = answer.prediction.to_json()
    for entity in told["entities"]:
        entity.pop("with_other_image", None)  # the page compares with a photo of ours; a program names its own
    assert got == nearly({**told, "checkpoint": model})
    assert all(TEXT[e["start"] : e["end"]] == e["text"] for e in got["entities"])


def test_problem_reaches_a_program_as_one_sentence(client: Client) -> None:
    """Bad input is told, without trace or path."""
    with pytest.raises(AppError) as caught:
        client.predict(text="", api_name="/tag")
    message = str(caught.value)
    assert message.endswith(".")
    assert "Traceback" not in message
    with refused("'xx'", by=AppError):
        client.predict(text=TEXT, language="xx", api_name="/tag")


def test_file_that_is_no_image_is_refused_without_its_path(client: Client, tmp_path: Path) -> None:
    """The sentence about a bad photo names no folder of the server."""
    page = tmp_path / "photo.jpg"
    page.write_text("<html>not a photo</html>")
    with pytest.raises(AppError) as caught:
        client.predict(text=TEXT, image=handle_file(str(page)), api_name="/tag")
    assert "image" in str(caught.value)
    assert "/" not in str(caught.value)


@pytest.mark.parametrize("meta", [{}, {"meta": {"_type": "gradio.FileData"}}])
def test_photo_must_be_an_upload(url: str, photo: str, meta: dict[str, Any]) -> None:
    """A path on the server is never read, whether or not the caller declares it to be a file."""
    answer = post(url, [TEXT, {"path": photo, **meta}, "auto", "", ""])
    assert "event: error" in answer
    assert "must be uploaded" in answer
    assert photo not in answer


def test_page_shows_a_problem_in_one_sentence(tab: TagTab) -> None:
    """Bad input leaves the page alive, with a notice where the result would be."""
    updates = tab.show("", None, "auto", "", None, 0.6, False, False)
    assert 'role="alert"' in updates[tab.result]
    assert "Traceback" not in updates[tab.result]


def test_our_own_fault_is_logged_and_excused(
    tab: TagTab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug shows an apology to the visitor and its trace to the log only."""

    def fail(question: TagQuestion) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(tab.service, "answer", fail)
    with caplog.at_level(logging.ERROR):
        updates = tab.show(TEXT, None, "auto", "", None, 0.6, False, False)
    number = re.search(r"went wrong on our side \(error ([0-9a-f]{8})\)", updates[tab.result])
    assert number
    assert number.group(1) in caplog.text
    assert "secret" not in updates[tab.result]
    assert "secret detail" in caplog.text


def test_unusable_checkpoint_is_said_on_the_page(tmp_path: Path) -> None:
    """Without a model the page opens and says what is wrong."""
    service = TagService(tmp_path / "nothing")
    with gr.Blocks(analytics_enabled=False):
        tab = TagTab(service, RunLibrary())
    status, _ = tab.ready()
    assert "wb-broken" in status
    assert "wb-problem" in tab.show(TEXT, None, "auto", "", None, 0.6, False, False)[tab.result]


def test_same_question_is_computed_once(service: TagService, photo: str) -> None:
    """Drawing heat maps asks for the kept answer; only the latest answers are kept."""
    small = TagService(service.checkpoint, kept=1)
    question = TagQuestion(text=TEXT, photo=photo)
    first = small.answer(question)
    assert small.answer(question) is first
    small.answer(TagQuestion(text="another text"))
    assert small.answer(question) is not first


def test_page_asks_nothing_of_other_hosts(service: TagService) -> None:
    """No analytics, no fonts or scripts from elsewhere in what the app configures."""
    app = build_app(service)
    assert app.analytics_enabled is False
    options = launch_options(service.config, guarded(service.config))
    head = options["head"]
    assert "http" not in head.replace("http://www.w3.org", "")
    assert "@import" not in head
    assert "googleapis" not in options["theme"]._get_theme_css()


@pytest.mark.parametrize(
    ("fetch", "sentence"), [(False, "fetches no web addresses"), (True, "leads into a private network")]
)
def test_a_photo_is_fetched_only_where_that_is_switched_on(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, fetch: bool, sentence: str
) -> None:
    """And within limits of ours: gradio, which would fetch an address in place of any file, gets to see none."""
    asked: list[str] = []

    async def get(url: str) -> None:
        asked.append(url)

    monkeypatch.setattr("gradio.processing_utils.async_ssrf_protected_get", get)
    app = build_app(TagService(tiny_checkpoint, ServingConfig(fetch_urls=fetch)))
    tag = next(fn for fn in app.fns.values() if fn.api_name == "tag")
    image = {"path": "http://127.0.0.1:9/photo.jpg", "meta": {"_type": "gradio.FileData"}}
    with pytest.raises(gr.Error, match=sentence):
        asyncio.run(app.process_api(tag, [TEXT, image]))
    assert asked == []
