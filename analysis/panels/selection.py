"""The choices of a reader of a report or a tab: the runs, the image condition, the language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun

CHOICES = ("other", "valid", "condition", "language")
"""What a panel may depend on besides the run; one whose function has a parameter of that name does."""


class Selection(Protocol):
    """The choices of a reader of a report or a tab."""

    @property
    def run(self) -> EvaluationRun:
        """Return the run that is shown."""

    @property
    def other(self) -> EvaluationRun | None:
        """Return a run over the same split to compare it with."""

    @property
    def valid(self) -> EvaluationRun | None:
        """Return a run over the validation data, to fit the temperature on."""

    @property
    def condition(self) -> str | None:
        """Return the image condition that scores and errors are about, None for the run's first."""

    @property
    def language(self) -> str:
        """Return the language whose figures are drawn, "all" for all."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The choices of a report: runs and a condition; its figures are of all languages."""

    run: EvaluationRun
    other: EvaluationRun | None = None
    valid: EvaluationRun | None = None
    condition: str | None = None
    language: str = "all"
