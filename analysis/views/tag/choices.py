"""The choices of the Tag tab's controls: label and value of each."""

from __future__ import annotations

from collections.abc import Sequence

from mmner_core.text.language_names import LANGUAGE_NAMES

LANGUAGES = [("Detect it", "auto"), *((name, code) for code, name in LANGUAGE_NAMES.items())]
CONVENTIONS = [("Default of the model", "")]
_CONVENTION_NAMES = {"wiki": "Encyclopaedia and news", "caption": "Captions and posts"}


def convention_choices(conventions: Sequence[str]) -> list[tuple[str, str]]:
    """Return the conventions that a model knows; the first is its default, which needs no name."""
    choices = [(_CONVENTION_NAMES.get(name, name), name) for name in conventions]
    return [*((label, "") for label, _ in choices[:1]), *choices[1:]]
