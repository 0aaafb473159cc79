"""Serves the models behind the page: lent from a pool, with the latest results kept for the heat maps."""

from __future__ import annotations

import functools
import hashlib
import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from threading import BoundedSemaphore, Lock, Thread
from typing import TYPE_CHECKING

from analysis.views.heat_map.entity_map import entity_at
from analysis.views.heat_map.kinds import ATTENTION, kind_of
from analysis.views.measured import Measured
from analysis.views.questions import Source, TagAnswer, TagQuestion
from mmner_core.errors import InputError
from mmner_core.photos.limits import ImageLimits, check_bytes
from mmner_core.runtime.digests import file_digest
from mmner_core.serving.config import ServingConfig
from mmner_core.serving.engine import DECODING, Engine, megapixel_budget, open_pool
from mmner_core.serving.fair_cache import FairCache
from mmner_core.serving.faults import user_message
from mmner_core.serving.visitor import current_visitor

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

    from analysis.heat_maps.word_saliency import WordSaliency
    from mmner_core.inference.tag_job import TagRequest
    from mmner_core.inference.tagger import Tagger
    from mmner_core.results import Prediction
    from mmner_core.text.encoding import Pixels

__all__ = ["DISPLAY_SIDE", "Source", "TagAnswer", "TagQuestion", "TagService", "user_message"]

log = logging.getLogger(__name__)
OTHER_PHOTOS = Path(__file__).resolve().parents[1] / "demo" / "photos"
OTHER_NAMES = ("misc_hubble_deep_field.jpg", "org_spacex_falcon9.jpg", "per_eileen_collins.jpg", "loc_hawaMahal.jpg")
"""What a name is also read with, to tell what the visitor's own photo does from what any photo does."""
DISPLAY_SIDE = 960  # pixels of the longer side of a photo as shown; an answer then costs about 2 MB


