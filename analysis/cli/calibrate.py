"""``--calibrate``: the answers that the temperature of a run is fitted on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mmner_core.data.example import SPLITS
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.run.answers import Answers
    from analysis.run.evaluation_set import EvaluationSet


def answers_to_fit_on(
    calibrate: str | None, digest: str, sentences: EvaluationSet, of_split: Callable[[EvaluationSet], Answers]
) -> Callable[[], Answers | None]:
    """Return a function for the answers to fit the temperature on; a run is checked at once, a split tagged later.

    Args:
        calibrate: a run of the model, or a split of the data; None: neither.
        digest: of the model.
        sentences: what it is evaluated on.
        of_split: gives its answers on a split.

    Raises:
        InputError: if it is a run of another model.
    """
    from analysis.panels.facts import checkpoint_of
    from analysis.run.evaluation_set import read_evaluation_set
    from analysis.run.folder import EvaluationRun

    if calibrate is None:
        return lambda: None
    if calibrate in SPLITS:
        facts = sentences.facts
        place = {"images": facts["images"], "language": facts["language"], "split": calibrate}
        return lambda: of_split(read_evaluation_set(facts["path"], **place))
    run = EvaluationRun.open(calibrate)
    if (other := checkpoint_of(run.provenance)) != digest:
        raise InputError(
            f"{calibrate} is no run of this model ({other or 'of none'}, not {digest}), so its probabilities say "
            "nothing about this one's. Give a run of this model, or a split."
        )
    return run.answers
