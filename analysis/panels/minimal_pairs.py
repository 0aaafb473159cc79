"""The panel on minimal pairs: equal words with different images, where only the image can decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.image_effect.minimal_pairs import (
    BOTH_RIGHT,
    FLIPPED_RIGHT,
    OUTCOMES,
    find_minimal_pairs,
    pair_outcomes,
    pair_table,
)
from analysis.panels.panel import Content, panel
from analysis.panels.stored import table_of
from analysis.panels.wording import counted, with_interval
from mmner_core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from analysis.image_effect.minimal_pairs import MinimalPair
    from analysis.run.folder import EvaluationRun

_COLUMNS = ("language", "outcome", "n_pairs", "share", "low", "high", "n")


def minimal_pairs_of(run: EvaluationRun) -> list[MinimalPair]:
    """Return the minimal pairs of the run's first condition, found once."""
    return run.remember("minimal pairs", lambda: find_minimal_pairs(run.answers()))


@panel(
    "minimal-pairs",
    "Minimal pairs: same words, another image",
    "A model that reads words alone is right on one of the two at best, so 'both right' and 'flipped the right way' "
    "cannot be had without looking at the image.",
    chapter="Minimal pairs",
)
def minimal_pairs(run: EvaluationRun) -> Content:
    """Show the outcomes of the pairs, per language."""
    from analysis.figures import taxonomy_bars

    pairs = minimal_pairs_of(run)
    if not pairs:
        raise InputError("These data have no minimal pairs: no two sentences share their words and differ in image.")
    table = table_of(run, "minimal_pairs", lambda: _table(run, pairs))
    own = table[table["condition"] == run.condition]
    drawn = own[own["outcome"].isin(OUTCOMES)]
    drawn = drawn.rename(columns={"outcome": "kind", "n_pairs": "n_groups", "value": "share"})
    overall = own[own["language"] == "all"]
    flipped, right = (overall[overall["outcome"] == name].iloc[0] for name in (FLIPPED_RIGHT, BOTH_RIGHT))
    sequences = len({pair.group for pair in pairs})
    return Content(
        table=table.rename(columns={"value": "share"})[["condition", *_COLUMNS]],
        figure=taxonomy_bars(drawn),
        alternative="Stacked bars of outcomes per language. All languages: both right "
        f"{with_interval(right, 'value')}, flipped the right way {with_interval(flipped, 'value')}.",
        rule="the contested words alone count; every word sequence weighs the same",
        n=f"{counted(len(pairs), 'pair')} of {counted(sequences, 'word sequence')}",
    )


def _table(run: EvaluationRun, pairs: list[MinimalPair]) -> pd.DataFrame:
    answers = run.answers()
    return pair_table(pairs, pair_outcomes(pairs, answers), answers.languages).assign(condition=run.condition)
