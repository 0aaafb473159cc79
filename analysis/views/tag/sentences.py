"""Words what was found in a text, and what the photo had to do with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from mmner_core.results import Prediction, TaggedEntity
from mmner_core.text.language_names import LANGUAGE_NAMES

_NOTABLE = 0.05  # a change of confidence smaller than this is not worth a word
LITTLE = 0.1
"""Share of attention below which a photo tells nothing worth a word about a name."""


class Role(Enum):
    """What the photo did for one name."""

    UNKNOWN = "not compared"
    UNCHANGED = "did not change"
    DECIDED = "decided"
    ADDED = "added"
    BOUNDARY = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """One line of the results table, ready to print."""

    name: str
    type: str
    confidence: float
    runner_up: str
    characters: str
    role: Role
    sentence: str

    @property
    def changed(self) -> bool:
        """Return whether the photo changed the answer about the name."""
        return self.role not in (Role.UNKNOWN, Role.UNCHANGED)


def image_role(entity: TaggedEntity, text_only: Sequence[TaggedEntity] | None) -> Role:
    """Compare one name with what the text alone yields.

    Same span and type: unchanged. Same span, other type: the photo decided. Overlapping another span: it moved the
    boundary. Nothing there: it added the name.
    """
    if entity.without_image is None or text_only is None:
        return Role.UNKNOWN
    rivals = [other for other in text_only if _overlap(entity, other)]
    if not rivals:
        return Role.ADDED
    same_span = [other for other in rivals if (other.start, other.end) == (entity.start, entity.end)]
    if not same_span:
        return Role.BOUNDARY
    return Role.UNCHANGED if same_span[0].type == entity.type else Role.DECIDED


def lost_without_trace(prediction: Prediction) -> list[TaggedEntity]:
    """Return the names that only the text-only pass finds: nothing overlaps them once the photo is there."""
    return [
        other
        for other in prediction.text_only_entities or ()
        if not any(_overlap(entity, other) for entity in prediction.entities)
    ]


def entity_sentence(entity: TaggedEntity, text_only: Sequence[TaggedEntity] | None) -> str:
    """Write the one sentence about the photo's part in a name, for example "With the photo 0.83 PER, ..."."""
    role = image_role(entity, text_only)
    without = entity.without_image
    if role is Role.UNKNOWN or without is None:
        other = entity.runner_up
        return f"{entity.confidence:.2f} {entity.type}; next best {other.confidence:.2f} {other.type}."
    figures = f"With the photo {entity.confidence:.2f} {entity.type}, without {without.confidence:.2f} {without.type}"
    if (another := entity.with_other_image) is not None:
        figures += f", with another photo {another.confidence:.2f} {another.type}"
    if role is Role.UNCHANGED:
        verdict = f": the photo did not change this answer{_surer(entity.confidence - without.confidence)}"
    elif role is Role.DECIDED:
        verdict = ": a close call, which the photo tipped" if _sees_nothing(entity) else ": the photo decided"
    elif role is Role.ADDED:
        verdict = ", too little to mark it: the photo added this name"
    else:
        rivals = " and ".join(f"“{other.text}” ({other.type})" for other in text_only or () if _overlap(entity, other))
        verdict = f": the photo moved the boundary; the text alone marks {rivals}"
    return f"{figures}{verdict}.{_looked(entity)}"


def _looked(entity: TaggedEntity) -> str:
    """Say how much of the name's attention lies on the photo, where the model tells."""
    if entity.photo_share is None:
        return ""
    if _sees_nothing(entity):
        return f" The model sees nothing here about this name ({entity.photo_share:.0%} of its attention)."
    return f" {entity.photo_share:.0%} of the name's attention lies on the photo."


def _sees_nothing(entity: TaggedEntity) -> bool:
    return entity.photo_share is not None and entity.photo_share < LITTLE


def lost_sentence(entity: TaggedEntity) -> str:
    """Write the sentence about a name that is found only without the photo."""
    return (
        f"“{entity.text}” is a name ({entity.type} {entity.confidence:.2f}) only to the text alone: "
        "the photo took it away."
    )


def answer_summary(prediction: Prediction) -> str:
    """Sum up the result in one or two sentences: how many names, and the photo's part in them."""
    names, lost = len(prediction.entities), len(lost_without_trace(prediction))
    if not names:
        return f"No names found; the text alone has {lost}." if lost else "No names found in this text."
    found = f"{names} {'name' if names == 1 else 'names'} found"
    if prediction.image_size is None:
        return f"{found}, from the text alone."
    roles = Counter(image_role(e, prediction.text_only_entities) for e in prediction.entities)
    if roles[Role.UNKNOWN]:
        return f"{found}, with the photo."
    changes = [
        f"{verb} {count}"
        for verb, count in (
            ("decided", roles[Role.DECIDED]),
            ("added", roles[Role.ADDED]),
            ("moved the boundary of", roles[Role.BOUNDARY]),
            ("took away", lost),
        )
        if count
    ]
    if not changes:
        return f"{found}. The photo did not change {'it' if names == 1 else 'any of them'}."
    if names == 1 and not lost:
        return f"{found}. The photo {changes[0].removesuffix(' 1')} it."
    same = roles[Role.UNCHANGED]
    rest = f"; the other {same} {'stands' if same == 1 else 'stand'} on the text alone" if same else ""
    return f"{found}. The photo {_listed(changes)}{rest}."


def table_rows(prediction: Prediction) -> list[ResultRow]:
    """Return one row per name, in text order; character positions count from 0, the end not included."""
    return [
        ResultRow(
            name=entity.text,
            type=entity.type,
            confidence=entity.confidence,
            runner_up=f"{entity.runner_up.type} {entity.runner_up.confidence:.2f}",
            characters=f"{entity.start}–{entity.end}",
            role=image_role(entity, prediction.text_only_entities),
            sentence=entity_sentence(entity, prediction.text_only_entities),
        )
        for entity in prediction.entities
    ]


def photo_match(prediction: Prediction) -> float | None:
    """Return the cosine of photo and text, mean over the streams, -1 to 1; None where it is not known."""
    cosines = prediction.image_text_cosine.values()
    return sum(cosines) / len(cosines) if cosines else None


def mismatch_sentence(prediction: Prediction, low: float | None) -> str:
    """Say that photo and text seem to have nothing to do with each other, "" where nothing says so.

    One in ten pairs that do belong together has so low a cosine, so it is not said of a photo that a name looks at.

    Args:
        prediction: of both.
        low: the cosine below which they do not match; None where it is not known.
    """
    match = photo_match(prediction)
    if match is None or low is None or match >= low:
        return ""
    if any(entity.photo_share is not None and not _sees_nothing(entity) for entity in prediction.entities):
        return ""
    return "The photo does not seem to show what the text speaks of."


def language_sentence(prediction: Prediction) -> str:
    """Say which language the words were split by, and who chose it."""
    name = LANGUAGE_NAMES.get(prediction.language, prediction.language)
    return f"{name}, detected" if prediction.language_detected else f"{name}, as chosen"


def _surer(change: float) -> str:
    if abs(change) < _NOTABLE:
        return ""
    return ", but made it surer" if change > 0 else ", but made it less sure"


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _overlap(first: TaggedEntity, second: TaggedEntity) -> bool:
    return first.start < second.end and second.start < first.end
