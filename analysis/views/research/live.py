"""What only the model itself can say about a sentence of a run: marginals of each word, and heat maps."""

from __future__ import annotations

from pathlib import Path

from analysis.views.maps import DrawnMap, MapControls, draw_asked_map
from analysis.views.service import Answer, Question, TagService
from mmner_core.words import join_words


class LiveModel:
    """Tags sentences of a run with the model of the first tab, word by word as the run has them.

    They go the way of visitors' questions: decoded within the same limits, and read together with what else waits.

    Args:
        service: has the model.
    """

    def __init__(self, service: TagService) -> None:
        self._service = service

    @property
    def digest(self) -> str:
        """Return the model's digest, waiting for it if need be.

        Raises:
            InputError: if the checkpoint cannot be used.
        """
        return self._service.tagger().digest

    @property
    def tags(self) -> tuple[str, ...]:
        """Return the tags whose marginals there are."""
        return self._service.tagger().labels.tags

    def answer(self, words: list[str], photo: Path | None, language: str) -> Answer:
        """Tag a sentence with its photo or none.

        Raises:
            InputError: if checkpoint, words or photo cannot be used.
        """
        return self._service.answer(_question(words, photo, language))

    def draw_map(
        self, words: list[str], photo: Path | None, language: str, entity: int, controls: MapControls
    ) -> DrawnMap:
        """Draw the heat map of one name of the answer.

        Raises:
            InputError: as :func:`analysis.views.maps.draw_asked_map`.
        """
        return draw_asked_map(self._service, _question(words, photo, language), entity, controls)


def _question(words: list[str], photo: Path | None, language: str) -> Question:
    text, placed = join_words(words)
    shown = None if photo is None else str(photo)
    return Question(text=text, photo=shown, language=language or None, words=placed)
