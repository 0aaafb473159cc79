"""Plans which sentences a run tags under which condition.

Under "matched" and "none", and where words are changed, every sentence takes part: with what the data give it (its
photo, or nothing where it has none), or with nothing. Every other condition replaces or hides a photo, so it is for
sentences that have one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analysis.conditions.conditions import (
    CONDITIONS,
    CORRUPTED,
    HIDDEN,
    NOTHING,
    REPLACED,
    STRESSED,
    ConditionPlan,
    plan_condition,
)
from mmner_core.data import Example
from mmner_core.errors import InputError

MATCHED, NONE = "matched", "none"
ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """The conditions of a run in the order in which they are tagged.

    Attributes:
        conditions: each over all sentences.
        left_out: conditions of the default list that these data or this checkpoint cannot have, and why.
    """

    conditions: tuple[ConditionPlan, ...]
    left_out: dict[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the conditions."""
        return tuple(plan.name for plan in self.conditions)

    @property
    def main(self) -> str:
        """Return the condition of the entity vectors and the map: "matched" where there is one."""
        return MATCHED if MATCHED in self.names else self.names[0]

    def skipped(self) -> dict[str, dict[str, int]]:
        """Return per condition how many sentences take no part, by reason."""
        return {plan.name: dict(Counter(plan.skipped.values())) for plan in self.conditions if plan.skipped}


def condition_names(asked: Sequence[str], *, corruptions: bool, hidden: bool, stress: bool = False) -> tuple[str, ...]:
    """Return the conditions to run.

    Args:
        asked: names; "all" stands for every condition there is; empty: the default ones.
        corruptions: add each corruption at each severity.
        hidden: add those that hide words or a stream, which Shapley shares need.
        stress: add those that change the words.

    Changed words are compared with the words as they are, so those come along.

    Raises:
        InputError: if there is no such condition.
    """
    if unknown := [name for name in asked if name not in (*CONDITIONS, ALL)]:
        raise InputError(
            f"There is no image condition {unknown[0]!r}; choose among {', '.join((*REPLACED, *STRESSED, *HIDDEN))}, a "
            f"corruption such as {CORRUPTED[0]}, or {ALL}."
        )
    wanted = set(CONDITIONS) if ALL in asked else set(asked or REPLACED)
    if corruptions:
        wanted |= set(CORRUPTED)
    if hidden:
        wanted |= set(HIDDEN) | {MATCHED, NONE}
    if stress:
        wanted |= set(STRESSED)
    if wanted & set(STRESSED):
        wanted |= {MATCHED, NONE}
    return tuple(name for name in CONDITIONS if name in wanted)


def plan_run(
    examples: Sequence[Example],
    names: Sequence[str],
    *,
    insist: Sequence[str] = (),
    irrelevant: Sequence[Path] = (),
    reads_images: bool = True,
    streams: Sequence[str] = ("vit", "cnn"),
    seed: int = 0,
) -> RunPlan:
    """Plan every condition over all sentences.

    Args:
        examples: the sentences.
        names: the conditions, see :func:`condition_names`.
        insist: those that the user named; one that cannot be had is an error instead of a note.
        irrelevant: photos for the condition "irrelevant".
        reads_images: whether the checkpoint looks at photos at all.
        streams: the image streams it has.
        seed: of whose photo goes where.

    Raises:
        InputError: if a condition that the user named cannot be had.
    """
    has_images = reads_images and any(e.image is not None and e.image.is_file() for e in examples)
    plans, left_out = [], {}
    for name in names:
        if reason := _unavailable(name, has_images, reads_images, bool(irrelevant), streams):
            left_out[name] = reason
            continue
        plan = plan_condition(examples, name, seed=seed, irrelevant=irrelevant)
        if name in (MATCHED, NONE, *STRESSED):
            sources = tuple(source if source is not None and reads_images else NOTHING for source in plan.sources)
            plan = replace(plan, sources=sources, skipped={})
        plans.append(plan)
    if denied := [name for name in insist if name in left_out]:
        raise InputError(f"The condition {denied[0]!r} cannot be had: {left_out[denied[0]]}.")
    if not plans:
        plans, left_out = [_text_only(len(examples))], {k: v for k, v in left_out.items() if k != NONE}
    return RunPlan(conditions=tuple(plans), left_out=left_out)


def plan_facts(plan: RunPlan) -> dict[str, Any]:
    """Return the conditions with their sentences, those skipped and those left out, JSON-ready."""
    taking_part = {p.name: sum(source is not None for source in p.sources) for p in plan.conditions}
    return {"planned": taking_part, "skipped": plan.skipped(), "left_out": plan.left_out}


def _text_only(n: int) -> ConditionPlan:
    return ConditionPlan(name=NONE, sources=(NOTHING,) * n, skipped={})


def _unavailable(name: str, has_images: bool, reads_images: bool, pool: bool, streams: Sequence[str]) -> str:
    """Return why a condition is unavailable; empty where it is available."""
    words_seen, seen = HIDDEN.get(name, (True, None))
    if name == NONE or name in STRESSED:
        return ""
    if not reads_images:
        return "the model reads text only"
    if not has_images:
        return "no sentence has a photo file"
    if name == "irrelevant" and not pool:
        return "no irrelevant photos are known; give --pairs or --irrelevant"
    if missing := [stream for stream in seen or () if stream not in streams]:
        return f"the model has no stream {missing[0]!r} that could be hidden"
    return ""
