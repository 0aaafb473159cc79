"""``cross-lingual``: trains in some languages and tests in others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from analysis.experiment.arms import Arm, chosen_arms, language_subsets
from analysis.experiment.counts import seed_score, sentence_counts
from analysis.experiment.grid import ArmResult, Grid
from analysis.experiment.scoring import MATCHED, NONE
from analysis.experiment.tables import ResultTable
from mmner_core.data.layouts import find_files
from mmner_core.text.language_names import LANGUAGES

QUESTION = (
    "Does what is learnt in one language transfer to another? Trained on each language, each pair and all; tested on "
    "each."
)
NOTES = (
    "† zero-shot: the language was neither in training nor in the validation data that chose the epoch.",
    "Every row reads as many sentences: a row of one language reads its own four times as often as the row of all "
    "four does, a pair twice as often (in data of four languages).",
)


def run(grid: Grid) -> Iterator[tuple[list[ArmResult], list[ResultTable]]]:
    """Train on each subset and score on each language; yield rows and tables whenever a seed is complete."""
    arms: Sequence[Arm] = language_subsets(grid.base, grid_languages(grid))
    for outcomes in grid.run(chosen_arms(arms, grid.settings.variants), grid.test_sets(), (MATCHED, NONE, "shuffled")):
        yield outcomes, tables(outcomes)


def grid_languages(grid: Grid) -> tuple[str, ...]:
    """Return the languages that every training source has, in the order en, fr, de, es."""
    found = [
        {file.language for file in find_files(grid.settings.data / source.path).files if file.split == "train"}
        for source in grid.base.training.train
    ]
    return tuple(language for language in LANGUAGES if all(language in one for one in found))


def tables(outcomes: Sequence[ArmResult]) -> list[ResultTable]:
    """Return the matrix: training languages down, test languages across."""
    tested = [name for name in LANGUAGES if name in set(sentence_counts(outcomes[0].runs[0], MATCHED)["language"])]
    rows = []
    for outcome in outcomes:
        for language in tested:
            found = seed_score(outcome, MATCHED, {"language": language})
            zero_shot = language not in outcome.arm.languages
            rows.append({"trained on": outcome.arm.name, "tested on": language, "zero_shot": zero_shot})
            rows[-1] |= found.to_row()
    frame = pd.DataFrame(rows)
    sizes = ", ".join(
        f"{row['tested on']} {row['n_sentences']:,} sentences with {row['n_gold']:,} names"
        for row in frame.drop_duplicates("tested on").to_dict("records")
    )
    return [
        ResultTable(
            id="matrix",
            title="F1 on the test sentences of each language, all data sets together, with the image",
            frame=frame,
            rows="trained on",
            columns="tested on",
            mark="zero_shot",
            notes=(f"n: {sizes}.", *NOTES, "The heat map is `tables/cross-lingual/matrix.html` of the folder."),
        )
    ]
