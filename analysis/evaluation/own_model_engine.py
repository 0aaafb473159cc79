"""Asks a model of your own about the sentences of a shard under every image condition.

A batch of sentences is asked under all conditions before the next one, so that each photo is read once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.conditions.conditions import ConditionPlan, ShownImage
from analysis.evaluation.decoding import Decoded
from analysis.evaluation.image_features import without_owner
from analysis.evaluation.own_model_images import ConditionImages
from analysis.evaluation.own_model_vectors import collect_vectors
from analysis.evaluation.readable_images import readable_sources
from analysis.evaluation.tagged_shard import TaggedSentence
from analysis.own_model.checked import CheckedAnswer
from analysis.own_model.interface import Item
from analysis.own_model.probability import described_entities, entity_probability, gold_loss
from mmner_core.data.type_names import TypeNames
from mmner_core.errors import InputError
from mmner_core.labels import OUTSIDE, split_tag, tags_to_entities
from mmner_core.runtime.cache import RecentlyUsed

if TYPE_CHECKING:
    from PIL.Image import Image

    from analysis.evaluation.plan import RunPlan
    from analysis.own_model.process import ModelProcess
    from analysis.run.evaluation_set import EvaluationSet

_TEXT_BYTES = 64_000_000
"""Kept of answers to items without an image, which several conditions ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTagged:
    """A shard, tagged by a model of your own.

    Attributes:
        answers: in the order of the conditions, then of the sentences.
        vectors: see :mod:`analysis.evaluation.own_model_vectors`.
        skipped: per condition the sentences whose photo turned out to be unreadable.
    """

    answers: list[TaggedSentence]
    vectors: dict[str, np.ndarray]
    skipped: dict[str, list[int]]


class OwnModelEngine:
    """Asks one model.

    Args:
        model: its process.
        names: what its types are to be called.

    Attributes:
        parts: what its answers consist of besides tags, with the width of vectors.
        met: the types that it answered, by its own names.
    """

    def __init__(self, model: ModelProcess, names: TypeNames | None = None) -> None:
        self.model = model
        self.names = names or TypeNames()
        self.images = ConditionImages(model.facts.image_side)
        self.parts: dict[str, int] = {}
        self.met: set[str] = set()
        self._first: dict[bool, dict[str, int]] = {}
        self._of_text: RecentlyUsed[CheckedAnswer] = RecentlyUsed(_TEXT_BYTES)

    def tag(self, data: EvaluationSet, plan: RunPlan, places: range) -> OwnTagged:
        """Ask about the sentences at some places under every condition of a plan.

        Raises:
            InputError: naming the item that the model failed on, or whose answer has other parts than those before.
        """
        answers: dict[tuple[str, int], TaggedSentence] = {}
        main: dict[int, CheckedAnswer] = {}
        skipped: dict[str, list[int]] = {condition.name: [] for condition in plan.conditions}
        for start in range(places.start, places.stop, self.model.batch):
            rows = range(start, min(start + self.model.batch, places.stop))
            broken: set[int] = set()
            for condition in _sliced(plan.conditions, rows):
                images = self.images.make(condition.sources)
                sources, unreadable = readable_sources(condition, images, broken)
                skipped[condition.name] += [rows[i] - places.start for i in unreadable]
                replies = self._ask(data, condition, {rows[i]: source for i, source in sources.items()}, images)
                for row, reply in replies.items():
                    answers[condition.name, row] = TaggedSentence(
                        sentence=row - places.start,
                        condition=condition.name,
                        source=sources[row - start],
                        decoded=_decoded(reply, data.examples[row].tags or ()),
                        cosine=_cosine(reply),
                        attention_entropy=_entropies(reply),
                        words=condition.changed_words(data.examples[row]),
                    )
                    if condition.name == plan.main:
                        main[row] = reply
        ordered = [answers[key] for c in plan.conditions for key in ((c.name, i) for i in places) if key in answers]
        return OwnTagged(answers=ordered, vectors=collect_vectors(data, main, places, self.parts), skipped=skipped)

    def answer(self, items: Sequence[Item], names: Sequence[str]) -> list[CheckedAnswer]:
        """Ask for answers and rename the model's types; see :meth:`ModelProcess.ask`."""
        replies = self.model.ask(items, names)
        for item, reply, name in zip(items, replies, names, strict=True):
            self.met.update(split_tag(tag)[1] for tag in reply.tags if tag != OUTSIDE)
            self._check_parts(reply.parts(image=item.image is not None), shown=item.image is not None, name=name)
            if reply.maps:
                self.parts["maps"] = 1
        return [reply.renamed(self.names) for reply in replies]

    def _ask(
        self,
        data: EvaluationSet,
        condition: ConditionPlan,
        sources: dict[int, ShownImage],
        images: dict[ShownImage, Image],
    ) -> dict[int, CheckedAnswer]:
        """Return the answer for each sentence; items without an image that were asked recently are not asked again."""
        replies: dict[int, CheckedAnswer] = {}
        items, asked = [], []
        for row, source in sources.items():
            example = data.examples[row]
            words = condition.changed_words(example) or example.words
            if not condition.words_seen:
                words = (self.model.facts.hidden_word,) * len(words)
            image = None if source.kind == "none" else images[without_owner(source)]
            known = self._of_text.get((words, example.language)) if image is None else None
            if known is not None:
                replies[row] = known
            else:
                asked.append(row)
                items.append(Item(words, image, example.language or ""))
        names = [f"sentence {row} ({data.examples[row].where}), image condition {condition.name}" for row in asked]
        for row, item, reply in zip(asked, items, self.answer(items, names), strict=True):
            replies[row] = reply
            if item.image is None:
                self._of_text.put((item.words, item.language or None), reply, _bytes(reply))
        return replies

    def _check_parts(self, parts: dict[str, int], *, shown: bool, name: str) -> None:
        """Check that all answers have the same parts."""
        first = self._first.setdefault(shown, parts)
        if parts == first:
            self.parts |= parts
            return
        part = next(p for p in (*first, *parts) if first.get(p) != parts.get(p))
        raise InputError(
            f"The model {self.model.factory} gave {_amount(parts, part)} on {name}, and {_amount(first, part)} before; "
            "it must give the same for every item."
        )


