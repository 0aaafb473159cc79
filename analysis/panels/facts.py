"""Facts of a run's provenance for the line under every panel."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun

UNKNOWN = "not stated"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """Provenance in words.

    Attributes:
        name: of the run.
        split: which data.
        checkpoint: of the model, shortened; empty for another system's predictions.
        model: the factory of a user's own model, empty for any other.
    """

    name: str
    split: str
    checkpoint: str
    model: str


def command_of(
    panel_id: str, run: EvaluationRun, other: EvaluationRun | None, valid: EvaluationRun | None, condition: str | None
) -> str:
    """Return the command lines that write the run and one panel's table, the latter with the reader's choices."""
    words = ["python", "-m", "analysis", "report", _place(run), *([_place(other)] if other is not None else [])]
    words += ["--valid", _place(valid)] if valid is not None else []
    words += ["--condition", condition] if condition not in (None, run.condition) else []
    own = shlex.join([*map(str, words), "--only", panel_id, "--csv", "tables"])
    written = _short_command(_command(run.provenance.get("command")), run.written)
    return f"{written}\n{own}" if written else own


def facts_of(run: EvaluationRun) -> RunFacts:
    """Read the provenance; what it does not state is said to be so."""
    provenance = run.provenance
    data = provenance.get("data")
    split = evaluated_split(provenance)
    place = run.written(str(_named(data, "path") or (data if isinstance(data, str) else "")))
    return RunFacts(
        name=run.name,
        split=", ".join(str(part) for part in (split, place) if part) or UNKNOWN,
        checkpoint=checkpoint_of(provenance)[:12],
        model=str(_named(provenance.get("model"), "factory") or ""),
    )


def evaluated_split(provenance: dict[str, Any]) -> str:
    """Return the name of the split, empty where it is not stated."""
    return str(provenance.get("split") or _named(provenance.get("data"), "split") or "")


def checkpoint_of(provenance: dict[str, Any]) -> str:
    """Return the digest of the checkpoint or of a user's own model, empty for another system's predictions."""
    digests = (_named(provenance.get(maker), "digest") for maker in ("checkpoint", "model"))
    return str(next(filter(None, digests), ""))


def import_notes(provenance: dict[str, Any]) -> tuple[str, ...]:
    """Return the notes on another system's tags from when they were read; empty for a model of this workbench."""
    notes = _named(provenance.get("predictions"), "notes") or _named(provenance.get("model"), "notes")
    return tuple(map(str, notes)) if isinstance(notes, list) else ()


def probability_of(provenance: dict[str, Any]) -> str:
    """Describe the probability of an entity in a run: that of the CRF, unless a user's own model gave it."""
    return str(provenance.get("probability") or "exact CRF probability of the entity (span and type)")


def why_left_out(provenance: dict[str, Any], conditions: Iterable[str]) -> str:
    """Return why a run lacks some of these conditions, if that was recorded; empty if not."""
    left_out = _named(provenance.get("conditions"), "left_out")
    reasons = [str(left_out[name]) for name in conditions if isinstance(left_out, dict) and name in left_out]
    return "; ".join(dict.fromkeys(reasons))


def provenance_rows(provenance: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Write nested provenance as rows of name and value, for a table."""
    rows = []
    for key, value in provenance.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            rows += provenance_rows(value, f"{name}: ")
        elif key == "command":
            rows.append((name, _command(value)))
        else:
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            rows.append((name, text if value is not None else "–"))
    return rows


def _place(run: EvaluationRun) -> str:
    return run.written(str(run.folder)) if run.folder is not None else run.name


def _short_command(command: str, written: Callable[[str], str]) -> str:
    """Shorten the paths of a command to what the run's reader may see, including those after the ``=`` of an option."""
    if written is str:
        return command
    try:
        words = shlex.split(command)
    except ValueError:  # not as a shell would have it
        words = command.split()
    short = []
    for word in words:
        option, equals, value = word.partition("=")
        short.append(f"{option}={written(value)}" if equals and option.startswith("-") else written(word))
    return shlex.join(short)


def _named(content: object, key: str) -> Any:
    return content.get(key) if isinstance(content, dict) else None


def _command(command: object) -> str:
    if isinstance(command, list):
        return shlex.join(map(str, command))
    return str(command or "")
