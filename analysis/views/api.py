"""The programs' interface without the web framework: items checked, answers in the documented form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from analysis.conditions.hidden_cells import HiddenCells
from analysis.views.heat_map.entity_map import entity_at
from analysis.views.service import TagQuestion, TagService, user_message
from analysis.views.tag.comparison import compare, comparison_reply
from analysis.views.tag.word_view import words_reply
from mmner_core.errors import InputError
from mmner_core.serving.reply import tag_reply

NOT_UPLOADED = "The file must be uploaded; a path on the server is not accepted."
_ITEM = {"text", "image", "language", "convention"}
Locate = Callable[[Any], str | None]


class Api:
    """Answers programs.

    Args:
        service: the models.
        locate: turns what a program gives for an image into the path of its upload, None for none.
    """

    def __init__(self, service: TagService, locate: Locate) -> None:
        self.service = service
        self._locate = locate

    def tag(self, text: str, image: Any, language: str, convention: str, model: str) -> dict[str, Any]:
        """Tag one text.

        Raises:
            InputError: if text, image, language, convention or model cannot be used.
        """
        question = TagQuestion.from_inputs(text, self._locate(image), language, convention)
        source, (future,) = self.service.predict([question], model or None)
        return tag_reply(future.result(), source.name, source.digest)

    def tag_batch(self, items: Any, model: str) -> list[dict[str, Any]]:
        """Tag several texts; an item at fault gets ``{"error": sentence}`` in its place.

        Raises:
            InputError: if ``items`` is no list, has too many items, or the model cannot be used.
        """
        most = self.service.config.batch_items
        if not isinstance(items, list):
            raise InputError('items must be a list of objects, each with at least a "text".')
        if len(items) > most:
            raise InputError(f"{len(items)} items are too many for one call; send at most {most}.")
        questions: dict[int, TagQuestion] = {}
        replies: list[dict[str, Any]] = [{} for _ in items]
        for i, item in enumerate(items):
            try:
                questions[i] = self._question(item)
            except InputError as error:
                replies[i] = {"error": user_message(error)}
        source, futures = self.service.predict(list(questions.values()), model or None)
        for i, future in zip(questions, futures, strict=True):
            fault = future.exception()
            replies[i] = (
                {"error": user_message(fault)} if fault else tag_reply(future.result(), source.name, source.digest)
            )
        return replies

    def words(self, text: str, image: Any, entity: Any, language: str, convention: str, model: str) -> dict[str, Any]:
        """Say which words a name rests on.

        Raises:
            InputError: as :meth:`tag`, or if there is no such name.
        """
        question = TagQuestion.from_inputs(text, self._locate(image), language, convention, model)
        answer = self.service.answer(question)
        name = entity_at(answer.prediction, entity)
        return words_reply(answer.prediction, name, self.service.word_saliency(question, answer, entity))

    def compare(
        self, text: str, images: tuple[Any, Any], models: tuple[str, str], hidden: Any, language: str, convention: str
    ) -> dict[str, Any]:
        """Answer twice, the second time with another image, cells of the image hidden, or by another model.

        Raises:
            InputError: as :meth:`tag`, or if nothing is different the second time.
        """
        one = TagQuestion.from_inputs(text, self._locate(images[0]), language, convention, models[0])
        other = TagQuestion.from_inputs(text, self._locate(images[1]), language, convention, models[1])
        other = replace(other, photo=other.photo or one.photo, model=other.model or one.model)
        if hidden is not None:
            if other.photo is None:
                raise InputError("There is no image to hide cells of; send one.")
            other = replace(other, hidden=HiddenCells.read(hidden))
        if other == one:
            raise InputError("Give other_image, other_model or hidden: else both answers are the same.")
        return comparison_reply(compare(self.service, one, other))

    def models(self) -> list[str]:
        """Name the models that `model` may choose, the default first."""
        return list(self.service.pool.names)

    def _question(self, item: Any) -> TagQuestion:
        if not isinstance(item, dict):
            raise InputError('An item must be an object with at least a "text".')
        if unknown := sorted(set(map(str, item)) - _ITEM):
            raise InputError(f"An item has the unknown key {unknown[0][:40]!r}; known are {', '.join(sorted(_ITEM))}.")
        rest = {key: item.get(key, "") for key in ("language", "convention")}
        return TagQuestion.from_inputs(item.get("text"), self._locate(item.get("image")), **rest)


def upload_path(image: Any, folder: str) -> str | None:
    """Return the path of an uploaded file, None for None.

    Args:
        image: a file as the web framework describes it.
        folder: where uploads are.

    Raises:
        InputError: if it is not an upload; gradio checks only paths that a caller declares to be files.
    """
    if image is None:
        return None
    given = image.get("path") if isinstance(image, dict) else None
    if isinstance(given, str) and "\0" not in given:
        path = Path(given).resolve()
        if path.is_relative_to(Path(folder).resolve()):
            return str(path)
    raise InputError(NOT_UPLOADED)
