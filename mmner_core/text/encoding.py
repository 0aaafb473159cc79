"""Encodes words to sub-words, long texts to overlapping windows, many sentences to one padded batch.

Shapes: B sentences (windows), S sub-words, W words, U distinct images of the batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from mmner_core.encoders.image import ImageStates
from mmner_core.encoders.text import TextStates
from mmner_core.text.readable import readable_word
from mmner_core.text.segments import TextPart

IGNORED_TAG = -100
MAX_PIECES = 48
"""A single word is read by at most this many sub-words; only strings without spaces reach it (URLs, base64)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of words that fits the encoder, as sub-words.

    Attributes:
        input_ids: sub-word ids with the special tokens around them.
        word_to_token: for each word of the window, the position of the sub-word that stands for it.
        start, stop: half-open span of words.
        shortened: words of this window of which only the first ``MAX_PIECES`` sub-words were read.
    """

    input_ids: list[int]
    word_to_token: list[int]
    start: int
    stop: int
    shortened: int = 0


class SubwordEncoder:
    """Turns words into windows of sub-words with a fast Hugging Face tokenizer.

    Args:
        tokenizer: a fast tokenizer.
        max_subwords: the longest window, special tokens included.
        overlap: words that neighbouring windows share, so that each word is read with context on both sides.
        word_position: see ``TextConfig.word_position``.
    """

    def __init__(
        self, tokenizer: Any, *, max_subwords: int, overlap: int = 32, word_position: str = "first_subword"
    ) -> None:
        self.tokenizer = tokenizer
        self.capacity = max_subwords - 2
        self.overlap = overlap
        self.first = 1 if word_position == "first_subword" else 0  # the authors' off-by-one forgets the leading [CLS]
        self.prefix = tokenizer.cls_token_id if tokenizer.cls_token_id is not None else tokenizer.bos_token_id
        self.suffix = tokenizer.sep_token_id if tokenizer.sep_token_id is not None else tokenizer.eos_token_id
        self.pad: int = tokenizer.pad_token_id
        self.unknown: int = tokenizer.unk_token_id

    def windows(self, sentences: Sequence[Sequence[str]]) -> list[list[Window]]:
        """Encode sentences; each becomes one window, or several overlapping ones if it does not fit.

        A word without sub-words (zero-width or private-use characters only) is read as the unknown token.
        """
        pieces = self._pieces(sentences)
        return [self._cut(words, 0, len(words), {}) for words in pieces]

    def hidden_windows(self, n_words: int) -> list[Window]:
        """Return the windows of a sentence of ``n_words`` hidden words: each is read as the unknown token."""
        return self._cut([[self.unknown]] * n_words, 0, n_words, {})

    def windows_of_parts(self, words: Sequence[str], parts: Sequence[TextPart]) -> list[Window]:
        """Encode one text; see :mod:`mmner_core.text.segments` for how its parts are read."""
        marks = list({part.mark for part in parts if part.mark})
        [pieces, ids_of] = self._pieces([words, marks])
        before = {part.start: ids_of[marks.index(part.mark)] for part in parts if part.mark}
        starts = [part.start for part in parts if part.mark is None]
        bounds = pairwise([*starts, len(words)])
        return [window for start, stop in bounds for window in self._cut(pieces, start, stop, before)]

    def _pieces(self, sentences: Sequence[Sequence[str]]) -> list[list[list[int]]]:
        """Return the sub-word ids of each word of each sentence."""
        encodings = self.tokenizer.backend_tokenizer.encode_batch(
            [[readable_word(word) for word in words] for words in sentences],
            is_pretokenized=True,
            add_special_tokens=False,
        )
        result = []
        for words, encoding in zip(sentences, encodings, strict=True):
            pieces: list[list[int]] = [[] for _ in words]
            for word, piece in zip(encoding.word_ids, encoding.ids, strict=True):
                pieces[word].append(piece)
            result.append([ids or [self.unknown] for ids in pieces])
        return result

    def _cut(self, words: list[list[int]], start: int, end: int, marks: Mapping[int, list[int]]) -> list[Window]:
        windows: list[Window] = []
        while True:
            stop, left = start, self.capacity
            while stop < end and (cost := min(len(words[stop]), MAX_PIECES) + len(marks.get(stop, ()))) <= left:
                left -= cost
                stop += 1
            windows.append(self._window(words, start, stop, marks))
            if stop >= end:
                return windows
            start = max(start + 1, stop - self.overlap)

    def _window(self, words: list[list[int]], start: int, stop: int, marks: Mapping[int, list[int]]) -> Window:
        ids, positions, shortened = [self.prefix], [], 0
        for i, pieces in enumerate(words[start:stop], start=start):
            ids.extend(marks.get(i, ()) if i > start else ())
            positions.append(len(ids) - 1 + self.first)
            ids.extend(pieces[:MAX_PIECES])
            shortened += len(pieces) > MAX_PIECES
        ids.append(self.suffix)
        return Window(input_ids=ids, word_to_token=positions, start=start, stop=stop, shortened=shortened)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pixels:
    """Preprocessed photos: [U, 3, size, size] for each encoder that the model has."""

    vit: Tensor | None = None
    cnn: Tensor | None = None

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> Pixels:
        """Return the pixels on a device and in a precision."""
        moved = (None if p is None else p.to(device, dtype, non_blocking=True) for p in (self.vit, self.cnn))
        return Pixels(**dict(zip(("vit", "cnn"), moved, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The input of a forward pass: sentences and their images, padded.

    Attributes:
        input_ids: [B, S].
        attention_mask: [B, S], 1 on sub-words.
        word_to_token: [B, W], position of the sub-word that stands for each word (0 on padding).
        word_mask: [B, W] bool, true on words.
        convention: [B] index of the annotation convention.
        image_index: [B] row of each sentence's image among the U distinct ones, -1 where it has none.
        pixels: the distinct images for each encoder that is to read them; None where ``image_states`` holds all that
            is needed (or there is no image).
        image_states: what frozen encoders said of the distinct images, computed once for all epochs.
        image_key: [B] integers that name the images across the processes of a run; None: by row, within this batch.
        tags: [B, W] gold tag indices, ``IGNORED_TAG`` on padding; None where unlabelled.
        aligned: [B] bool, the pairs that the contrastive loss may pull together; None: all that have an image.
        unannotated: [B, L] bool, tags that the annotators of a sentence did not give; None: all sentences are complete.
        regions: per stream [B, P] bool, cells of the image that show what the sentence names, none where that is not
            known; empty: it is known of none.
        looking: [B] how much it counts that names look at the image, or, below 0, that they leave it alone; None:
            nothing.
        text_states: what the text encoder made of this batch before; None: it has yet to read it.
    """

    input_ids: Tensor
    attention_mask: Tensor
    word_to_token: Tensor
    word_mask: Tensor
    convention: Tensor
    image_index: Tensor
    pixels: Pixels | None = None
    image_states: ImageStates | None = None
    image_key: Tensor | None = None
    tags: Tensor | None = None
    aligned: Tensor | None = None
    unannotated: Tensor | None = None
    regions: Mapping[str, Tensor] = field(default_factory=dict)
    looking: Tensor | None = None
    text_states: TextStates | None = None

    @property
    def image_present(self) -> Tensor:
        """[B] bool: whether the sentence has an image."""
        return self.image_index >= 0

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> Batch:
        """Return the batch on a device, its images in a precision."""
        return replace(self, **{f.name: _to(getattr(self, f.name), device, dtype) for f in fields(self)})


