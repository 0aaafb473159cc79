"""A request to tag a text, and its intermediate results up to the answer.

Shapes: W words, L tags, H heads, K attention keys, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from mmner_core.inference.addresses import address_words
from mmner_core.inference.batches import join_windows
from mmner_core.inference.photo_reader import EncodedImage
from mmner_core.inference.prediction import ImageCondition, Reading
from mmner_core.network.crf import IMPOSSIBLE
from mmner_core.results import Word
from mmner_core.text.encoding import Window
from mmner_core.text.segments import TextPart

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRequest:
    """One text to tag.

    Attributes:
        text: any text that holds at least one character that is not white space.
        image: a file, its bytes, or an image; None for text only.
        lang: "en", "fr", "de", "es", or None to detect it.
        convention: annotation convention to read by; None for the checkpoint's default.
        words: words with offsets, where the caller has split the text already.
        other_image: another image, to say what the model makes of each name with that one in its place.
        spans: half-open word spans whose types are wanted, found or not, for instance those of another answer's names.
    """

    text: str
    image: Path | str | bytes | Image | None = None
    lang: str | None = None
    convention: str | None = None
    words: tuple[Word, ...] | None = None
    other_image: Path | str | bytes | Image | None = None
    spans: tuple[tuple[int, int], ...] = ()


class EncodedText(NamedTuple):
    """A window's text after the text encoder: word states [W, D], and [D] in the contrastive space if there is one."""

    words: Tensor
    vector: Tensor | None


@dataclass(slots=True, kw_only=True)
class WindowOutput:
    """The outputs of the network for one window.

    Attributes:
        words: [W, D] word states.
        vector: [D] in the contrastive space; None where the model has none.
        emissions: [W, L] per image condition.
        photo_share: [W] as in :class:`~mmner_core.inference.prediction.Reading`.
        attention: per stream [W, H, K].
    """

    words: Tensor
    vector: Tensor | None
    emissions: dict[ImageCondition, Tensor] = field(default_factory=dict)
    photo_share: Tensor | None = None
    attention: dict[str, Tensor] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class TagJob:
    """A request in progress: words, parts, windows, and the outputs of the network for each window."""

    request: TagRequest
    language: str
    detected: bool
    words: tuple[Word, ...]
    parts: list[TextPart]
    windows: list[Window]
    notes: list[str]
    prefetched: dict[int, EncodedText] = field(default_factory=dict)
    photo: EncodedImage | None = None
    other: EncodedImage | None = None
    image_row: int = -1
    other_row: int = -1
    outputs: dict[int, WindowOutput] = field(default_factory=dict)
    image_vectors: dict[str, Tensor] = field(default_factory=dict)


def join(job: TagJob) -> Reading:
    """Join the outputs of a text's windows; addresses and handles are forced to be outside of entities."""
    outputs = [job.outputs[w] for w in range(len(job.windows))]
    first = outputs[0]
    emissions = {
        condition: join_windows(job.windows, [output.emissions[condition] for output in outputs])
        for condition in ImageCondition
        if condition in first.emissions
    }
    if addresses := address_words(job.request.text, job.words):
        for condition, scores in emissions.items():
            emissions[condition] = scores.clone()
            emissions[condition][addresses, 1:] = IMPOSSIBLE  # tag 0 is O
    vectors = [output.vector for output in outputs if output.vector is not None]
    shares = [output.photo_share for output in outputs if output.photo_share is not None]
    return Reading(
        emissions=emissions,
        word_states=join_windows(job.windows, [output.words for output in outputs]),
        parts=[part.start for part in job.parts],
        photo_share=join_windows(job.windows, shares) if shares else None,
        attention={
            stream: join_windows(job.windows, [output.attention[stream] for output in outputs]).transpose(0, 1)
            for stream in first.attention
        },  # [H, W, K]
        text_vector=torch.stack(vectors).mean(0) if vectors else None,
        image_vectors=job.image_vectors,
        spans=job.request.spans,
    )


def facts(job: TagJob) -> dict[str, Any]:
    """Return the fields of a prediction that come from its request."""
    return {
        "text": job.request.text,
        "language": job.language,
        "language_detected": job.detected,
        "image_size": job.photo.size if job.photo is not None else None,
        "crop": job.photo.crop if job.photo is not None else None,
        "windows": overlapping_windows(job.parts, job.windows),
        "notes": tuple(job.notes),
    }


def overlapping_windows(parts: Sequence[TextPart], windows: Sequence[Window]) -> int:
    """Return how many overlapping windows the longest part of a text took; 1 where each part fitted one."""
    apart = {part.start for part in parts if part.mark is None}
    most = count = 0
    for window in windows:
        count = 1 if window.start in apart else count + 1
        most = max(most, count)
    return most


def window_notes(parts: Sequence[TextPart], windows: Sequence[Window]) -> list[str]:
    """Return notes for the user on how a text was cut into windows."""
    notes = []
    if (n := overlapping_windows(parts, windows)) > 1:
        notes.append(f"Long text: read in {n} overlapping windows, no word left out.")
    if shortened := sum(window.shortened for window in windows):
        notes.append(f"{shortened} very long string(s) without spaces were read by their beginning only.")
    return notes