class TagService:
    """Answers questions; the same question is computed once while it is among the latest.

    Args:
        checkpoint: folder of the model that answers unless another is asked for.
        config: other models, limits, and how requests are grouped.
        kept: how many answers to keep.

    Raises:
        InputError: if the folder of other models cannot be listed.
    """

    def __init__(self, checkpoint: Path, config: ServingConfig | None = None, *, kept: int = 32) -> None:
        self.checkpoint = checkpoint
        self.config = replace(config or ServingConfig(), checkpoint=checkpoint)
        self._megapixels = megapixel_budget(self.config)
        self.pool = open_pool(self.config, self._megapixels)
        self._answers: FairCache[TagAnswer] = FairCache(kept)
        self._lock = Lock()
        self._room = BoundedSemaphore(self.config.concurrency)  # the research tabs do not come through gradio's queue
        self._started = False
        self._broken = False  # the first model could not be loaded

    def start(self) -> None:
        """Begin to load the first model in the background; a second call does nothing."""
        with self._lock:
            started, self._started = self._started, True
        if not started:
            Thread(target=self._load_first, name="load-model", daemon=True).start()

    @property
    def alive(self) -> bool:
        """Return whether questions are answered; those that wait for the first model to be loaded will be."""
        return self.pool.alive and not (self._broken and not self.pool.loaded)

    def tagger(self, model: str | None = None) -> Tagger:
        """Return a model, waiting for it if need be.

        Raises:
            InputError: if the checkpoint cannot be used.
        """
        with self.pool.lease(model) as engine:
            return engine.tagger

    def predict(
        self, questions: Sequence[TagQuestion], model: str | None = None
    ) -> tuple[Source, list[Future[Prediction]]]:
        """Tag questions with one model, grouped with whatever else waits; nothing is kept.

        Of many questions only so many stand in line at once: whoever asks a single one gets in between.

        Args:
            questions: what is asked; which model they name does not matter.
            model: the model.

        Returns:
            The model, and for each question a future that is done and holds the prediction, or the reason why not.

        Raises:
            InputError: if the model cannot be used.
        """
        with self._room, self.pool.lease(model) as engine:
            futures: list[Future[Prediction]] = []
            for i, question in enumerate(questions):
                if i >= self.config.batch_size:  # others are not kept waiting by more in line than one pass takes
                    futures[i - self.config.batch_size].exception()
                futures.append(_submit(engine, question))
            for question, future in zip(questions, futures, strict=True):
                started = time.perf_counter()
                if future.exception() is None:
                    self._log(question, future.result(), time.perf_counter() - started)
            return self._source(model, engine), futures

    def answer(self, question: TagQuestion, spans: tuple[tuple[int, int], ...] = ()) -> TagAnswer:
        """Tag the question's text and photo, or return the kept answer.

        Args:
            question: what is asked.
            spans: of words, whose types are wanted whether they are names or not.

        Raises:
            InputError: if text, photo, language, convention or model cannot be used.
        """
        photo = None if question.photo is None else _read(question.photo, self.config.image_limits)
        digest = None if photo is None else hashlib.sha256(photo).hexdigest()
        model = self.pool.resolve(question.model)
        asked = (question.text, question.words, digest, question.hidden, question.language, question.convention)
        key = (*asked, model, spans)
        if (kept := self._answers.get(key)) is not None:
            return kept
        started = time.perf_counter()
        with self._room, self.pool.lease(model) as engine:
            request = _request(question, self._shown(photo, question, engine.tagger), spans)
            if digest is not None and question.hidden is None:
                request = replace(request, other_image=another_photo(digest))
            prediction = engine.submit(request, attention=True).result()
            source = self._source(model, engine)
        self._log(question, prediction, time.perf_counter() - started)
        shown = photo is not None and prediction.image_size is not None
        display = self._for_display(photo) if shown and photo is not None else None
        if display is not None and question.hidden is not None:
            display = question.hidden.cover(display)
        answer = TagAnswer(prediction=prediction, photo=display, source=source, photo_digest=digest or "")
        self._answers.put(key, answer, current_visitor())
        return answer

    def computed_map(self, question: TagQuestion, answer: TagAnswer, entity: int, kind: str) -> np.ndarray | None:
        """Return a heat map that an answer does not hold from the start, computed and kept there when first asked for.

        Args:
            question: what was asked.
            answer: what :meth:`answer` returned.
            entity: number of the name, from 0.
            kind: a key of :data:`analysis.views.heat_map.kinds.KINDS`.

        Returns:
            what :func:`analysis.views.heat_map.computed.compute_map` does; None for attention, which every answer
            holds.

        Raises:
            InputError: if kind or name do not exist, there is no photo, or the model has no such map.
        """
        kind_of(kind)
        name = entity_at(answer.prediction, entity)
        if kind == ATTENTION or (kind, entity) in answer.maps:
            return answer.maps.get((kind, entity))
        if question.photo is None or not answer.prediction.attention:
            raise InputError("There is no heat map without a photo; add one and run again.")
        from analysis.views.heat_map.computed import compute_map

        started = time.perf_counter()
        with self._room, self.pool.lease(question.model) as engine:
            job = engine.tagger.prepare(_request(question))
            heat = compute_map(
                engine, job, self._for_model(_read(question.photo, self.config.image_limits), engine.tagger), name, kind
            )
        log.info("a heat map (%s) in %.0f ms", kind, 1000 * (time.perf_counter() - started))
        answer.maps[kind, entity] = heat
        return heat

    def word_saliency(self, question: TagQuestion, answer: TagAnswer, entity: int) -> WordSaliency:
        """Return which words a name rests on, computed and kept with its answer when first asked for.

        Args:
            question: what was asked.
            answer: what :meth:`answer` returned.
            entity: number of the name, from 0.

        Raises:
            InputError: if there is no such name, it is too long, or the photo is gone.
        """
        name = entity_at(answer.prediction, entity)
        if entity not in answer.words:
            from analysis.views.heat_map.computed import read_words

            started = time.perf_counter()
            photo = None if question.photo is None else _read(question.photo, self.config.image_limits)
            with self._room, self.pool.lease(question.model) as engine:
                shown = self._shown(photo, question, engine.tagger)
                if isinstance(shown, bytes):
                    self._spend_pixels(shown)
                with nullcontext() if shown is None else DECODING:
                    job = engine.tagger.prepare(_request(question, shown))
                answer.words[entity] = read_words(engine, job, name)
            log.info("the words of a name in %.0f ms", 1000 * (time.perf_counter() - started))
        return answer.words[entity]

    def _shown(self, photo: bytes | None, question: TagQuestion, tagger: Tagger) -> bytes | Image | None:
        """Return the photo as it was sent, or as large as the model needs it with the hidden cells covered."""
        if photo is None or question.hidden is None:
            return photo
        from mmner_core.photos.open import open_image
        from mmner_core.photos.preprocess import decode_size

        self._spend_pixels(photo)
        config = tagger.model.config
        with DECODING:
            return question.hidden.cover(
                open_image(photo, target=decode_size(config.vit, config.cnn), limits=self.config.image_limits)
            )

    def _for_model(self, photo: bytes, tagger: Tagger) -> Pixels:
        """Decode a photo as the model's encoders get it; only what they made of it was kept."""
        self._spend_pixels(photo)
        with DECODING:
            pixels = tagger.photos.decode(photo).pixels
        if pixels is None:
            raise InputError("This model reads text only, so there is no heat map.")
        return pixels

    def _for_display(self, photo: bytes) -> Image:
        from mmner_core.photos.open import open_image

        self._spend_pixels(photo)
        with DECODING:
            image = open_image(photo, target=DISPLAY_SIDE, limits=self.config.image_limits)
        image.thumbnail((DISPLAY_SIDE, DISPLAY_SIDE))
        return image

    def _spend_pixels(self, photo: bytes) -> None:
        from mmner_core.photos.open import claimed_pixels

        self._megapixels.spend(claimed_pixels(photo, self.config.image_limits) / 1e6)

    def _load_first(self) -> None:
        try:
            self.tagger()
        except Exception as error:  # whoever opens the page is told as well
            self._broken = True
            user_message(error)
            log.warning("the model %s cannot be used", self.pool.names[0])

    def _source(self, model: str | None, engine: Engine) -> Source:
        tagger = engine.tagger
        return Source(
            name=self.pool.resolve(model),
            digest=tagger.digest,
            types=tuple(tagger.labels.types),
            measured=Measured.read(tagger.checkpoint.metrics),
        )

    def _log(self, question: TagQuestion, prediction: Prediction, seconds: float) -> None:
        said = repr(question.text) if self.config.log_text else f"{len(question.text):,} characters"
        photo = "no photo" if question.photo is None else "a photo"
        log.info("%s, %s: %d names in %.0f ms", said, photo, len(prediction.entities), 1000 * seconds)


