"""The results of a run on a user's data: the card of its checkpoint, and its last lines of output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from mmner_core.config import ModelConfig
from mmner_core.errors import listed
from mmner_core.training.card import card_parts
from mmner_core.training.own.announce import languages_of
from mmner_core.training.own.data import sentences
from mmner_core.training.own.plan import Plan

TEMPLATE = Path(__file__).with_name("card.md")
UNMEASURED = (
    "What {init} knew before may have been lost, and was not measured. `--keep FILE`, with its old validation data, "
    "has it scored before and after."
)


def facts_of(plan: Plan) -> dict[str, Any]:
    """Return the facts that provenance states for runs on a user's data only."""
    examples = sentences(plan.data.train)
    return {
        "own": {
            "title": plan.task.out.name,
            "init": None if plan.task.init is None else str(plan.task.init),
            "preset": plan.task.preset,
            "languages": dict(languages_of(examples)),
            "new_types": list(plan.new),
            "absent_types": list(plan.absent),
            "renamed_types": dict(plan.task.names.names),
            "sentences": len(examples),
            "sentences_with_photo": sum(e.image is not None for e in examples) if plan.sees else 0,
        }
    }


def render_own_card(config: ModelConfig, metrics: Mapping[str, Any], provenance: Mapping[str, Any]) -> str:
    """Return the card as Markdown.

    Args:
        config: the model.
        metrics: with "valid", "test" and "kept".
        provenance: with what :func:`facts_of` says.
    """
    own = provenance["own"]
    parts = card_parts(config, metrics, provenance)
    parts["test"] = parts["test"] if metrics["test"] else "None were given."
    n, has_images = own["sentences"], own["sentences_with_photo"]
    begun = f"it began as `{own['init']}`" if own["init"] else f"preset `{own['preset']}`, trained from these"
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        parts,
        title=own["title"],
        begun=begun,
        languages=", ".join(f"{name} ({n:,})" for name, n in own["languages"].items()),
        own_types=_types(own),
        photos=f"{has_images:,} of {n:,} training sentences had one." if has_images else "none were read in training.",
        kept=_kept(own, metrics["kept"]),
    )


def last_lines(plan: Plan, metrics: Mapping[str, Any]) -> str:
    """Return the scores of a run, on new and on old data, one line each."""
    lines = [
        f"Best epoch: {metrics['best_epoch']} of {len(metrics['epochs'])}, F1 {_f1(metrics['best_mean_f1'])} on valid."
    ]
    for record in metrics["test"]:
        micro, before = record["micro"], record.get("before")
        photos = {"matched": "with photos, ", "none": ""}[record["image_condition"]]
        lines.append(
            f"Test {record['data']}: {photos}F1 {_f1(micro['f1'])} on {micro['support']:,} names"
            + (f"; {plan.task.init} has {_f1(before['f1'])} there." if before else ".")
        )
    for row in metrics["kept"] or ():
        old, new = row["before"]["micro"]["f1"], row["after"]["micro"]["f1"]
        lines.append(
            f"What it knew before, on {row['before']['data']}: F1 {_f1(old)} before, {_f1(new)} after "
            f"({100 * (new - old):+.1f})."
        )
    if plan.task.init is not None and metrics["kept"] is None:
        lines.append(UNMEASURED.format(init=plan.task.init))
    return "\n".join(lines)


def _f1(value: float) -> str:
    return f"{100 * value:.1f}"


def _types(own: Mapping[str, Any]) -> str:
    parts = ["those above."]
    if own["new_types"] and own["init"]:
        parts.append(f"{listed(own['new_types'])}: unknown to the checkpoint that it began as, learnt here alone.")
    if own["absent_types"]:
        parts.append(
            f"{listed(own['absent_types'])}: not marked in these data; what it knows of them is what it knew before."
        )
    if own["renamed_types"]:
        parts.append("Renamed: " + ", ".join(f"{old} to {new}" for old, new in own["renamed_types"].items()) + ".")
    return " ".join(parts)


def _kept(own: Mapping[str, Any], kept: Sequence[Mapping[str, Any]] | None) -> str:
    if own["init"] is None:
        return "Nothing: it began with pretrained encoders alone."
    if kept is None:
        return UNMEASURED.format(init=own["init"])
    lines = ["| data | language | F1 before | F1 after | difference | names |", "| --- | --- | --- | --- | --- | --- |"]
    for row in kept:
        for language, old in row["before"]["by_language"].items():
            new = row["after"]["by_language"][language]
            lines.append(
                f"| {row['before']['data']} | {language} | {_f1(old['f1'])} | {_f1(new['f1'])} | "
                f"{100 * (new['f1'] - old['f1']):+.1f} | {old['support']:,} |"
            )
    return "F1 in percent on data of the kind that it knew before, before and after this training.\n\n" + "\n".join(
        lines
    )
