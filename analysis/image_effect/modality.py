"""The image's contribution: every image condition against text alone, on the same sentences.

A row of a table compares one condition with the baseline on the sentences that took part in both, so both scores, the
difference and the flips rest on the same n. Sizes: S sentences, N gold entities.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.conditions.conditions import STRESSED
from analysis.conditions.corruptions import CORRUPTIONS
from analysis.scores.bootstrap import RESAMPLES, Difference, f1_difference
from analysis.scores.breakdowns import ALL, by_part
from analysis.scores.cosine_terciles import cosine_terciles
from analysis.scores.metrics import Judged, judge
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.run.answers import Answers
    from analysis.run.folder import EvaluationRun

TEXT_ONLY = "none"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Paired:
    """Two conditions on the sentences that took part in both, in the same order.

    Attributes:
        baseline, condition: what was said under each.
        judged_baseline, judged_condition: the same, each entity right or not; their gold entities are the same rows.
        terciles: [S] thirds by image-text cosine under the condition, see :mod:`analysis.scores.cosine_terciles`;
            those of all its sentences, so that every view puts a sentence into the same one.
    """

    baseline: Answers
    condition: Answers
    judged_baseline: Judged
    judged_condition: Judged
    terciles: np.ndarray

    def __len__(self) -> int:
        return len(self.baseline)


def pair_conditions(
    run: EvaluationRun,
    condition: str = "matched",
    baseline: str = TEXT_ONLY,
    *,
    rule: str = "strict",
    pictured: bool = True,
) -> Paired:
    """Match two conditions of a run sentence by sentence.

    With ``pictured``, sentences without a photo are left out where the condition shows the others one: they say nothing
    about images.

    Raises:
        InputError: if the run lacks one of them, or they disagree on the gold tags of a sentence.
    """
    a, b = run.answers(baseline), run.answers(condition)
    places = pd.Index(b.sentences["sentence_id"]).get_indexer(pd.Index(a.sentences["sentence_id"]))
    terciles = cosine_terciles(b)[places[places >= 0]]
    a, b = a.take(places >= 0), b.take(places[places >= 0])
    has_images = (b.sentences["image_id"] != "").to_numpy()
    if pictured and has_images.any() and not has_images.all():
        a, b, terciles = a.take(has_images), b.take(has_images), terciles[has_images]
    judged_a, judged_b = judge(a.gold, a.predicted, rule), judge(b.gold, b.predicted, rule)
    same = len(judged_a.gold) == len(judged_b.gold) and all(
        np.array_equal(getattr(judged_a.gold, name), getattr(judged_b.gold, name))
        for name in ("sentence", "start", "end")
    )
    if not same or list(judged_a.gold.type_names()) != list(judged_b.gold.type_names()):
        raise InputError(
            f"Run {run.name!r}: conditions {baseline!r} and {condition!r} differ in their gold tags, so they cannot be "
            "compared; write the run anew."
        )
    return Paired(baseline=a, condition=b, judged_baseline=judged_a, judged_condition=judged_b, terciles=terciles)


def modality_table(
    run: EvaluationRun, *, baseline: str = TEXT_ONLY, rule: str = "strict", resamples: int = RESAMPLES, seed: int = 0
) -> pd.DataFrame:
    """Compare every image condition of a run with the baseline, per language and type and over all.

    One row per condition, ``language`` and ``type`` ("all" or one), with the columns of :func:`compare_slice`.

    Raises:
        InputError: if the run lacks the baseline.
    """
    rows = []
    for condition in image_conditions(run):
        paired = pair_conditions(run, condition, baseline, rule=rule)
        for language, mask, entity_type in slices_of(paired):
            row = compare_slice(paired, mask, entity_type, resamples=resamples, seed=seed)
            rows.append({"condition": condition, "language": language, "type": entity_type, **row})
    return pd.DataFrame(rows)


def image_conditions(run: EvaluationRun) -> list[str]:
    """Return the conditions of a run under which the words are as they stand in the data."""
    return [condition for condition in run.conditions if condition not in STRESSED]


def slices_of(paired: Paired) -> Iterator[tuple[str, np.ndarray, str]]:
    """Yield language, mask of its sentences, and type, with "all" of either first."""
    types = sorted(set(paired.judged_baseline.gold.types) | set(paired.judged_condition.predicted.types))
    for language, mask in by_part(paired.baseline.languages):
        for entity_type in (ALL, *types):
            yield language, mask, entity_type


def compare_slice(
    paired: Paired, mask: np.ndarray, entity_type: str = ALL, *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, float | int | str | None]:
    """Compare a condition with its baseline on some sentences and one type or all.

    Args:
        paired: from :func:`pair_conditions`.
        mask: [S] the sentences.
        entity_type: one type, or "all".
        resamples: how many bootstrap resamples to draw.
        seed: of the bootstrap.

    Returns:
        ``rule``, ``n_sentences``, ``n_gold``; ``f1`` and ``f1_baseline``; ``difference`` with its paired bootstrap
        interval ``low``, ``high``; and of the gold entities ``helped`` (found under the condition only), ``hurt``
        (found under the baseline only), ``unchanged_right`` and ``unchanged_wrong``. None is "not defined".
    """
    difference = _difference(paired, mask, entity_type, resamples, seed)
    gold = paired.judged_baseline.gold
    chosen = mask[gold.sentence]
    if entity_type != ALL:
        chosen &= gold.type_names() == entity_type
    before, after = (judged.gold_right[chosen] for judged in (paired.judged_baseline, paired.judged_condition))
    interval = difference.interval
    return {
        "rule": paired.judged_baseline.rule,
        "n_sentences": int(mask.sum()),
        "n_gold": int(chosen.sum()),
        "f1": difference.f1_b,
        "f1_baseline": difference.f1_a,
        "difference": difference.difference,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "helped": int((after & ~before).sum()),
        "hurt": int((before & ~after).sum()),
        "unchanged_right": int((before & after).sum()),
        "unchanged_wrong": int((~before & ~after).sum()),
    }


def _difference(paired: Paired, mask: np.ndarray, entity_type: str, resamples: int, seed: int) -> Difference:
    counts = [
        judged.counts() if entity_type == ALL else judged.counts_of_type(entity_type)
        for judged in (paired.judged_baseline, paired.judged_condition)
    ]
    return f1_difference(counts[0][mask], counts[1][mask], resamples=resamples, seed=seed)


def split_table(paired: Paired, groups: np.ndarray, *, resamples: int = RESAMPLES, seed: int = 0) -> pd.DataFrame:
    """Compare condition and baseline within groups of sentences: one row per ``group``, columns as above.

    Args:
        paired: from :func:`pair_conditions`.
        groups: [S] names, such as cosine terciles or pairing kinds; sentences named "" are left out.
        resamples: how many bootstrap resamples to draw.
        seed: of the bootstrap.
    """
    names = [name for name in dict.fromkeys(groups.tolist()) if name]
    rows = [{"group": name} | compare_slice(paired, groups == name, resamples=resamples, seed=seed) for name in names]
    return pd.DataFrame(rows, columns=None if rows else ["group"])


def severity_curves(table: pd.DataFrame) -> pd.DataFrame:
    """Pick the corruptions out of a modality table: add ``corruption`` and ``severity`` (0: photo as it is)."""
    parts = table["condition"].str.rsplit("-", n=1, expand=True).reindex(columns=[0, 1])
    corrupted = parts[0].isin(CORRUPTIONS) & parts[1].notna()
    curves = table[corrupted].assign(corruption=parts[0][corrupted], severity=parts[1][corrupted].astype(int))
    starts = [
        table[table["condition"] == "matched"].assign(corruption=name, severity=0)
        for name in curves["corruption"].unique()
    ]
    return pd.concat([*starts, curves]).sort_values(["corruption", "severity"], kind="stable", ignore_index=True)


def image_effects(paired: Paired) -> pd.DataFrame:
    """Return one row per gold entity with the change that the image made to its probability, most helped first.

    Columns: ``sentence_id``, ``language``, ``start``, ``end``, ``type``, ``text``, ``confidence``,
    ``confidence_baseline``, ``change``, ``right``, ``right_baseline``.

    Raises:
        InputError: if the run holds no probabilities of gold entities.
    """
    after = paired.condition.require("gold_confidence")[paired.judged_condition.gold_kept]
    before = paired.baseline.require("gold_confidence")[paired.judged_baseline.gold_kept]
    gold = paired.judged_baseline.gold
    sentences = paired.baseline.sentences.iloc[gold.sentence]
    frame = pd.DataFrame(
        {
            "sentence_id": sentences["sentence_id"].to_numpy(),
            "language": sentences["language"].to_numpy(),
            "start": gold.start,
            "end": gold.end,
            "type": gold.type_names(),
            "text": gold.texts(paired.baseline.words),
            "confidence": after,
            "confidence_baseline": before,
            "change": after - before,
            "right": paired.judged_condition.gold_right,
            "right_baseline": paired.judged_baseline.gold_right,
        }
    )
    return frame.sort_values("change", ascending=False, kind="stable", ignore_index=True)
