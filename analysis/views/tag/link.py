"""A link that restores a question: text, language, model, the example's photo if it is one, the name and map shown.

What was asked stands behind the ``#`` of the address, which browsers send to no server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.views.heat_map.kinds import kind_of
from analysis.views.questions import TagQuestion
from analysis.views.rendering import macros
from analysis.views.tag.examples import demo_examples
from mmner_core.errors import InputError
from mmner_core.runtime.digests import file_digest

if TYPE_CHECKING:
    from markupsafe import Markup

OWN = "own"
"""In place of an example's photo: one that the visitor has added, which no link can hold."""
_MISSING = "This question had a photo of its own, which no link can hold: add the photo and ask again."
_FIELDS = ("text", "photo", "language", "convention", "model", "kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedQuestion:
    """What a link restores.

    Attributes:
        text, language, convention, model: as the page's inputs have them.
        photo: of an example, None for none.
        own_photo: whether the question had a photo that the link cannot hold.
        entity: number of the name whose map is shown.
        kind: of that map.
    """

    text: str
    photo: Path | None
    own_photo: bool
    language: str
    convention: str
    model: str
    entity: int
    kind: str

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> LinkedQuestion:
        """Read the values of a link.

        Raises:
            InputError: if one cannot be what the page wrote.
        """
        known = {name: values.get(name, "") for name in _FIELDS}
        entity = values.get("entity", 0)
        if not all(isinstance(value, str) for value in known.values()) or not isinstance(entity, int) or entity < 0:
            raise InputError("This link is not readable; it was cut short or changed on its way.")
        photo = known.pop("photo")
        photos = {file.name: file for file in _photos().values()}
        if photo not in ("", OWN, *photos):
            raise InputError(f"The link names the photo {photo[:40]!r}, which is not among the examples here.")
        if known["kind"]:
            kind_of(known["kind"])
        return cls(
            photo=photos.get(photo),
            own_photo=photo == OWN,
            entity=entity,
            **known | {"language": known["language"] or "auto"},
        )


def link_html(question: TagQuestion, photo_digest: str) -> Markup:
    """Return the button that copies a link to a question.

    Args:
        question: what was asked.
        photo_digest: SHA-256 of its photo, hex; "" without one.
    """
    example = _photos().get(photo_digest)
    asked = {
        "text": question.text,
        "photo": example.name if example is not None else OWN if photo_digest else "",
        "language": question.language or "",
        "convention": question.convention or "",
        "model": question.model or "",
    }
    return macros("tag/macros").link({name: value for name, value in asked.items() if value})


def missing_photo_html() -> Markup:
    """Return the sentence that stands above an answer whose question had a photo that the link could not hold."""
    return macros("tag/macros").warning(_MISSING)


@cache
def _photos() -> dict[str, Path]:
    """Return the photos of the examples by the digests of their files."""
    return {file_digest(example.photo): example.photo for example in demo_examples() if example.photo is not None}
