"""Words to windows of sub-words and back, with no word lost; windows to a padded batch."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmner_core.encoders.image import ImageStates
from mmner_core.inference.batches import join_windows
from mmner_core.text.encoding import IGNORED_TAG, MAX_PIECES, Pixels, SubwordEncoder, Window, collate, merge_windows
from mmner_core.text.segments import TextPart

ZERO_WIDTH = "\u200b"
PRIVATE = "\ue000"


def window(start: int, stop: int, **fields: object) -> Window:
    """Return a window over these words, one sub-word each."""
    n = stop - start
    return Window(input_ids=[0, *range(4, 4 + n), 2], word_to_token=[*range(1, n + 1)], start=start, stop=stop)


def test_a_word_stands_at_its_first_subword(subwords: SubwordEncoder) -> None:
    """Position counts the leading special token, and the sub-words of all words stand between the special ones."""
    (found,) = subwords.windows([["Jordan", "xyzzy", "a"]])[0]
    alone = [subwords.windows([[word]])[0][0].input_ids[1:-1] for word in ("Jordan", "xyzzy", "a")]
    assert found.input_ids == [0, *alone[0], *alone[1], *alone[2], 2]
    assert found.word_to_token == [1, 1 + len(alone[0]), 1 + len(alone[0]) + len(alone[1])]
    assert len(alone[1]) > 1


def test_parts_are_read_apart_or_with_a_mark_between(subwords: SubwordEncoder) -> None:
    """The mark is read but is no word; it costs room, and a window that begins behind it goes without."""
    words = ["Jordan", "runs", "a", "in"]
    first, second = subwords.windows_of_parts(
        words, [TextPart(0, None), TextPart(1, "in"), TextPart(2, None), TextPart(3, "")]
    )
    [[same]] = subwords.windows([["Jordan", "in", "runs"]])
    assert first.input_ids == same.input_ids
    assert (first.word_to_token, first.start, first.stop) == ([same.word_to_token[0], same.word_to_token[2]], 0, 2)
    assert second.input_ids == subwords.windows([["a", "in"]])[0][0].input_ids and (second.start, second.stop) == (2, 4)
    tight = SubwordEncoder(subwords.tokenizer, max_subwords=64, overlap=0)
    many = tight.windows_of_parts(["in"] * 90, [TextPart(i, "in" if i else None) for i in range(90)])
    assert all(len(window.input_ids) <= 64 for window in many)
    assert [word for window in many for word in range(window.start, window.stop)] == list(range(90))


def test_one_before_reads_the_subword_before(subwords: SubwordEncoder) -> None:
    """The authors' off-by-one: every word reads what stands before it, the first one the special token."""
    theirs = SubwordEncoder(subwords.tokenizer, max_subwords=64, word_position="one_before")
    (ours,), (shifted,) = subwords.windows([["Jordan", "runs"]])[0], theirs.windows([["Jordan", "runs"]])[0]
    assert shifted.input_ids == ours.input_ids
    assert shifted.word_to_token == [position - 1 for position in ours.word_to_token]


@pytest.mark.parametrize("word", [ZERO_WIDTH, PRIVATE, "\u00ad", ""])
def test_a_word_without_subwords_is_read_as_unknown(subwords: SubwordEncoder, word: str) -> None:
    """Words of invisible characters keep their place in the sentence."""
    (found,) = subwords.windows([["in", word, "in"]])[0]
    assert len(found.word_to_token) == 3
    assert found.input_ids[found.word_to_token[1]] == subwords.unknown or word in (ZERO_WIDTH, PRIVATE, "\u00ad")
    assert len(set(found.word_to_token)) == 3


@given(st.lists(st.text(max_size=12), min_size=1, max_size=120))
def test_windows_cover_every_word_and_fit(subwords: SubwordEncoder, words: list[str]) -> None:
    """Whatever the words, windows follow each other without a gap, none is too long, and each advances."""
    windows = subwords.windows([words])[0]
    assert windows[0].start == 0 and windows[-1].stop == len(words)
    for before, after in zip(windows, windows[1:], strict=False):
        assert before.start < after.start <= before.stop < after.stop
    for part in windows:
        assert len(part.input_ids) <= 64
        assert len(part.word_to_token) == part.stop - part.start > 0
        assert max(part.word_to_token) < len(part.input_ids) - 1


def test_windows_overlap_where_words_are_short(subwords: SubwordEncoder) -> None:
    """Neighbouring windows share the words asked for, so that each is read with context on both sides."""
    windows = subwords.windows([["in"] * 200])[0]
    assert len(windows) > 2
    assert all(a.stop - b.start == 4 for a, b in zip(windows, windows[1:], strict=False))


def test_a_very_long_word_is_shortened_and_said_so(subwords: SubwordEncoder) -> None:
    """A string without spaces is read by its beginning, and counted; its neighbours are untouched."""
    (found,) = subwords.windows([["in", "xq" * 200, "in"]])[0]
    assert found.shortened == 1
    assert len(found.input_ids) <= 2 + 2 * 2 + MAX_PIECES
    assert len(found.word_to_token) == 3


def test_the_most_central_window_reads_a_word() -> None:
    """In an overlap each word comes from the window in which it stands further from an edge."""
    windows = [window(0, 7), window(3, 10)]
    assert merge_windows(windows) == [*((0, word) for word in range(5)), *((1, word - 3) for word in range(5, 10))]


@given(st.integers(1, 60), st.integers(2, 9), st.data())
def test_joining_windows_restores_the_sentence(n_words: int, size: int, data: st.DataObject) -> None:
    """One row per word, in order, however the windows overlap."""
    overlap = data.draw(st.integers(0, size - 1))
    starts = [0]
    while starts[-1] + size < n_words:
        starts.append(starts[-1] + size - overlap)
    windows = [window(start, min(start + size, n_words)) for start in starts]
    states = [torch.arange(part.start, part.start + size)[:, None] for part in windows]
    assert join_windows(windows, states)[:, 0].tolist() == list(range(n_words))


def test_a_batch_is_padded_and_masked() -> None:
    """Shorter sentences are filled up; masks, tags and defaults say where the words are."""
    batch = collate([window(0, 3), window(0, 1)], pad=9, tags=[[1, 2, 0], [3]])
    assert batch.input_ids.tolist() == [[0, 4, 5, 6, 2], [0, 4, 2, 9, 9]]
    assert batch.attention_mask.tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
    assert batch.word_to_token.tolist() == [[1, 2, 3], [1, 0, 0]]
    assert batch.word_mask.tolist() == [[True, True, True], [True, False, False]]
    assert batch.tags is not None
    assert batch.tags.tolist() == [[1, 2, 0], [3, IGNORED_TAG, IGNORED_TAG]]
    assert batch.image_index.tolist() == [-1, -1] and not batch.image_present.any()
    assert batch.convention.tolist() == [0, 0]


def test_a_batch_changes_device_as_a_whole() -> None:
    """Moving takes every tensor along."""
    states = ImageStates(None, torch.zeros(1, 2, 1, 1))
    batch = collate(
        [window(0, 1)], pad=9, image_index=[0], pixels=Pixels(cnn=torch.zeros(1, 3, 4, 4)), image_states=states
    )
    moved = batch.to("meta")
    assert moved.input_ids.is_meta and moved.pixels.cnn.is_meta and moved.image_states.cnn.is_meta
    assert moved.pixels.vit is None and moved.tags is None
