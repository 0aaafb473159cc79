"""Tag a shard of sentences under many image conditions at the price of little more than one.

Text is encoded once per sentence and a picture once per file; per condition only the fusion runs again, and the CRF
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

from analysis.conditions.conditions import ConditionPlan, ImageSource
from analysis.evaluation.decoding import Decoded, decode
from analysis.evaluation.pictures import Picture, PictureEncoder, picture_of
from analysis.evaluation.plan import MATCHED
from analysis.evaluation.readable import readable_sources
from analysis.evaluation.tagged import Answer, Tagged, attention_entropies
from analysis.evaluation.text_states import TextReader, TextShard
from analysis.run.vectors import main_stream
from mmner_core.encoders.image import ImageStates
from mmner_core.inference.prediction import attention_map
from mmner_core.network.crf import mask_words
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
    """Sentences of like length on their way: emissions and attention of each condition."""

    rows: list[int]
    words: Tensor
    mask: Tensor
    hidden: Tensor | None
    emissions: list[Tensor] = field(default_factory=list)
    keys: list[tuple[str, int]] = field(default_factory=list)
    attention: dict[tuple[str, int], list[np.ndarray]] = field(default_factory=dict)


class Engine:
    """Tags shards with one checkpoint.

    Args:
        tagger: the checkpoint.
        convention: annotation convention to read by; None: the checkpoint's default.
    """

    def __init__(self, tagger: Tagger, convention: str | None = None) -> None:
        model = tagger.model
        self.model = model
        self.pictures = PictureEncoder(model)
        index = model.config.conventions.index(convention) if convention is not None else 0
        self.reader = TextReader(model, tagger.subwords, index)
        layouts = {s: attention_map(model, s, torch.zeros(1, 1, 2)) for s in model.config.fusion.streams}
        # In a stream's keys the "no image" key comes first, then the whole-image token where there is one, then cells.
        self.first_cell = {s: 1 + layout.has_whole for s, layout in layouts.items() if layout.grid != (0, 0)}
        self.aligned: tuple[str, ...] = model.config.alignment.streams

    @torch.no_grad()
    def tag(
        self, sentences: Sequence[Sequence[str]], gold: Sequence[Sequence[str]], plans: Sequence[ConditionPlan]
    ) -> Tagged:
        """Tag the sentences of a shard.

        Args:
            sentences: words.
            gold: tags, all in the checkpoint's label set.
            plans: the conditions, each planned over these sentences, "matched" before those that replace the photo.
        """
        text = self.reader.read(sentences)
        batches = [self._batch(rows, text, plans) for rows in _by_length([len(words) for words in sentences])]
        shown: dict[str, dict[int, ImageSource]] = {}
        cosines: dict[tuple[str, int], float] = {}
        matched: dict[int, Picture] = {}
        skipped: dict[str, list[int]] = {}
        broken: set[int] = set()
        for plan in plans:
            pictures = self.pictures.encode(plan.sources)
            sources, skipped[plan.name] = readable_sources(plan, pictures, broken)
            shown[plan.name] = sources
            seen = {i: pictures[picture_of(s)] for i, s in sources.items() if s.kind != "none"}
            if plan.name == MATCHED:
                matched = seen
            cosines |= {(plan.name, i): value for i, value in self._cosines(text, seen).items()}
            for batch in batches:
                self._fuse(batch, plan, sources, seen)
            release_freed_memory(over=_MEGABYTES)  # what stays of a condition is small, but leaves holes between it
        answers = {}
        for batch in batches:
            for key, decoded in zip(batch.keys, self._decode(batch, sentences, gold), strict=True):
                answers[key] = Answer(
                    sentence=key[1],
                    condition=key[0],
                    source=shown[key[0]][key[1]],
                    decoded=decoded,
                    cosine=cosines.get(key),
                    attention_entropy=attention_entropies(batch.attention.get(key), decoded),
                )
        ordered = [answers[plan.name, i] for plan in plans for i in sorted(shown[plan.name])]
        return Tagged(answers=ordered, text=text, pictures=matched, skipped=skipped)

    def _batch(self, rows: list[int], text: TextShard, plans: Sequence[ConditionPlan]) -> _Batch:
        words = [text.words[i] for i in rows]
        hide = any(not plan.words_seen for plan in plans)
        hidden = pad_sequence([self.reader.hidden(len(w)) for w in words], batch_first=True) if hide else None
        padded = pad_sequence(words, batch_first=True)
        return _Batch(rows, padded, mask_words(padded, [len(w) for w in words]), hidden)

    def _cosines(self, text: TextShard, seen: dict[int, Picture]) -> dict[int, float]:
        if text.vectors is None or not self.aligned or not seen:
            return {}
        images = torch.stack([picture.vectors[main_stream(self.aligned)] for picture in seen.values()])
        values = (text.vectors[list(seen)] * images).sum(-1)
        return dict(zip(seen, values.tolist(), strict=True))

    def _fuse(
        self, batch: _Batch, plan: ConditionPlan, sources: dict[int, ImageSource], seen: dict[int, Picture]
    ) -> None:
        """Let the batch's sentences look at what the condition shows them."""
        places = [place for place, i in enumerate(batch.rows) if i in sources]
        if not places:
            return
        rows = [batch.rows[place] for place in places]
        distinct = {id(seen[i]): seen[i] for i in rows if i in seen}
        number = {key: n for n, key in enumerate(distinct)}
        index = torch.tensor([number[id(seen[i])] if i in seen else -1 for i in rows], device=batch.words.device)
        keys = self.model.image_keys(ImageStates.join([p.states for p in distinct.values()]) if distinct else None)
        for stream in self.model.config.fusion.streams:
            if plan.streams is not None and stream not in plan.streams:
                keys[stream] = self.model.fusion.keys(stream, None)
        words = batch.words if plan.words_seen or batch.hidden is None else batch.hidden
        n_attention_rows = len(places) if distinct else 0
        tagged = self.model.tag_words(words[places], batch.mask[places], keys, index, n_attention_rows=n_attention_rows)
        batch.emissions.append(tagged.emissions.float())
        batch.keys += [(plan.name, i) for i in rows]
        seen_by = tagged.attention
        cells = [seen_by[s][..., first:].mean(1) for s, first in self.first_cell.items() if s in seen_by]
        # A hidden stream has the "no image" key alone, so no cell.
        weights = [w.float().cpu().numpy() for w in cells if w.shape[-1]]  # [B, W, G] each
        for row, i in enumerate(rows):
            if i in seen and weights:
                batch.attention[plan.name, i] = [w[row] for w in weights]

    def _decode(
        self, batch: _Batch, sentences: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]
    ) -> list[Decoded]:
        if not batch.keys:
            return []
        emissions = torch.cat(batch.emissions)
        step = max(1, _DECODED // emissions.shape[1])
        decoded = []
        for first in range(0, len(emissions), step):
            places = [i for _, i in batch.keys[first : first + step]]
            lengths, tags = [len(sentences[i]) for i in places], [gold[i] for i in places]
            decoded += decode(self.model.crf, emissions[first : first + step], lengths, tags)
        release_freed_memory(over=_MEGABYTES)
        return decoded


def _by_length(n_words: Sequence[int]) -> list[list[int]]:
    """Group sentences into batches of like length."""
    batches: list[list[int]] = []
    for i in sorted(range(len(n_words)), key=lambda i: -n_words[i]):
        last = batches[-1] if batches else []
        if not last or len(last) >= _ROWS or (len(last) + 1) * n_words[last[0]] > _WORDS:
            batches.append([])
        batches[-1].append(i)
    return batches