def _to(value: Any, device: torch.device | str, dtype: torch.dtype | None) -> Any:
    if isinstance(value, Tensor):
        return value.to(device, non_blocking=True)
    if isinstance(value, Pixels):
        return value.to(device, dtype)
    if isinstance(value, dict):
        return {name: tensor.to(device, non_blocking=True) for name, tensor in value.items()}
    if isinstance(value, TextStates):
        return TextStates(*(None if s is None else s.to(device, dtype) for s in value))  # type: ignore[arg-type]
    if isinstance(value, ImageStates):
        return ImageStates(*(None if s is None else s.to(device, dtype) for s in value))
    return value


def pad_rows(rows: Sequence[Sequence[int]], fill: int) -> Tensor:
    """Pad integer rows on the right to one [B, longest] tensor."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[fill] * (longest - len(row))] for row in rows])


def collate(
    windows: Sequence[Window],
    *,
    pad: int,
    conventions: Sequence[int] | None = None,
    tags: Sequence[Sequence[int]] | None = None,
    image_index: Sequence[int] | None = None,
    pixels: Pixels | None = None,
    image_states: ImageStates | None = None,
    image_key: Sequence[int] | None = None,
    aligned: Sequence[bool] | None = None,
    unannotated: Tensor | None = None,
    regions: Mapping[str, Tensor] | None = None,
    looking: Sequence[float] | None = None,
) -> Batch:
    """Pad windows to one batch; see :class:`Batch` for the arguments."""
    input_ids = pad_rows([window.input_ids for window in windows], pad)
    lengths = torch.tensor([len(window.input_ids) for window in windows])
    n_words = torch.tensor([len(window.word_to_token) for window in windows])
    word_to_token = pad_rows([window.word_to_token for window in windows], 0)
    return Batch(
        input_ids=input_ids,
        attention_mask=(torch.arange(input_ids.shape[1]) < lengths[:, None]).long(),
        word_to_token=word_to_token,
        word_mask=torch.arange(word_to_token.shape[1]) < n_words[:, None],
        convention=torch.tensor(conventions if conventions is not None else [0] * len(windows)),
        image_index=torch.tensor(image_index if image_index is not None else [-1] * len(windows)),
        pixels=pixels,
        image_states=image_states,
        image_key=None if image_key is None else torch.tensor(image_key),
        tags=None if tags is None else pad_rows(tags, IGNORED_TAG),
        aligned=None if aligned is None else torch.tensor(aligned),
        unannotated=unannotated,
        regions=regions or {},
        looking=None if looking is None else torch.tensor(looking),
    )


def merge_windows(windows: Sequence[Window]) -> list[tuple[int, int]]:
    """Return for each word the window, and its place there, that reads it with the most context on both sides.

    Returns:
        one (window, position within it) per word.
    """
    best: dict[int, tuple[int, int, int]] = {}
    for w, window in enumerate(windows):
        for position in range(window.stop - window.start):
            context = min(position, window.stop - window.start - 1 - position)
            word = window.start + position
            if word not in best or context > best[word][0]:
                best[word] = (context, w, position)
    return [best[word][1:] for word in range(len(best))]
