"""The model behind the page: loaded once in the background, with the latest results kept for the heat maps."""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from mmner_core.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

    from mmner_core.results import Prediction
    from mmner_core.tagger import Tagger

log = logging.getLogger(__name__)
SORRY = "Something went wrong on our side. The server's log has the details; please try again."
DISPLAY_SIDE = 960  # pixels of the longer side of a photo as shown; an answer then costs about 2 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a visitor asks: a text, the path of a photo or None, a language and a convention or None for the default."""

    text: str
    photo: str | None = None
    language: str | None = None
    convention: str | None = None

    @classmethod
    def from_inputs(cls, text: str | None, photo: str | None, language: str, convention: str) -> Question:
        """Read the values of a page's inputs, where "auto" and "" stand for the default."""
        chosen = None if language in ("", "auto") else language
        return cls(text=text or "", photo=photo or None, language=chosen, convention=convention or None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A prediction and its photo, upright and no larger than the screen needs."""

    prediction: Prediction
    photo: Image | None


class TagService:
    """Answers questions with one model; the same question is computed once while it is among the latest.

    Args:
        checkpoint: folder of the model.
        kept: how many answers to keep.
    """

    def __init__(self, checkpoint: Path, *, kept: int = 32) -> None:
        self.checkpoint = checkpoint
        self._kept = kept
        self._answers: OrderedDict[tuple[str | None, ...], Answer] = OrderedDict()
        self._lock = Lock()
        self._loading: Future[Tagger] | None = None

    def start(self) -> None:
        """Begin to load the model in the background; a second call does nothing."""
        with self._lock:
            if self._loading is None:
                executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="load-model")
                self._loading = executor.submit(_load, self.checkpoint)
                executor.shutdown(wait=False)

    def tagger(self) -> Tagger:
        """Return the model, waiting for it if need be.

        Raises:
            InputError: if the checkpoint cannot be used.
        """
        self.start()
        assert self._loading is not None  # noqa: S101 (start has just set it)
        return self._loading.result()

    def answer(self, question: Question) -> Answer:
        """Tag the question's text and photo, or return the kept answer.

        Raises:
            InputError: if text, photo, language or convention cannot be used.
        """
        photo = None if question.photo is None else _read(question.photo)
        digest = None if photo is None else hashlib.sha256(photo).hexdigest()
        key = (question.text, digest, question.language, question.convention)
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        prediction = self.tagger().tag(question.text, photo, question.language, convention=question.convention)
        answer = Answer(
            prediction=prediction,
            photo=_for_display(photo) if photo is not None and prediction.image_size else None,
        )
        with self._lock:
            self._answers[key] = answer
            while len(self._answers) > self._kept:
                self._answers.popitem(last=False)
        return answer


def told(error: Exception) -> str:
    """Return the sentence a visitor gets for an error; one that is our fault goes to the log with its trace."""
    if isinstance(error, InputError):
        return str(error)
    log.error("a handler failed", exc_info=error)
    return SORRY


def _load(checkpoint: Path) -> Tagger:
    from mmner_core.tagger import Tagger

    tagger = Tagger.load(checkpoint)
    tagger.tag("Hello")  # the first text loads the word splitter and the language detector; no visitor should wait
    return tagger


def _read(photo: str) -> bytes:
    # The model gets bytes, not the path: its sentences about a bad picture then name no folder of the server.
    try:
        return Path(photo).read_bytes()
    except OSError as error:
        raise InputError("The photo is no longer on the server; add it again.") from error


def _for_display(photo: bytes) -> Image:
    from mmner_core.data.images import open_image

    image = open_image(photo, target=DISPLAY_SIDE)
    image.thumbnail((DISPLAY_SIDE, DISPLAY_SIDE))
    return image
