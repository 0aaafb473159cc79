"""Two answers to one sentence, name by name: with another photo, with parts of the photo hidden, by another model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.views.questions import TagAnswer, TagQuestion
from mmner_core.errors import InputError
from mmner_core.results import Prediction, TaggedEntity
from mmner_core.serving.reply import tag_reply

if TYPE_CHECKING:
    from analysis.views.service import TagService

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A name of either answer, and how probable each finds it.

    Attributes:
        name: as the first answer has it, if that does.
        one, other: the exact probability of these words with this type in each answer; None for a model that does not
            know the type.
        in_one, in_other: whether each answer marks it.
    """

    name: TaggedEntity
    one: float | None
    other: float | None
    in_one: bool
    in_other: bool

    @property
    def difference(self) -> float | None:
        """Return by how much the second answer is surer; None where one does not know the type."""
        return None if self.one is None or self.other is None else self.other - self.one

    @property
    def kind(self) -> str:
        """Return what became of the name: "kept", "vanished" or "added"."""
        return "kept" if self.in_one and self.in_other else "vanished" if self.in_one else "added"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedAnswers:
    """Two answers, and every name of either in the order of the text."""

    one: TagAnswer
    other: TagAnswer
    changes: tuple[Change, ...]


def compare(service: TagService, one: TagQuestion, other: TagQuestion) -> ComparedAnswers:
    """Answer two questions about one sentence, each with the probability of the names that only the other finds.

    Raises:
        InputError: if a question cannot be answered, or they are not about the same words.
    """
    first = service.answer(one)
    second = service.answer(other, tuple(map(_span, first.prediction.entities)))
    if first.prediction.words != second.prediction.words:
        raise InputError("The two answers split the sentence into other words, so their names cannot be compared.")
    marked = {(_span(name), name.type) for name in first.prediction.entities}
    new = [_span(name) for name in second.prediction.entities if (_span(name), name.type) not in marked]
    if new:
        first = service.answer(one, tuple(new))
    return ComparedAnswers(one=first, other=second, changes=_changes(first.prediction, second.prediction))


def comparison_reply(found: ComparedAnswers) -> dict[str, Any]:
    """Return a comparison for programs: both answers, and every name with its probability in each."""
    return {
        "one": _reply(found.one),
        "other": _reply(found.other),
        "names": [
            {
                "text": change.name.text,
                "type": change.name.type,
                "start": change.name.start,
                "end": change.name.end,
                "one": change.one,
                "other": change.other,
                "change": change.kind,
            }
            for change in found.changes
        ],
    }


def _changes(one: Prediction, other: Prediction) -> tuple[Change, ...]:
    """Put the names of two predictions of the same words together, each with what the other makes of it."""
    marked = [{(_span(name), name.type): name for name in prediction.entities} for prediction in (one, other)]
    both = marked[1] | marked[0]
    return tuple(
        Change(
            name=both[key],
            one=_probability(one, marked[0], key),
            other=_probability(other, marked[1], key),
            in_one=key in marked[0],
            in_other=key in marked[1],
        )
        for key in sorted(both)
    )


def _probability(
    prediction: Prediction, marked: Mapping[tuple[Span, str], TaggedEntity], key: tuple[Span, str]
) -> float | None:
    if key in marked:
        return marked[key].confidence
    span, entity_type = key
    return prediction.wanted[span].get(entity_type)


def _span(name: TaggedEntity) -> Span:
    return name.word_start, name.word_end


def _reply(answer: TagAnswer) -> dict[str, Any]:
    source = answer.source
    return tag_reply(answer.prediction, "" if source is None else source.name, "" if source is None else source.digest)
