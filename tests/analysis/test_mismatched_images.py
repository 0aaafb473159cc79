"""Donors: no sentence keeps its own photo, and photos are dealt out as often as before where that is possible."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.conditions.mismatched_images import draw_other, other_type_images, shuffled_images
from mmner_core.data.example import Example
from mmner_core.errors import InputError


def sentence(image: str, *tags: str, language: str = "en") -> Example:
    """Make a sentence with these tags and this image."""
    return Example(words=("w",) * len(tags), tags=tags, language=language, image=Path(image), where="f.txt:1")


def test_shuffle_stays_within_the_language() -> None:
    """A German sentence gets the photo of another German sentence; one alone in its language gets none."""
    examples = [sentence(f"{i}.jpg", "O", language="en" if i % 2 else "de") for i in range(12)]
    examples.append(sentence("x.jpg", "O", language="fr"))
    owners = shuffled_images(examples, range(13), np.random.default_rng(0))
    assert owners.pop(12) is None
    assert sorted(j for j in owners.values() if j is not None) == list(range(12))
    for i, j in owners.items():
        assert j is not None and j != i
        assert examples[j].language == examples[i].language


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.lists(st.sampled_from(["O", "B-PER", "B-LOC"]), min_size=1, max_size=2)),
        max_size=10,
    ),
    st.integers(0, 1000),
)
def test_other_type_shares_no_type(rows: list[tuple[int, list[str]]], seed: int) -> None:
    """The photo given illustrates no sentence that shares a type, illustrates some type, and is not one's own."""
    examples = [sentence(f"{image}.jpg", *tags) for image, tags in rows]
    shown: dict[Path | None, set[str]] = {}
    for example in examples:
        shown.setdefault(example.image, set()).update(set(example.tags or ()) - {"O"})
    owners = other_type_images(examples, range(len(rows)), np.random.default_rng(seed))
    for i, owner in owners.items():
        own = set(examples[i].tags or ()) - {"O"}
        eligible = {photo for photo, types in shown.items() if types and not types & own and photo != examples[i].image}
        assert (owner is None) == (not eligible)
        assert owner is None or examples[owner].image in eligible


def test_other_type_needs_gold_tags() -> None:
    """The message says which sentence has none."""
    example = Example(words=("a",), tags=None, language="en", image=Path("a.jpg"), where="x.txt:7")
    with pytest.raises(InputError, match=r"x\.txt:7.*gold tags"):
        other_type_images([example], [0], np.random.default_rng(0))


def test_draw_other() -> None:
    """All places but the avoided are drawn; with nothing else the answer is None."""
    rng = np.random.default_rng(0)
    assert {draw_other("abca", "a", rng) for _ in range(100)} == {1, 2}
    assert draw_other("aaaaaaab", "a", rng) == 7
    assert draw_other("aa", "a", rng) is None
    assert draw_other("", "a", rng) is None
