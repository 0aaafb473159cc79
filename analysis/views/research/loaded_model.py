"""The loaded model behind the research tabs: tags a run's sentence, draws its heat maps, embeds a visitor's text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from analysis.panels.facts import checkpoint_of
from analysis.views.heat_map.rendered import MapControls, RenderedHeatMap, render_requested_heat_map
from analysis.views.service import TagAnswer, TagQuestion, TagService
from mmner_core.errors import InputError
from mmner_core.text.words import join_words

if TYPE_CHECKING:
    import numpy as np

    from analysis.run.folder import EvaluationRun
    from mmner_core.results import Prediction


class LoadedModel:
    """Asks the model of the first tab: it tags sentences of a run, word by word as the run has them, and reads texts.

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

    def answer(self, words: list[str], photo: Path | None, language: str) -> TagAnswer:
        """Tag a sentence with its photo or none.

        Raises:
            InputError: if checkpoint, words or photo cannot be used.
        """
        return self._service.answer(_question(words, photo, language))

    def render_heat_map(
        self, words: list[str], photo: Path | None, language: str, entity: int, controls: MapControls
    ) -> RenderedHeatMap:
        """Draw the heat map of one name of the answer.

        Raises:
            InputError: as :func:`analysis.views.heat_map.rendered.render_requested_heat_map`.
        """
        return render_requested_heat_map(self._service, _question(words, photo, language), entity, controls)

    def text_vector(self, run: EvaluationRun, text: str) -> np.ndarray:
        """Return a visitor's text, in any of the languages, in the contrastive space of a run: [D], unit length.

        Raises:
            InputError: if the run was made by another model, the model has no such space, or the text cannot be used.
        """
        self.check_made(run)  # before the model works for nothing
        return text_vector_of(self._service.answer(TagQuestion(text=text)).prediction)

    def check_made(self, run: EvaluationRun) -> None:
        """Check that a run was made by this model, so that its vectors and the model's may be compared.

        Raises:
            InputError: if it was not, or the checkpoint cannot be used.
        """
        made_by, loaded = checkpoint_of(run.provenance), self.digest
        if made_by != loaded:
            maker = f"another model ({made_by[:8]})" if made_by else "another system"
            raise InputError(
                f"Run {run.name!r} was made by {maker} than the one loaded ({loaded[:8]}); a vector of one means "
                "nothing in the space of the other."
            )


def _question(words: list[str], photo: Path | None, language: str) -> TagQuestion:
    text, placed = join_words(words)
    shown = None if photo is None else str(photo)
    return TagQuestion(text=text, photo=shown, language=language or None, words=placed)


def text_vector_of(prediction: Prediction) -> np.ndarray:
    """Return where a tagged text lies in the contrastive space: [D], unit length.

    Raises:
        InputError: if the model has no such space.
    """
    vector = prediction.embeddings.get("text")
    if vector is None:
        raise InputError("The loaded model has no contrastive space, so a text has no place in it.")
    return vector
