"""The slider that hides names below a confidence, and what such a threshold is worth in a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from analysis.panels.facts import checkpoint_of, facts_of
from analysis.panels.wording import counted, language_label, number
from analysis.run.json_rows import to_records
from analysis.scores.breakdowns import ALL
from analysis.scores.threshold import THRESHOLDS, threshold_table
from analysis.views.rendering import render
from analysis.views.service import user_message
from mmner_core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup

    from analysis.run.folder import EvaluationRun
    from analysis.views.research.library import RunLibrary

_NO_NUMBERS = "What a threshold is worth is not known here: {}"
_PROGRAM_COLUMNS = ("language", "threshold", "kept", "right", "predicted", "gold", "precision", "recall", "f1")
_STRINGS = ("run", "digest", "language")


class LeastConfidence:
    """Says what precision and recall the names above a confidence have, from the answers stored in a run.

    Args:
        library: the runs.
    """

    def __init__(self, library: RunLibrary) -> None:
        self._library = library

    def html(self, asked: Mapping[str, Any]) -> Markup:
        """Return what each step of the slider is worth, or one sentence where no run says so.

        Args:
            asked: ``run`` (a name, "" for one of the model), ``digest`` of the model, ``language`` and ``photo`` of the
                answer.
        """
        try:
            if not all(isinstance(asked.get(key, ""), str) for key in _STRINGS):
                raise InputError("run, digest and language must be strings.")
            run, digest, language = (asked.get(key, "") for key in _STRINGS)
            of_run = self._library.run(run or self._library.of_checkpoint(digest))
            condition = _condition(of_run, photo=bool(asked.get("photo")))
            table = _table(of_run, condition)
        except Exception as error:
            return render("tag/least_confidence", steps=(), source=_NO_NUMBERS.format(user_message(error)))
        shown = language if language in set(table["language"]) else ALL
        steps = [_step(rows, shown) for _, rows in table.groupby("threshold")]
        return render("tag/least_confidence", steps=steps, source=_source(of_run, condition, digest))

    def scores(self, least: Any, run: Any = "", photo: Any = True) -> dict[str, Any]:
        """Return for programs what the names of a run are worth that are at least so confident, per language.

        Raises:
            InputError: if the run does not exist or holds no probabilities, or ``least`` is no number from 0 to 1.
        """
        if isinstance(least, bool) or not isinstance(least, int | float) or not 0 <= least <= 1:
            raise InputError("The least confidence is a number from 0 to 1.")
        if not isinstance(run, str):
            raise InputError("The run is given by its name.")
        of_run = self._library.run(run)
        condition = _condition(of_run, photo=bool(photo))
        table = threshold_table(of_run.answers(condition), [float(least)])
        rows = to_records(table[list(_PROGRAM_COLUMNS)])
        return {"run": of_run.name, "condition": condition, "rule": "lenient", "languages": rows}


def slider_html() -> Markup:
    """Return the slider, out of sight until there are names to hide."""
    return render("tag/slider", least=THRESHOLDS[0], most=THRESHOLDS[-1], step=THRESHOLDS[1])


def _condition(run: EvaluationRun, *, photo: bool) -> str:
    """Return the image condition that is like the visitor's question."""
    return "none" if not photo and "none" in run.conditions else run.condition


def _table(run: EvaluationRun, condition: str) -> pd.DataFrame:
    return run.remember(("least confidence", condition), lambda: threshold_table(run.answers(condition)))


def _step(rows: pd.DataFrame, language: str) -> dict[str, Any]:
    row = rows[rows["language"] == language].iloc[0].to_dict()
    cells = [(language_label(one["language"]), _cells(one)) for one in rows.to_dict("records")]
    return {"least": f"{row['threshold']:.2f}", "sentence": _sentence(row), "rows": cells}


def _cells(row: Mapping[Any, Any]) -> list[str]:
    numbers = [number(row[name], 2) for name in ("precision", "recall", "f1", "f1_at_random")]
    return [*numbers, f"{row['kept']:,} of {row['predicted']:,}", f"{row['gold']:,}"]


def _sentence(row: Mapping[Any, Any]) -> str:
    """Say what one step is worth in one language."""
    name = language_label(row["language"])
    if not row["predicted"]:
        return f"{name}: the run has no names to say what this is worth."
    kept = f"{row['kept']:,} of {counted(row['predicted'], 'name')} kept, {row['gold']:,} annotated"
    if not row["kept"]:
        return f"{name}: {kept}, so none is found."
    return (
        f"{name}: precision {number(row['precision'], 2)} ({number(row['precision_low'], 2)} to "
        f"{number(row['precision_high'], 2)}), recall {number(row['recall'], 2)}; {kept}."
    )


def _source(run: EvaluationRun, condition: str, digest: str) -> str:
    """Say where the numbers are from."""
    sentences = counted(run.conditions[condition], "sentence")
    photos = "without photos" if condition == "none" else "with their photos" if condition == "matched" else condition
    text = f"Measured in the run {run.name}: {sentences} ({photos}) of {facts_of(run).split}; "
    text += "right is a name whose words and type are annotated. On other texts a threshold may be worth less."
    made_by = checkpoint_of(run.provenance)
    if digest and made_by != digest:
        text += f" The run is of another model ({made_by[:8] or 'another system'}) than the one that answered."
    return text
