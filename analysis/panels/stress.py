"""The panel on changed texts: the cost of lower case, missing accents, typing mistakes and hashtags, per language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.image_effect.text_stress import stress_table
from analysis.panels.modality import NAMES
from analysis.panels.panel import Content, panel
from analysis.panels.stored import table_of
from analysis.panels.wording import counted, extremes

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun

_COLUMNS = [
    "condition", "language", "type", "f1_clean", "f1", "difference", "low", "high", "lost", "gained", "n_changed",
    "n_sentences", "n_gold",
]  # fmt: skip


@panel(
    "stress",
    "Changed texts",
    "Each bar is F1 with the words changed minus F1 of the same sentences as they stand (0); an interval that holds 0 "
    "means that these sentences do not show a cost. How many of them the change touches at all is in the table.",
    chapter="Changed texts",
    height=560,
)
def stress(run: EvaluationRun) -> Content:
    """Show every change of the words, per language and type."""
    from analysis.figures import modality_bars

    table = table_of(run, "stress", lambda: stress_table(run))
    overall = table[table["type"] == "all"]
    everywhere = overall[overall["language"] == "all"]
    names = {name: NAMES[name] for name in NAMES if name in set(table["condition"])}
    return Content(
        table=table[_COLUMNS].assign(condition=table["condition"].map(lambda name: NAMES.get(name, name))),
        figure=modality_bars(overall, names, against="the text as it is") if len(overall) else None,
        alternative="Bars of the F1 difference to the text as it is, all languages. "
        + extremes(everywhere, "difference", lambda row: names.get(row["condition"], row["condition"]), sign=True),
        rule="strict; difference to the text as it is by paired bootstrap over sentences; lost and gained count gold "
        "entities",
        n=counted(int(everywhere["n_sentences"].max()) if len(everywhere) else 0, "sentence"),
    )
