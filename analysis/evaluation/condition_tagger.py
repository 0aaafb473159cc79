"""Tags a shard of sentences under many image conditions, at little more than the cost of one.

Text is encoded once per sentence and an image once per file; per condition only the fusion runs again, and the CRF
takes the sentences of many conditions at once.

Shapes: S sentences, W words, L tags, H heads, K keys, G cells of the photo, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from analysis.conditions.conditions import ConditionPlan, ShownImage
from analysis.evaluation.decoding import Decoded, decode
from analysis.evaluation.image_features import ImageFeatures, ShownImageEncoder, without_owner
from analysis.evaluation.plan import MATCHED
from analysis.evaluation.readable_images import readable_sources
from analysis.evaluation.tagged_shard import TaggedSentence, TaggedShard, attention_entropies
from analysis.evaluation.text_states import TextReader, TextShard
from analysis.run.vectors import main_stream
from mmner_core.encoders.image import ImageStates
from mmner_core.network.fusion import KeyLayout
from mmner_core.runtime.memory import release_freed_memory

if TYPE_CHECKING:
    from mmner_core.inference.tagger import Tagger

_ROWS, _WORDS = 64, 4096
# Words that the CRF decodes at once: its tables of all pairs of tags take 2 kB each.
_DECODED = 32_768
# What a process may hold before freed memory is handed back in the middle of a shard.
_MEGABYTES = 1200


@dataclass(slots=True)
class _Batch:
    """Sentences of like length, with the emissions, words read and attention under each condition so far."""

    rows: list[int]
    words: Tensor
    hidden: Tensor | None
    emissions: list[Tensor] = field(default_factory=list)
    keys: list[tuple[str, int]] = field(default_factory=list)
    n_words: list[int] = field(default_factory=list)
    attention: dict[tuple[str, int], list[np.ndarray]] = field(default_factory=dict)


class ConditionTagger:
    """Tags shards with one checkpoint.

    Args:
        tagger: the checkpoint.
        convention: annotation convention to read by; None: the checkpoint's default.
    """

    def __init__(self, tagger: Tagger, convention: str | None = None) -> None:
        model = tagger.model
        self.model = model
        self.images = ShownImageEncoder(model)
        index = model.config.conventions.index(convention) if convention is not None else 0
        self.reader = TextReader(model, tagger.subwords, index)
        self.layouts: dict[str, KeyLayout] = {
            stream: model.key_layout(stream) for stream in model.config.fusion.streams
        }
        self.aligned: tuple[str, ...] = model.config.alignment.streams

    @torch.no_grad()
    def tag(
        self, sentences: Sequence[Sequence[str]], gold: Sequence[Sequence[str]], plans: Sequence[ConditionPlan]
    ) -> TaggedShard:
        """Tag the sentences of a shard.

        Args:
            sentences: words.
            gold: tags, all in the checkpoint's label set.
            plans: the conditions, each planned over these sentences, "matched" before those that replace the photo.
        """
        text = self.reader.read(sentences)
        batches = [self._batch(rows, text, plans) for rows in _by_length([len(words) for words in sentences])]
        shown: dict[str, dict[int, ShownImage]] = {}
        cosines: dict[tuple[str, int], float] = {}
        matched: dict[int, ImageFeatures] = {}
        skipped: dict[str, list[int]] = {}
        broken: set[int] = set()
        changed: dict[tuple[str, int], tuple[str, ...]] = {}
        for plan in plans:
            read = text
            if plan.stress is not None:
                words = [plan.stress(*pair) for pair in zip(sentences, gold, strict=True)]
                changed |= {(plan.name, i): own for i, own in enumerate(words)}
                read = self.reader.read(words)
            features = self.images.encode(plan.sources)
            sources, skipped[plan.name] = readable_sources(plan, features, broken)
            shown[plan.name] = sources
            seen = {i: features[without_owner(s)] for i, s in sources.items() if s.kind != "none"}
            if plan.name == MATCHED:
                matched = seen
            cosines |= {(plan.name, i): value for i, value in self._cosines(read, seen).items()}
            for batch in batches:
                self._fuse(batch, plan, read, sources, seen)
            release_freed_memory(over=_MEGABYTES)  # what stays of a condition is small, but leaves holes between it
        answers = {}
        for batch in batches:
            for key, decoded in zip(batch.keys, self._decode(batch, gold), strict=True):
                answers[key] = TaggedSentence(
                    sentence=key[1],
                    condition=key[0],
                    source=shown[key[0]][key[1]],
                    decoded=decoded.over(len(sentences[key[1]])),
                    cosine=cosines.get(key),
                    attention_entropy=attention_entropies(batch.attention.get(key), decoded),
                    words=changed.get(key),
                )
        ordered = [answers[plan.name, i] for plan in plans for i in sorted(shown[plan.name])]
        return TaggedShard(answers=ordered, text=text, images=matched, skipped=skipped)

    def _batch(self, rows: list[int], text: TextShard, plans: Sequence[ConditionPlan]) -> _Batch:
        words = [text.words[i] for i in rows]
        hide = any(not plan.words_seen for plan in plans)
        hidden = pad_sequence([self.reader.hidden(len(w)) for w in words], batch_first=True) if hide else None
        return _Batch(rows, pad_sequence(words, batch_first=True), hidden)

    def _cosines(self, text: TextShard, seen: dict[int, ImageFeatures]) -> dict[int, float]:
        if text.vectors is None or not self.aligned or not seen:
            return {}
        images = torch.stack([own.vectors[main_stream(self.aligned)] for own in seen.values()])
        values = (text.vectors[list(seen)] * images).sum(-1)
        return dict(zip(seen, values.tolist(), strict=True))

    def _fuse(
        self,
        batch: _Batch,
        plan: ConditionPlan,
        read: TextShard,
        sources: dict[int, ShownImage],
        seen: dict[int, ImageFeatures],
    ) -> None:
        """Tag the batch's sentences with the images that the condition shows them."""
        places = [place for place, i in enumerate(batch.rows) if i in sources]
        if not places:
            return
        rows = [batch.rows[place] for place in places]
        distinct = {id(seen[i]): seen[i] for i in rows if i in seen}
        number = {key: n for n, key in enumerate(distinct)}
        index = torch.tensor([number[id(seen[i])] if i in seen else -1 for i in rows], device=batch.words.device)
        images = ImageStates.join([p.states for p in distinct.values()]) if distinct else None
        keys = self.model.image_keys(images, plan.streams)
        words = batch.words if plan.words_seen or batch.hidden is None else batch.hidden
        if plan.stress is not None:
            words = _padded([read.words[i] for i in batch.rows], batch.words)
        n_attention_rows = len(places) if distinct else 0
        tagged = self.model.tag_words(words[places], keys, index, n_attention_rows=n_attention_rows)
        batch.emissions.append(tagged.emissions.float())
        batch.keys += [(plan.name, i) for i in rows]
        batch.n_words += [len(read.words[i]) for i in rows]
        cells = [self.layouts[stream].cells(weights).mean(1) for stream, weights in tagged.attention.items()]
        # A hidden stream has the "no image" key alone, a pooled one the whole image, so neither has cells.
        weights = [w.float().cpu().numpy() for w in cells if w.shape[-1]]  # [B, W, G] each
        for row, i in enumerate(rows):
            if i in seen and weights:
                batch.attention[plan.name, i] = [w[row] for w in weights]

    def _decode(self, batch: _Batch, gold: Sequence[Sequence[str]]) -> list[Decoded]:
        if not batch.keys:
            return []
        emissions = torch.cat(batch.emissions)
        step = max(1, _DECODED // emissions.shape[1])
        decoded = []
        for first in range(0, len(emissions), step):
            lengths = batch.n_words[first : first + step]
            places = (i for _, i in batch.keys[first : first + step])
            tags = [gold[i][:n] for i, n in zip(places, lengths, strict=True)]
            decoded += decode(self.model.crf, emissions[first : first + step], lengths, tags)
        release_freed_memory(over=_MEGABYTES)
        return decoded


def _padded(words: Sequence[Tensor], like: Tensor) -> Tensor:
    """Return sentences [W, D], some of them shorter than before, padded as a batch is."""
    padded = torch.zeros_like(like)
    for row, states in enumerate(words):
        padded[row, : len(states)] = states
    return padded


def _by_length(n_words: Sequence[int]) -> list[list[int]]:
    """Group sentences into batches of like length."""
    batches: list[list[int]] = []
    for i in sorted(range(len(n_words)), key=lambda i: -n_words[i]):
        last = batches[-1] if batches else []
        if not last or len(last) >= _ROWS or (len(last) + 1) * n_words[last[0]] > _WORDS:
            batches.append([])
        batches[-1].append(i)
    return batches
