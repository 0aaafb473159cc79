"""Encodes sentences into word vectors and contrastive vectors, once for all image conditions.

Shapes: S sentences, W words, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (the field's name for it)

from mmner_core.inference.batches import join_windows, read_windows, window_batches
from mmner_core.text.encoding import SubwordEncoder, Window

if TYPE_CHECKING:
    from mmner_core.network.model import MMNER

BATCH_SUBWORDS, BATCH_ROWS = 4096, 64


@dataclass(frozen=True, slots=True, kw_only=True)
class TextShard:
    """The sentences of a shard, encoded.

    Attributes:
        words: per sentence [W, D].
        vectors: [S, D] in the contrastive space, unit length; None without alignment.
    """

    words: list[Tensor]
    vectors: Tensor | None


@dataclass(slots=True)
class TextReader:
    """Encodes sentences with a model's text encoder.

    Attributes:
        model: in eval mode.
        subwords: its tokenizer and window.
        convention: index of the annotation convention to read by.
    """

    model: MMNER
    subwords: SubwordEncoder
    convention: int = 0
    _hidden: dict[int, Tensor] = field(default_factory=dict, repr=False)

    def read(self, sentences: Sequence[Sequence[str]]) -> TextShard:
        """Encode sentences, in batches of like length; the vector of a long one is the mean over its windows."""
        windows = self.subwords.windows(sentences)
        states: dict[tuple[int, int], Tensor] = {}
        vectors: dict[tuple[int, int], Tensor] = {}
        for ids in window_batches(windows, batch_subwords=BATCH_SUBWORDS, batch_rows=BATCH_ROWS):
            words, projected = self._encode([windows[s][w] for s, w in ids])
            for row, key in enumerate(ids):
                states[key] = words[row]
                if projected is not None:
                    vectors[key] = projected[row]
        of_sentence = [range(len(parts)) for parts in windows]
        means = [
            torch.stack([vectors[s, w] for w in places]).mean(0) for s, places in enumerate(of_sentence) if vectors
        ]
        return TextShard(
            # Copied, or each sentence would keep its whole batch alive.
            words=[
                join_windows(windows[s], [states[s, w] for w in places]).clone() for s, places in enumerate(of_sentence)
            ],
            vectors=F.normalize(torch.stack(means), dim=-1) if means else None,
        )

    def hidden(self, n_words: int) -> Tensor:
        """Return [W, D] for a sentence of ``n_words`` unknown tokens; all such sentences are the same."""
        if n_words not in self._hidden:
            windows = self.subwords.hidden_windows(n_words)
            words, _ = self._encode(windows)
            self._hidden[n_words] = join_windows(windows, list(words)).clone()
        return self._hidden[n_words]

    @torch.no_grad()
    def _encode(self, windows: Sequence[Window]) -> tuple[Tensor, Tensor | None]:
        return read_windows(self.model, self.subwords, windows, [self.convention] * len(windows))
