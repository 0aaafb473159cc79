"""Tags many sentences with a model: sorted by length, batched, back in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter

import torch
from torch import Tensor

from mmner_core.data import Example
from mmner_core.encoders.text import TextStates
from mmner_core.inference.image_loader import ImageLoader
from mmner_core.network.crf import mask_words
from mmner_core.network.model import MMNER
from mmner_core.network.outputs import ModelOutput
from mmner_core.runtime.cache import RecentlyUsed
from mmner_core.text.encoding import Batch, SubwordEncoder, Window, collate, merge_windows

BATCH_SUBWORDS = 2048
"""Padded sub-words of one pass; twice as many no longer fit the processor's caches and are read more slowly."""
BATCH_ROWS = 128


def window_batches(
    windows: Sequence[Sequence[Window]], *, batch_subwords: int, batch_rows: int
) -> Iterator[list[tuple[int, int]]]:
    """Group the windows of many sentences into batches of like length, as (sentence, window) indices."""
    order = sorted(
        ((len(w.input_ids), s, i) for s, parts in enumerate(windows) for i, w in enumerate(parts)), reverse=True
    )
    batch: list[tuple[int, int]] = []
    longest = 0
    for length, sentence, window in order:
        longest = max(longest, length)
        if batch and (len(batch) >= batch_rows or (len(batch) + 1) * longest > batch_subwords):
            yield batch
            batch, longest = [], length
        batch.append((sentence, window))
    if batch:
        yield batch


def read_windows(
    model: MMNER, subwords: SubwordEncoder, windows: Sequence[Window], conventions: Sequence[int]
) -> tuple[Tensor, Tensor | None]:
    """Encode windows of text, each by its convention.

    Returns:
        word vectors [N, W, D], and [N, D] in the contrastive space, None without alignment.
    """
    batch = collate(windows, pad=subwords.pad, conventions=conventions).to(model.device)
    text = model.encode_text(batch)
    words = model.word_states(text, batch)
    return words, model.project_text(text, words, batch)


@torch.no_grad()
def predict_tags(
    model: MMNER,
    subwords: SubwordEncoder,
    examples: Sequence[Example],
    images: ImageLoader | None,
    *,
    convention: str | None = None,
    batch_subwords: int = BATCH_SUBWORDS,
    batch_rows: int = BATCH_ROWS,
    texts: RecentlyUsed[TextStates] | None = None,
) -> list[list[str]]:
    """Return the tags of each sentence, in order.

    Args:
        model: in eval mode.
        subwords: the model's tokenizer and window.
        examples: sentences; their gold tags are not looked at.
        images: where their images come from; None tags every sentence without one.
        convention: read all sentences by this convention; None: each by its own, or the model's default.
        batch_subwords: padded sub-words per batch.
        batch_rows: most windows per batch.
        texts: where to keep what the model made of the texts, for whoever tags the same sentences with it again.
    """
    names = {name: i for i, name in enumerate(model.config.conventions)}
    windows = subwords.windows([e.words for e in examples])
    emissions: dict[tuple[int, int], Tensor] = {}
    for batch_ids in window_batches(windows, batch_subwords=batch_subwords, batch_rows=batch_rows):
        rows = [examples[s] for s, _ in batch_ids]
        loaded = images.load(rows) if images is not None else None
        batch = collate(
            [windows[s][w] for s, w in batch_ids],
            pad=subwords.pad,
            conventions=[names.get(convention or e.convention or "", 0) for e in rows],
            image_index=loaded.rows if loaded else None,
            pixels=loaded.pixels if loaded else None,
            image_states=loaded.states if loaded else None,
        )
        output: ModelOutput = model(_read(model, batch.to(model.device, model.dtype), texts))
        emissions.update(zip(batch_ids, output.emissions.float(), strict=True))
    return _decode(model, windows, emissions)


def _read(model: MMNER, batch: Batch, texts: RecentlyUsed[TextStates] | None) -> Batch:
    """Fill in the batch's text states from the cache, or compute and cache them; without a cache, change nothing."""
    if texts is None:
        return batch
    key = tuple((tuple(ids.shape), ids.cpu().numpy().tobytes()) for ids in (batch.input_ids, batch.convention))
    states = texts.get(key)
    if states is None:
        states = model.encode_text(batch)
        texts.put(key, states, sum(s.nbytes for s in states if s is not None))
    return replace(batch, text_states=states)


def _decode(
    model: MMNER, windows: Sequence[Sequence[Window]], emissions: dict[tuple[int, int], Tensor]
) -> list[list[str]]:
    """Join each sentence's windows and run Viterbi over whole sentences, in batches of like length."""
    joined = [join_windows(parts, [emissions[s, w] for w in range(len(parts))]) for s, parts in enumerate(windows)]
    order = sorted(range(len(joined)), key=lambda s: len(joined[s]))
    tags: list[list[str]] = [[] for _ in joined]
    for start in range(0, len(order), 128):
        chunk = order[start : start + 128]
        padded = torch.nn.utils.rnn.pad_sequence([joined[s] for s in chunk], batch_first=True)
        mask = mask_words(padded, [len(joined[s]) for s in chunk])
        for s, path in zip(chunk, model.crf.viterbi(padded, mask), strict=True):
            tags[s] = model.labels.decode(path)
    return tags


def join_windows(windows: Sequence[Window], states: Sequence[Tensor]) -> Tensor:
    """Take each word's row from the window that reads it with the most context.

    Args:
        windows: the windows of one sentence.
        states: per window, [at least its words, ...].

    Returns:
        [W, ...] one row per word of the sentence.
    """
    if len(windows) == 1:
        return states[0][: windows[0].stop]
    parts = []
    for w, run in groupby(merge_windows(windows), key=itemgetter(0)):  # neighbours in one window are a slice of it
        positions = [position for _, position in run]
        parts.append(states[w][positions[0] : positions[-1] + 1])
    return torch.cat(parts)
