"""Reads what a visitor wants a run to be, and tells what cannot be before anything is started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.conditions.conditions import REPLACED
from analysis.jobs.description import Description
from analysis.jobs.job import Choices, check_run_name
from analysis.jobs.models import Models
from mmner_core.data.type_names import suggest
from mmner_core.errors import InputError, listed
from mmner_core.labels import OUTSIDE, is_tag

CONDITIONS = tuple(name for name in REPLACED if name != "irrelevant")
"""Those for which nothing but the data set is needed."""
_FIELDS = ("name", "model", "convention", "conditions", "corruptions", "studies", "types", "limit")


def read_choices(asked: Mapping[str, Any], description: Description, models: Models, most: int) -> Choices:
    """Read a visitor's choices.

    Args:
        asked: the fields of :class:`Choices`; all but the name may be left out. Types without a new name keep their
            own where the model knows it.
        description: of the data set.
        models: to choose from.
        most: sentences that a run may have.

    Raises:
        InputError: naming what cannot be.
    """
    if unknown := sorted(set(map(str, asked)) - set(_FIELDS)):
        raise InputError(f"A run has no setting {unknown[0][:40]!r}; there are {', '.join(_FIELDS)}.")
    name, model = check_run_name(asked.get("name")), models.check(asked.get("model"))
    limit = _limit(asked.get("limit"))
    _check_data(description, limit, most)
    conditions = _conditions(asked.get("conditions"), description)
    return Choices(
        name=name,
        model=model,
        convention=_convention(asked.get("convention"), model, models),
        conditions=conditions,
        corruptions=_flag(asked, "corruptions", default=False) and bool(description.photos.present),
        studies=_flag(asked, "studies", default=True),
        types=_types(asked.get("types"), description, types_of_model(model, models)),
        limit=limit,
    )


def types_of_model(model: str, models: Models) -> tuple[str, ...]:
    """Return the types that a checkpoint knows; none for a model of somebody's own, which may know any."""
    config = models.config(model)
    return () if config is None else config.types


def suggested_types(description: Description, known: tuple[str, ...]) -> dict[str, str]:
    """Return for each type of the data the model's that it may mean, empty where none is; its own if any will do."""
    if not known:
        return {name: name for name in description.types}
    meant = suggest(description.types, known)
    return {name: name if name in known else meant.get(name, "") for name in description.types}


def _check_data(description: Description, limit: int | None, most: int) -> None:
    if description.problem:
        raise InputError(description.problem)
    if description.untagged:
        raise InputError(
            f"{description.untagged:,} of {description.sentences:,} sentences have no gold tags; a run compares a "
            "model with them, so each word needs one."
        )
    if (taken := description.sentences_of(limit)) > most:
        raise InputError(
            f"The run would have {taken:,} sentences; this server allows {most:,}. Take only the first so many of "
            "each language."
        )


def _conditions(asked: Any, description: Description) -> tuple[str, ...]:
    """Return the conditions to name; the usual ones are not, so that one that cannot be had is left out with a note."""
    if asked is None:
        return ()
    if not isinstance(asked, list) or (unknown := [name for name in asked if name not in CONDITIONS]):
        told = asked if not isinstance(asked, list) else unknown[0]
        raise InputError(f"{str(told)[:40]!r} is no image condition; choose among {', '.join(CONDITIONS)}.")
    if not description.photos.present or set(asked) >= set(CONDITIONS):
        return ()
    if not asked:
        raise InputError("Choose at least one image condition.")
    return tuple(name for name in CONDITIONS if name in asked)


def _types(asked: Any, description: Description, known: tuple[str, ...]) -> dict[str, str]:
    """Return what each type is to be called that is to be called otherwise."""
    asked = {} if asked is None else asked
    if not isinstance(asked, dict):
        raise InputError('types must be an object such as {"PERSON": "PER"}.')
    if strange := [name for name in asked if name not in description.types]:
        raise InputError(
            f"types: the data have no type {str(strange[0])[:40]!r}; they have {listed(description.types)}."
        )
    found = {}
    for name in description.types:
        new = asked.get(name) or name
        if not isinstance(new, str) or not (new == OUTSIDE or is_tag(f"B-{new}")):
            raise InputError(f"types: {str(new)[:40]!r} is no name of a type.")
        if known and new not in (*known, OUTSIDE):
            raise InputError(
                f"The model does not know the type {new[:40]!r} ({description.types[name]:,} entities); choose one of "
                f"{', '.join(known)}, or {OUTSIDE} to leave them out."
            )
        if new != name:
            found[name] = new
    return found


def _convention(asked: Any, model: str, models: Models) -> str:
    config = models.config(model)
    known = () if config is None else config.conventions
    if asked and asked not in known:
        raise InputError(
            f"The model {model} has no convention {str(asked)[:40]!r}; it has {', '.join(known) or 'one only'}."
        )
    return str(asked or "")


def _limit(asked: Any) -> int | None:
    if asked is None or asked == "":
        return None
    if not isinstance(asked, int | str) or isinstance(asked, bool) or not str(asked).isdecimal() or not int(asked):
        raise InputError(f"The number of sentences must be a whole number from 1, not {str(asked)[:20]!r}.")
    return int(asked)


def _flag(asked: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = asked.get(name, default)
    if not isinstance(value, bool):
        raise InputError(f"{name} must be true or false, not {str(value)[:20]!r}.")
    return value