def _amount(parts: dict[str, int], part: str) -> str:
    if part not in parts:
        return f"no {part}"
    return f"{part} of {parts[part]} numbers" if parts[part] > 1 else part


def _sliced(plans: Sequence[ConditionPlan], rows: range) -> Iterator[ConditionPlan]:
    for plan in plans:
        yield replace(plan, sources=plan.sources[rows.start : rows.stop], skipped={})


def _decoded(reply: CheckedAnswer, gold: Sequence[str]) -> Decoded:
    read = len(reply.tags)
    return Decoded(
        tags=list(reply.tags),
        entities=described_entities(reply),
        gold_confidence=[entity_probability(reply, entity) for entity in tags_to_entities(gold[:read])],
        loss=gold_loss(reply, gold[:read]),
    ).over(len(gold))


def _bytes(reply: CheckedAnswer) -> int:
    vectors = (reply.text_vector, reply.image_vector, reply.word_vectors)
    return sum(v.nbytes for v in vectors if v is not None) + 500 * (1 + len(reply.tags))


def _cosine(reply: CheckedAnswer) -> float | None:
    text, image = reply.text_vector, reply.image_vector
    if text is None or image is None:
        return None
    return float(np.dot(text, image))


def _entropies(reply: CheckedAnswer) -> list[float] | None:
    """Return per entity the entropy of its map's positive part, nats; None without maps."""
    if not reply.maps:
        return None
    entropies = []
    for entity in tags_to_entities(reply.tags):
        heat = reply.map_of(entity.start, entity.end)
        positive = np.zeros(1) if heat is None else np.maximum(heat, 0.0).ravel().astype(float)
        shares = positive / positive.sum() if positive.any() else np.full(len(positive), 1 / len(positive))
        entropies.append(float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum()))
    return entropies
