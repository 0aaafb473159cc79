"""The JSON that programs get: its fields, and the JSON Schema made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired

from typing_extensions import TypedDict  # typing's own cannot be read by pydantic before Python 3.12

if TYPE_CHECKING:
    from mmner_core.results import Prediction


class CandidateReply(TypedDict):
    """A type and its probability, 0 to 1."""

    type: str
    confidence: float


class EntityReply(TypedDict):
    """A name: ``text`` is ``source[start:end]`` in characters (Unicode code points) of the text as sent."""

    text: str
    type: str
    start: int
    end: int
    confidence: float
    runner_up: CandidateReply
    without_image: NotRequired[CandidateReply]
    """The likeliest type of the same span for the text alone; only where there was a photo."""
    with_other_image: NotRequired[CandidateReply]
    """The same with a photo that has nothing to do with it; only in what the page lets you save."""


class CheckpointReply(TypedDict):
    """The model that answered: its name here, and the digest of its files."""

    name: str
    digest: str


class TagReply(TypedDict):
    """What /tag returns."""

    text: str
    language: Literal["en", "fr", "de", "es"]
    entities: list[EntityReply]
    notes: list[str]
    checkpoint: CheckpointReply


def tag_reply(prediction: Prediction, name: str, digest: str) -> dict[str, Any]:
    """Return a prediction and the model it is from, in the form of :class:`TagReply`."""
    return {**prediction.to_json(), "checkpoint": {"name": name, "digest": digest}}


def reply_schema() -> dict[str, Any]:
    """Return the JSON Schema of what /tag returns."""
    from pydantic import TypeAdapter

    return TypeAdapter(TagReply).json_schema()
