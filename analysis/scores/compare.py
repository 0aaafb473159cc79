"""Compares two sets of answers to the same sentences: two runs, or one run under two image conditions.

Every entity that is annotated or that A or B marked is one item, and each of A and B is right about it or not: right
about an annotated entity is to mark it (span and type), right about any other is not to mark it. So each item is
exactly one of: both right, fixed (B right, A wrong), broken (A right, B wrong), both wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.run.answers import Answers
from analysis.run.categorical import from_codes
from analysis.run.spans import Spans, read_spans
from analysis.run.wording import entity_names, name_groups, touching
from analysis.scores.bootstrap import RESAMPLES, Difference, f1_difference
from analysis.scores.breakdowns import ALL, by_part
from analysis.scores.metrics import Judged, judge
from mmner_core.errors import InputError

OUTCOMES = ("both right", "fixed", "broken", "both wrong")
ANNOTATED, FALSE_ALARM = "annotated", "false alarm"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RunComparison:
    """A and B on the sentences that both answered.

    Attributes:
        a, b: the answers, row by row about the same sentence.
        gold, a_spans, b_spans: the entities, sharing types.
        rule: scoring rule of the differences.
        left_out: sentences that only one of the two answered.
    """

    a: Answers
    b: Answers
    gold: Spans
    a_spans: Spans
    b_spans: Spans
    rule: str
    left_out: int

    @classmethod
    def build(cls, a: Answers, b: Answers, rule: str = "strict") -> RunComparison:
        """Pair the sentences by ``sentence_id``.

        Raises:
            InputError: if A and B share no sentence, or one number stands for different words or gold tags.
        """
        total = len(set(a.sentences["sentence_id"]) | set(b.sentences["sentence_id"]))
        a, b = align(a, b)
        gold, a_spans, b_spans = read_spans(a.table["gold"], a.table["tags"], b.table["tags"])
        return cls(a=a, b=b, gold=gold, a_spans=a_spans, b_spans=b_spans, rule=rule, left_out=total - len(a))

    def judged(self) -> tuple[Judged, Judged]:
        """Return A's and B's entities judged by the rule."""
        return judge(self.gold, self.a_spans, self.rule), judge(self.gold, self.b_spans, self.rule)

    def mean_difference(self, *, resamples: int = RESAMPLES, seed: int = 0) -> Difference:
        """Return the F1 difference as an unweighted mean over the languages."""
        a, b = (side.counts() for side in self.judged())
        return f1_difference(a, b, strata=self.a.languages, resamples=resamples, seed=seed)

    def differences(self, *, resamples: int = RESAMPLES, seed: int = 0) -> pd.DataFrame:
        """Compare F1 for every language and type by paired bootstrap.

        Returns:
            language, type, rule, f1_a, f1_b, difference (B - A), low, high, share_above, n_sentences; what is not
            defined is missing.
        """
        a, b = self.judged()
        rows = []
        for entity_type in (ALL, *self.gold.types):
            counts = [side.counts() if entity_type == ALL else side.counts_of_type(entity_type) for side in (a, b)]
            for language, chosen in by_part(self.a.languages, unnamed=True):
                result = f1_difference(counts[0][chosen], counts[1][chosen], resamples=resamples, seed=seed)
                key = {"language": language, "type": entity_type, "rule": self.rule}
                rows.append({**key, **difference_row(result)})
        numbers = dict.fromkeys(("f1_a", "f1_b", "difference", "low", "high", "share_above"), "float64")
        return pd.DataFrame(rows).astype(numbers).sort_values("language", key=_all_first, kind="stable")

    def items(self) -> pd.DataFrame:
        """List every item with its outcome.

        Returns:
            sentence (row number), sentence_id, language, role ("annotated" or "false alarm"), start, end, type, text,
            outcome, in the order of the text.
        """
        sides = (self.gold, self.a_spans, self.b_spans)
        keys = [np.stack([s.first, s.last, s.type], axis=1) for s in sides]
        unique, first, inverse = np.unique(np.concatenate(keys), axis=0, return_index=True, return_inverse=True)
        side = np.repeat(np.arange(3), [len(s) for s in sides])
        marked = np.zeros((3, len(unique)), dtype=bool)
        marked[side, inverse] = True
        in_gold, in_a, in_b = marked
        outcome = np.select([(in_a == in_gold) & (in_b == in_gold), in_b == in_gold, in_a == in_gold], [0, 1, 2], 3)
        sentence, start, end = (np.concatenate([getattr(s, c) for s in sides])[first] for c in _PLACE)
        sentences = self.a.sentences.iloc[sentence]
        return pd.DataFrame(
            {
                "sentence": sentence,
                "sentence_id": sentences["sentence_id"].to_numpy(),
                "language": sentences["language"].to_numpy(dtype=object),
                "role": np.where(in_gold, ANNOTATED, FALSE_ALARM),
                "start": start,
                "end": end,
                "type": np.array(self.gold.types, dtype=object)[unique[:, 2]],
                "text": [" ".join(self.a.words[i:j]) for i, j, _ in unique.tolist()],
                "outcome": from_codes(outcome, OUTCOMES),
            }
        )

    def flips(self) -> pd.DataFrame:
        """List the items that were fixed or broken, with what A and B predict there."""
        items = self.items()
        flips = items[items["outcome"].isin(["fixed", "broken"])].reset_index(drop=True)
        places = [flips[name].to_numpy(dtype=np.int64) for name in _PLACE]
        for name, answers, spans in (("a_says", self.a, self.a_spans), ("b_says", self.b, self.b_spans)):
            flips[name] = name_groups(entity_names(spans, answers.words), touching(spans, *places))
        return flips


_PLACE = ("sentence", "start", "end")


def align(a: Answers, b: Answers) -> tuple[Answers, Answers]:
    """Keep the sentences that both answered, in A's order.

    Raises:
        InputError: if there is none, or one sentence number stands for different words or gold tags.
    """
    ids, other = a.sentences["sentence_id"].to_numpy(), b.sentences["sentence_id"].to_numpy()
    common, rows, others = np.intersect1d(ids, other, return_indices=True)
    if not len(common):
        raise InputError("The two have no sentence in common; compare runs over the same split.")
    order = np.argsort(rows)
    if len(common) < len(ids) or len(common) < len(other) or not np.array_equal(ids, other):
        a, b = a.take(rows[order]), b.take(others[order])
    for name in ("words", "gold"):
        if not a.table[name].equals(b.table[name]):
            row = next(i for i, (x, y) in enumerate(zip(a.table[name], b.table[name], strict=True)) if x != y)
            what = "other words" if name == "words" else "other gold tags"
            raise InputError(
                f"Sentence {ids[rows[order]][row]} ({a.sentences['where'][row]}) has {what} in the second; "
                "compare runs over the same split."
            )
    return a, b


def difference_row(result: Difference) -> dict[str, object]:
    """Return a difference as the columns every table of differences has."""
    return {
        "f1_a": result.f1_a,
        "f1_b": result.f1_b,
        "difference": result.difference,
        "low": result.interval.low if result.interval else None,
        "high": result.interval.high if result.interval else None,
        "share_above": result.share_above,
        "n_sentences": result.n_sentences,
    }


def outcome_table(items: pd.DataFrame, by: str = "language") -> pd.DataFrame:
    """Count outcomes per value of a column and role, with an "all" row each."""
    everything = items.assign(**{by: ALL})
    counts = pd.concat([everything, items]).groupby([by, "role"])["outcome"].value_counts().unstack(fill_value=0)
    table = counts.reindex(columns=list(OUTCOMES), fill_value=0).reset_index()
    return table.sort_values(by, key=_all_first, kind="stable").reset_index(drop=True)


def _all_first(values: pd.Series) -> pd.Series:
    return values.map(lambda value: (value != ALL, value))
