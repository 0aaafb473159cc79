"""What a browser and a program say to the app over HTTP: gradio's queue protocol, spoken without gradio."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx

from tests.load.questions import Question, UploadedPhoto

API = "gradio_api"
BUSY = (429, 503)  # too many requests; queue full
BUTTON, SENTENCE, PHOTO, RESULT, MODEL = "wb-run", "wb-sentence", "wb-photo", "wb-result", "wb-model"
MAP = "wb-overlay"
PROBLEM = 'role="alert"'
"""What the page marks its sentences about problems with."""


class Busy(Exception):
    """The app asked the visitor to come back later; the message is what it said."""


class RequestFailed(Exception):
    """The app answered with an error."""


class Lost(Exception):
    """The app took a question and never answered it."""


@dataclass(frozen=True, slots=True)
class Handler:
    """What the page sends when something happens to a part of it.

    Attributes:
        number: of the function that is run.
        inputs: numbers of the components whose values it is given.
        outputs: numbers of the components it changes.
        values: what the inputs hold when the page opens.
    """

    number: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    values: tuple[Any, ...]

    @classmethod
    def find(cls, config: dict[str, Any], part: str, happened: str) -> Handler:
        """Find the handler of an event in ``/config``."""
        target = [number_of(config, part), happened]
        found = next(d for d in config["dependencies"] if target in d["targets"])
        values = {c["id"]: c["props"].get("value") for c in config["components"]}
        return cls(
            number=found["id"],
            inputs=tuple(found["inputs"]),
            outputs=tuple(found["outputs"]),
            values=tuple(values[number] for number in found["inputs"]),
        )


def number_of(config: dict[str, Any], part: str) -> int:
    """Return the number of a part of the page, which is named by its id in the document."""
    return next(int(c["id"]) for c in config["components"] if c["props"].get("elem_id") == part)


def choices_of(config: dict[str, Any], part: str) -> list[str]:
    """Return what may be chosen in a part of the page."""
    found = next(c["props"]["choices"] for c in config["components"] if c["props"].get("elem_id") == part)
    return [str(value) for _, value in found]


@dataclass(frozen=True, slots=True)
class LoadedPage:
    """What a browser learns from the page's configuration: which function the button runs, on which inputs.

    Attributes:
        function: number of the button's function.
        values: what the inputs hold when the page opens.
        sentence: index of the sentence among the inputs.
        photo: index of the photo among the inputs.
        result: index of the result among the outputs.
    """

    function: int
    values: tuple[Any, ...]
    sentence: int
    photo: int
    result: int

    @classmethod
    def read(cls, config: dict[str, Any]) -> LoadedPage:
        """Find the button and its inputs in ``/config``."""
        button = Handler.find(config, BUTTON, "click")
        return cls(
            function=button.number,
            values=button.values,
            sentence=button.inputs.index(number_of(config, SENTENCE)),
            photo=button.inputs.index(number_of(config, PHOTO)),
            result=button.outputs.index(number_of(config, RESULT)),
        )

    def filled(self, text: str, photo: dict[str, Any] | None) -> list[Any]:
        """Return the values of the inputs with a text and an uploaded photo in their places."""
        values = list(self.values)
        values[self.sentence], values[self.photo] = text, photo
        return values


class Session:
    """One visit: a page that was opened, until it is closed.

    Attributes:
        config: of the page, empty until it is opened.

    Args:
        client: with the app's address as its base.
        name: of the session; one that nobody can guess unless given.
    """

    def __init__(self, client: httpx.AsyncClient, name: str | None = None) -> None:
        self._client = client
        self._hash = name or secrets.token_hex(6)
        self.config: dict[str, Any] = {}

    async def open(self) -> LoadedPage:
        """Load the page and its configuration."""
        _checked(await self._client.get("/"))
        self.config = dict(_checked(await self._client.get("/config")).json())
        return LoadedPage.read(self.config)

    async def stay(self) -> None:
        """Hold the line that tells the app that the page is still open; ends when it is cancelled."""
        async with self._client.stream("GET", f"/{API}/heartbeat/{self._hash}", timeout=None) as response:
            async for _ in response.aiter_bytes():
                pass

    async def outputs(self, page: LoadedPage, question: Question) -> list[Any]:
        """Ask as the page does; return the new value of every part of the page that shows the answer.

        Raises:
            Busy: if the app has no room at the moment.
            Failed: if it answers with an error.
            Lost: if it does not answer.
        """
        return await self.send(page.function, page.filled(question.text, await self._upload(question.photo)))

    async def send(self, function: int, values: list[Any], data: dict[str, Any] | None = None) -> list[Any]:
        """Say that something happened on the page; return what :meth:`outputs` does, and raise the same.

        Args:
            function: number of the function that the page runs then.
            values: of its inputs.
            data: what the page tells of the event besides.
        """
        body = {"data": values, "fn_index": function, "session_hash": self._hash, "event_data": data}
        event = _checked(await self._client.post(f"/{API}/queue/join", json=body)).json()["event_id"]
        async for message in self._messages(f"/{API}/queue/data?session_hash={self._hash}"):
            if message.get("event_id") == event and message["msg"] == "process_completed":
                output = message["output"]
                if not message["success"]:
                    raise RequestFailed(_error_text(output))
                return list(output["data"])
        raise Lost("The stream of events ended before the answer came.")

    async def call_tag(self, question: Question) -> dict[str, Any]:
        """Ask as a program does, through ``/tag``; return its JSON.

        Raises:
            Busy: if the app has no room at the moment.
            Failed: if it answers with an error.
            Lost: if it does not answer.
        """
        data = [question.text, await self._upload(question.photo), "auto", ""]
        event = _checked(await self._client.post(f"/{API}/call/tag", json={"data": data})).json()["event_id"]
        name = ""
        async with self._client.stream("GET", f"/{API}/call/tag/{event}") as response:
            async for line in response.aiter_lines():
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data" and name == "complete":
                    return json.loads(value)[0]
                elif field == "data" and name == "error":
                    raise RequestFailed(_error_text(json.loads(value)))
        raise Lost("The stream of events ended before the answer came.")

    async def _upload(self, photo: UploadedPhoto | None) -> dict[str, Any] | None:
        if photo is None:
            return None
        files = {"files": (photo.name, photo.content, photo.mime_type)}
        (path,) = _checked(await self._client.post(f"/{API}/upload", files=files)).json()
        return {
            "path": path,
            "orig_name": photo.name,
            "mime_type": photo.mime_type,
            "meta": {"_type": "gradio.FileData"},
        }

    async def _messages(self, url: str) -> AsyncIterator[dict[str, Any]]:
        async with self._client.stream("GET", url) as response:
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))


def new_value(output: Any) -> Any:
    """Return a component's new value, which gradio wraps in an update where more than the value changes."""
    return output.get("value") if isinstance(output, dict) and output.get("__type__") == "update" else output


def _error_text(output: Any) -> str:
    return str(output.get("error") if isinstance(output, dict) else output) or "an error without a message"


def _checked(response: httpx.Response) -> httpx.Response:
    if response.status_code in BUSY:
        raise Busy(_told(response))
    if response.is_error:
        raise RequestFailed(f"{response.status_code} at {response.url.path}: {_told(response)}")
    return response


def _told(response: httpx.Response) -> str:
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return response.text.strip()
