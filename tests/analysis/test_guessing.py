"""What guessing reaches, against all orders of small galleries, and the facts of pairs that it rests on."""

import itertools

import numpy as np
import pytest

from analysis.run.lexicon import Lexicon
from analysis.run.pair_facts import PairFacts
from analysis.scores.guessing import Guess
from tests.analysis.small_run import small_answers

TEXT_OF = np.array([0, 1, 2, 3, 4, 5])
IMAGE_OF = np.array([0, 0, 1, 2, 3, 3])
TEXT_TYPES = np.array(["PER", "PER", "LOC", "PER", "LOC", ""], dtype=object)
IMAGE_TYPES = np.array(["PER", "LOC", "LOC", ""], dtype=object)  # the third text's photo is of another type


def by_all_orders(
    query: int, query_of: np.ndarray, item_of: np.ndarray, query_types: np.ndarray, item_types: np.ndarray, k: int
) -> float:
    """Rank a query's items in every order that has those of its type first; return how often a partner is among k."""
    wanted = query_types[query]
    alike = [i for i, name in enumerate(item_types) if name == wanted != ""]
    others = [i for i in range(len(item_types)) if i not in alike]
    partners = set(item_of[query_of == query].tolist())
    hits = [
        bool(partners & set([*first, *rest][:k]))
        for first in itertools.permutations(alike)
        for rest in itertools.permutations(others)
    ]
    return float(np.mean(hits))


@pytest.mark.parametrize("k", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("to_image", [True, False])
def test_type_alone_is_the_mean_over_all_orders(k: int, to_image: bool) -> None:
    """In both directions, with several partners, a photo of another type, and queries without a type."""
    sides = (TEXT_OF, IMAGE_OF, TEXT_TYPES, IMAGE_TYPES) if to_image else (IMAGE_OF, TEXT_OF, IMAGE_TYPES, TEXT_TYPES)
    guess = Guess.among(*sides)
    expected = [by_all_orders(query, *sides, k) for query in range(len(sides[2]))]
    np.testing.assert_allclose(guess.type_alone(k), expected)
    untyped = (*sides[:2], np.full_like(sides[2], ""), np.full_like(sides[3], ""))
    blindly = [by_all_orders(query, *untyped, k) for query in range(len(sides[2]))]
    np.testing.assert_allclose(guess.chance(k), blindly)


def test_one_photo_of_the_type_is_found_at_k_over_their_number() -> None:
    """Three photos of a type: a third, two thirds, always; a photo of another type comes once these are exhausted."""
    types = np.array(["PER", "PER", "PER", "LOC", "ORG"], dtype=object)
    own = np.arange(5)
    guess = Guess.among(own, own, np.array(["PER", "PER", "PER", "LOC", "PER"], dtype=object), types)
    assert [guess.type_alone(k)[0] for k in (1, 2, 3, 4)] == pytest.approx([1 / 3, 2 / 3, 1, 1])
    assert [guess.type_alone(k)[4] for k in (1, 3, 4, 5)] == pytest.approx([0, 0, 1 / 2, 1])


def test_no_queries_are_guessed_about() -> None:
    """An empty gallery gives empty answers."""
    nothing, untyped = np.empty(0, dtype=int), np.empty(0, dtype=object)
    assert Guess.among(nothing, nothing, untyped, untyped).type_alone(5).shape == (0,)


def test_facts_are_read_from_sentences() -> None:
    """The only name gives the type; irrelevant pairs give their photo none; training tells seen from unseen."""
    rows = [
        ("Ada sings", "B-PER O", "O O"),
        ("Ada in Rome", "B-PER O B-LOC", "O O O"),
        ("in Rome", "O B-LOC", "O O"),
        ("nobody here", "O O", "O O"),
        ("Lima", "B-LOC", "O"),
        ("Oslo", "B-LOC", "O"),
        ("Oslo", "B-ORG", "O"),
    ]
    answers = small_answers(
        rows,
        image_id=["a", "a", "a", "b", "b", "c", "c"],
        kind=["exact-entity", "exact-entity", "irrelevant", "type-level", "", "", ""],
    )
    facts = PairFacts.of(answers, Lexicon(types={"Ada": frozenset({"ORG"})}))
    assert facts.text_type.tolist() == ["PER", "", "LOC", "", "LOC", "LOC", "ORG"]
    assert facts.photo_type.tolist() == ["PER", "PER", "PER", "LOC", "LOC", "", ""]
    assert facts.relevant.tolist() == [True, True, False, True, True, True, True]
    assert facts.seen.tolist() == ["seen", "", "unseen", "", "unseen", "unseen", "unseen"]
    assert set(PairFacts.of(answers).seen) == {""}
    assert facts.take(np.array([2, 0])).text_type.tolist() == ["LOC", "PER"]
