"""What a program meets: batches, models by name, a schema that answers keep, and the example in the README."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gradio_client import Client, handle_file
from pydantic import ConfigDict, TypeAdapter, with_config

from analysis.views.api import Api, upload_path
from analysis.views.service import TagQuestion, TagService
from analysis.views.tag.examples import demo_examples
from mmner_core.errors import InputError
from mmner_core.serving.config import ServingConfig
from mmner_core.serving.reply import TagReply, reply_schema
from tests.told import names, refused

REPOSITORY = Path(__file__).resolve().parents[2]
TEXT = "Barack Obama was in Berlin with Ada Lovelace"


@with_config(ConfigDict(extra="forbid", strict=True))
class StrictReply(TagReply):
    """An answer with the documented fields and no others."""


@pytest.fixture(scope="module")
def photo() -> str:
    """Return the path of a photo."""
    return str(next(example.photo for example in demo_examples() if example.photo))


@pytest.fixture
def api(service: TagService) -> Api:
    """Return what answers programs, where a path stands for an upload."""
    return Api(service, lambda image: image)


@pytest.fixture(scope="module")
def two_models(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> TagService:
    """Return a service with two models, of which one at a time may be in memory."""
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(tiny_checkpoint, folder / "other")
    (folder / "broken").mkdir()
    (folder / "broken" / "config.json").write_text("{}")
    return TagService(tiny_checkpoint, ServingConfig(checkpoints=folder, max_loaded=1))


def test_a_batch_is_answered_item_by_item(api: Api, photo: str) -> None:
    """In order, each as if asked alone; an item at fault gets its own sentence and the others their answers."""
    items: list[Any] = [
        {"text": TEXT},
        {"text": ""},
        {"text": TEXT, "image": photo, "language": "en"},
        {"text": TEXT, "photo": photo},
        "x",
        {"text": 5},
        {"text": "Lima", "language": "xx"},
    ]
    replies = api.tag_batch(items, "")
    told = [["empty"], ["photo"], ["object"], ["text", "string"], ["'xx'"]]
    assert [i for i, reply in enumerate(replies) if "error" not in reply] == [0, 2]
    assert all(names(replies[i]["error"], *values) for i, values in zip((1, 3, 4, 5, 6), told, strict=True))
    alone = api.tag(TEXT, None, "auto", "", "")
    assert replies[0]["text"] == TEXT
    assert replies[0]["checkpoint"] == alone["checkpoint"]
    assert [entity["start"] for entity in replies[0]["entities"]] == [entity["start"] for entity in alone["entities"]]
    assert "without_image" in replies[2]["entities"][0]


@pytest.mark.parametrize(("items", "sentence"), [("x", "items must be a list"), ([{"text": "a"}] * 65, "at most 64")])
def test_a_batch_that_is_none_is_told(api: Api, items: Any, sentence: str) -> None:
    """No list, or too long a one."""
    with pytest.raises(InputError, match=sentence):
        api.tag_batch(items, "")


def test_answers_keep_the_schema(api: Api, photo: str) -> None:
    """With a photo and without, no field missing and none that the schema does not have."""
    strict = TypeAdapter(StrictReply)
    for image in (None, photo):
        reply = api.tag(TEXT, image, "auto", "", "")
        assert strict.validate_python(reply) == reply
    schema = reply_schema()
    assert sorted(schema["properties"]) == ["checkpoint", "entities", "language", "notes", "text"]
    assert schema["$defs"]["EntityReply"]["properties"]["start"]["type"] == "integer"


def test_an_answer_names_the_model_it_is_from(two_models: TagService) -> None:
    """The default's or the chosen one's; only as many as allowed stay in memory."""
    api = Api(two_models, lambda image: image)
    first = two_models.checkpoint.name
    assert api.models() == [first, "broken", "other"]
    assert api.tag(TEXT, None, "auto", "", "")["checkpoint"]["name"] == first
    reply = api.tag(TEXT, None, "auto", "", "other")
    assert reply["checkpoint"] == {"name": "other", "digest": two_models.tagger().digest}
    answer = two_models.answer(TagQuestion(text=TEXT, model="other"))
    assert answer.source is not None
    assert (answer.source.name, answer.source.types) == ("other", ("PER", "LOC", "ORG", "MISC"))
    assert two_models.pool.loaded == ("other",)


def test_a_model_that_is_broken_or_unknown_is_told(two_models: TagService) -> None:
    """The others go on answering."""
    api = Api(two_models, lambda image: image)
    with refused("'nope'"):
        api.tag(TEXT, None, "auto", "", "nope")
    with pytest.raises(InputError, match="broken"):
        api.tag(TEXT, None, "auto", "", "broken")
    assert api.tag(TEXT, None, "auto", "", "other")["text"] == TEXT


def test_only_uploads_are_photos(tmp_path: Path) -> None:
    """Nothing outside the folder of uploads, however it is written."""
    (tmp_path / "a.jpg").write_bytes(b"x")
    assert upload_path({"path": str(tmp_path / "a.jpg")}, str(tmp_path)) == str(tmp_path / "a.jpg")
    assert upload_path(None, str(tmp_path)) is None
    for path in ("/etc/passwd", f"{tmp_path}/../x", f"{tmp_path}x/a", "a.jpg", "", None, 5, f"{tmp_path}/a\0"):
        with pytest.raises(InputError, match="must be uploaded"):
            upload_path({"path": path}, str(tmp_path))
    with pytest.raises(InputError, match="must be uploaded"):
        upload_path(str(tmp_path / "a.jpg"), str(tmp_path))


def test_the_readme_example_runs(url: str, photo: str) -> None:
    """As it stands there, but for the address and the photo; and what the README says about the answer holds."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    program = next(p for p in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "gradio_client" in p)
    program = program.replace('"http://127.0.0.1:7860"', repr(url)).replace('"photo.jpg"', repr(photo))
    seen = SimpleNamespace()
    exec(compile(program, "README.md", "exec"), seen.__dict__)
    assert seen.reply["checkpoint"]["name"] in seen.client.predict(api_name="/models")
    assert seen.client.predict(api_name="/schema") == reply_schema()
    assert [list(reply) for reply in seen.replies[-1:]] == [["error"]]
    assert (seen.reply["text"], seen.replies[0]["text"]) == ("best of Jordan", "best of Jordan")


def test_uploads_reach_a_batch(url: str, photo: str) -> None:
    """A photo inside an item is uploaded by the client and found by the server."""
    client = Client(url, verbose=False, analytics_enabled=False)
    (reply,) = client.predict(items=[{"text": TEXT, "image": handle_file(photo)}], api_name="/tag_batch")
    assert reply["text"] == TEXT
    assert all("without_image" in entity for entity in reply["entities"])