def another_photo(digest: str) -> Path | None:
    """Return a photo that has nothing to do with a question's, always the same one for the same photo.

    Args:
        digest: SHA-256 of the question's photo, hex.
    """
    others = [file for other, file in _digested() if other != digest]
    return others[int(digest, 16) % len(others)] if others else None


@functools.cache
def _digested() -> list[tuple[str, Path]]:
    files = [OTHER_PHOTOS / name for name in OTHER_NAMES]
    return [(file_digest(file), file) for file in files if file.is_file()]


def _submit(engine: Engine, question: TagQuestion) -> Future[Prediction]:
    """Hand a question to a model; a future that already failed where the question is at fault."""
    try:
        photo = None if question.photo is None else _read(question.photo, engine.tagger.limits)
        return engine.submit(_request(question, photo), attention=False)
    except Exception as error:
        failed: Future[Prediction] = Future()
        failed.set_exception(error)
        return failed


def _request(
    question: TagQuestion, photo: bytes | Image | None = None, spans: tuple[tuple[int, int], ...] = ()
) -> TagRequest:
    from mmner_core.inference.tag_job import TagRequest

    return TagRequest(
        text=question.text,
        image=photo,
        lang=question.language,
        convention=question.convention,
        words=question.words,
        spans=spans,
    )


def _read(photo: str, limits: ImageLimits) -> bytes:
    # The model gets bytes, not the path: its sentences about a bad image then name no folder of the server. A file may
    # be bigger than any photo, since data sets are uploaded as well.
    try:
        check_bytes(Path(photo).stat().st_size, "the image", limits)
        return Path(photo).read_bytes()
    except OSError as error:
        raise InputError("The photo is no longer on the server; add it again.") from error
