"""What only the model itself can say about a sentence of a run: marginals of each word, and heat maps."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from threading import Lock

from analysis.views.service import DISPLAY_SIDE, Answer, TagService
from mmner_core.results import Word

_KEPT = 16


class LiveModel:
    """Tags sentences of a run with the model of the first tab, word by word as the run has them.

    Args:
        service: has the model.
    """

    def __init__(self, service: TagService) -> None:
        self._service = service
        self._answers: OrderedDict[tuple[tuple[str, ...], str | None, str], Answer] = OrderedDict()
        self._turn = Lock()  # two at once on two cores would slow each other down

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
        from mmner_core.data.images import open_photo
        from mmner_core.tagger import TagRequest

        key = (tuple(words), None if photo is None else str(photo), language)
        with self._turn:
            if key not in self._answers:
                image = None if photo is None else open_photo(photo).image
                request = TagRequest(
                    text=" ".join(words), image=image, lang=language or None, words=_with_places(words)
                )
                prediction = self._service.tagger().tag_batch([request])[0]
                if image is not None:
                    image = image.copy()
                    image.thumbnail((DISPLAY_SIDE, DISPLAY_SIDE))
                self._answers[key] = Answer(
                    prediction=prediction, photo=image if prediction.image_size is not None else None
                )
                while len(self._answers) > _KEPT:
                    self._answers.popitem(last=False)
            self._answers.move_to_end(key)
            return self._answers[key]


def _with_places(words: list[str]) -> tuple[Word, ...]:
    placed, start = [], 0
    for word in words:
        placed.append(Word(word, start, start + len(word)))
        start += len(word) + 1
    return tuple(placed)
