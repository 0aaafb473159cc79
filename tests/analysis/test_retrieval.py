"""Retrieval: recall against a loop over queries, shared images, ties, chance, cosine distributions."""

import itertools

import numpy as np
import pytest

from analysis.space.retrieval import PairedVectors, cosine_distributions, pair_vectors, recalls, unit_rows
from tests.told import refused


def random_pairs(n: int = 40, images: int = 25, seed: int = 0) -> PairedVectors:
    """Make texts around their images; several texts share one."""
    rng = np.random.default_rng(seed)
    gallery = rng.normal(size=(images, 6))
    owner = np.concatenate([np.arange(images), rng.integers(images, size=n - images)])
    text = gallery[owner] + rng.normal(size=(n, 6))
    return pair_vectors(text, gallery[owner], [f"i{o}" for o in owner])


def test_recall_equals_a_loop_over_queries() -> None:
    """In both directions the share of hits is what ranking each query by hand gives."""
    pairs = random_pairs()
    cosine = pairs.text @ pairs.image.T
    found = {(r.direction, r.k): r.recall.value for r in recalls(pairs, (1, 3, 10))}
    for k in (1, 3, 10):
        to_image = [pairs.image_of[i] in np.argsort(-row)[:k] for i, row in enumerate(cosine)]
        to_text = [any(pairs.image_of[i] == j for i in np.argsort(-column)[:k]) for j, column in enumerate(cosine.T)]
        assert found["text_to_image", k] == pytest.approx(np.mean(to_image))
        assert found["image_to_text", k] == pytest.approx(np.mean(to_text))


def test_queries_and_gallery_are_counted() -> None:
    """40 texts query 25 images and 25 images query 40 texts."""
    counts = {r.direction: (r.recall.n, r.gallery) for r in recalls(random_pairs())}
    assert counts == {"text_to_image": (40, 25), "image_to_text": (25, 40)}


def test_chance_is_the_recall_of_all_rankings() -> None:
    """Chance equals the average over all orders of a small gallery."""
    pairs = pair_vectors(np.eye(4), np.eye(4)[[0, 0, 1, 2]], ["a", "a", "b", "c"])
    by_hand = []
    for image in range(3):
        orders = list(itertools.permutations(range(4), 2))
        by_hand.append(np.mean([any(pairs.image_of[t] == image for t in order) for order in orders]))
    chance = {r.direction: r.chance for r in recalls(pairs, (2,))}
    assert chance["image_to_text"] == pytest.approx(np.mean(by_hand))
    assert chance["text_to_image"] == pytest.approx(2 / 3)


def test_a_part_of_the_texts_asks_the_whole_gallery() -> None:
    """Its recall is the mean of its own hits; an image asks where all of its texts do."""
    pairs = pair_vectors(np.eye(4)[[0, 1, 2, 3]], np.eye(4)[[0, 0, 2, 1]], ["a", "a", "b", "c"])
    found = {r.direction: r for r in recalls(pairs, (1,), asked=np.array([True, False, True, True]))}
    assert (found["text_to_image"].recall.n, found["text_to_image"].gallery) == (3, 3)
    assert found["text_to_image"].recall.value == pytest.approx(2 / 3)
    assert (found["image_to_text"].recall.n, found["image_to_text"].gallery) == (2, 4)
    assert found["image_to_text"].type_alone is None


def test_a_collapsed_space_recalls_nothing() -> None:
    """When all vectors are equal, ties count against: recall@1 is 0, not 1."""
    pairs = pair_vectors(np.ones((12, 3)), np.ones((12, 3)), [str(i) for i in range(12)])
    assert [r.recall.value for r in recalls(pairs, (1,))] == [0.0, 0.0]


def test_perfect_space_recalls_everything_and_separates() -> None:
    """Texts that equal their images are found first and are always closer to their own."""
    vectors = np.random.default_rng(0).normal(size=(15, 5))
    pairs = pair_vectors(vectors, vectors, [str(i) for i in range(15)])
    assert all(r.recall.value == 1 for r in recalls(pairs))
    assert cosine_distributions(pairs).separation.value == 1


def test_cosine_distributions_against_all_pairs() -> None:
    """Matched cosines are the diagonal; the drawn mismatched ones estimate separation over all other images."""
    pairs = random_pairs()
    cosine = pairs.text @ pairs.image.T
    found = cosine_distributions(pairs, draws=400)
    own = cosine[np.arange(40), pairs.image_of]
    np.testing.assert_allclose(found.matched, own, rtol=1e-5)
    foreign = pairs.image_of[:, None] != np.arange(25)
    exact = np.mean([(own[i] > cosine[i][foreign[i]]).mean() for i in range(40)])
    assert found.separation.value == pytest.approx(exact, abs=0.02)
    for i in range(40):
        assert np.isclose(found.mismatched[i][:, None], cosine[i][foreign[i]], atol=1e-5).any(axis=1).all()


def test_one_image_has_no_mismatched_partner() -> None:
    """With a single image nothing is drawn, and the separation says that it rests on nothing."""
    found = cosine_distributions(pair_vectors(np.eye(3), np.ones((3, 3)), ["a", "a", "a"]))
    assert found.mismatched.shape == (3, 0)
    assert (found.separation.value, found.separation.n) == (None, 0)


def test_no_pairs_at_all() -> None:
    """An empty slice has n = 0 and no numbers."""
    pairs = pair_vectors(np.empty((0, 3)), np.empty((0, 3)), [])
    assert {(r.recall.value, r.recall.n, r.gallery, r.chance) for r in recalls(pairs)} == {(None, 0, 0, None)}


def test_bad_vectors_are_named() -> None:
    """A zero row, a NaN, unequal lengths and one id for two images are refused with the row or the id."""
    with refused("text vector", "row 1"):
        unit_rows(np.array([[1.0, 0], [0, 0]]), "text")
    with refused("image vector", "row 0"):
        unit_rows(np.array([[np.nan, 0]]), "image")
    with refused("2 text", "2 image", "1 image"):
        pair_vectors(np.eye(2), np.eye(2), ["a"])
    with refused("'a'", "two different"):
        pair_vectors(np.eye(2), np.eye(2), ["a", "a"])
