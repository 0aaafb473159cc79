"""Shapley shares: the axioms, the formula over orders of arrival, and reading them off a run."""

from itertools import chain, combinations, permutations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.image_effect.shapley import (
    TEXT_AND_IMAGE,
    TEXT_AND_STREAMS,
    drop_one,
    entity_shares,
    shapley_shares,
    share_table,
)
from analysis.run.folder import EvaluationRun
from mmner_core.errors import InputError
from tests.analysis.small_run import small_table
from tests.told import refused

Game = dict[frozenset[str], np.ndarray]


@st.composite
def games(draw: st.DrawFn, players: str = "abc") -> Game:
    """Draw a value in 0..1 for each coalition of some players, for four entities at once."""
    n = draw(st.integers(1, len(players)))
    coalitions = chain.from_iterable(combinations(players[:n], size) for size in range(n + 1))
    value = st.lists(st.floats(0, 1), min_size=4, max_size=4)
    return {frozenset(c): np.array(draw(value)) for c in coalitions}


@settings(deadline=None)
@given(games())
def test_shares_add_up_to_the_total(game: Game) -> None:
    """Efficiency: the shares of all players sum to v(everyone) - v(nobody)."""
    everyone = frozenset().union(*game)
    np.testing.assert_allclose(sum(shapley_shares(game).values()), game[everyone] - game[frozenset()], atol=1e-12)


@settings(deadline=None)
@given(games())
def test_share_is_the_mean_contribution_over_orders_of_arrival(game: Game) -> None:
    """Each share is what the player adds on arrival, averaged over all orders."""
    orders = list(permutations(sorted(frozenset().union(*game))))
    for player, share in shapley_shares(game).items():
        added = [game[frozenset(o[: o.index(player) + 1])] - game[frozenset(o[: o.index(player)])] for o in orders]
        np.testing.assert_allclose(share, np.mean(added, axis=0), atol=1e-12)


def test_a_player_who_changes_nothing_gets_nothing_and_equal_players_get_the_same() -> None:
    """Null player and symmetry, in a game where text and image can each do all alone."""
    game = {frozenset(c): np.array([float(bool(set(c) & {"text", "image"}))]) for n in range(4)
            for c in combinations(("idle", "image", "text"), n)}  # fmt: skip
    shares = shapley_shares(game)
    assert {name: share.item() for name, share in shares.items()} == {"idle": 0, "image": 0.5, "text": 0.5}
    assert all(drop.item() == 0 for drop in drop_one(game).values())  # the crude number credits neither


def test_a_missing_coalition_is_refused() -> None:
    """Shares from an incomplete game would be wrong in silence."""
    with refused("4 coalitions", "3", by=ValueError):
        shapley_shares({frozenset(c): np.zeros(1) for c in ("", "a", "ab")})


ROWS = [("Ford met Ann", "B-ORG O B-PER", "B-ORG O B-PER"), ("nothing named here", "O O O", "O O O")]


def small_run(coalitions: dict[frozenset[str], str]) -> EvaluationRun:
    """Make a run whose gold probabilities are 0.1 x players present, + 0.4 for ORG if an image stream is there."""
    tables = []
    for players, condition in coalitions.items():
        base = 0.1 * len(players)
        gold = [[base + 0.4 * bool(players - {"text"}), base], []]
        tables.append(small_table(ROWS, condition=condition, gold_span_confidence=gold))
    return EvaluationRun.from_table(pa.concat_tables(tables), name="small")


def test_text_and_image_shares_of_a_run() -> None:
    """The image is owed its own 0.1 and the 0.4 of ORG; the text 0.1; the rest of the row says which entity."""
    shares = entity_shares(small_run(TEXT_AND_IMAGE))
    assert shares[["text", "type", "sentence_id"]].to_numpy().tolist() == [["Ford", "ORG", 0], ["Ann", "PER", 0]]
    np.testing.assert_allclose(shares["share_image"], [0.5, 0.1], atol=1e-6)
    np.testing.assert_allclose(shares["share_text"], [0.1, 0.1], atol=1e-6)
    np.testing.assert_allclose(shares["drop_image"], [0.5, 0.1], atol=1e-6)
    np.testing.assert_allclose(shares["total"], shares["share_image"] + shares["share_text"], atol=1e-6)


def test_streams_that_can_replace_each_other_share_what_dropping_one_hides() -> None:
    """Either stream alone yields ORG's 0.4: each is owed half of it, though leaving one out costs only 0.1."""
    shares = entity_shares(small_run(TEXT_AND_STREAMS), TEXT_AND_STREAMS)
    np.testing.assert_allclose(shares["share_vit"], [0.3, 0.1], atol=1e-6)
    np.testing.assert_allclose(shares["share_cnn"], [0.3, 0.1], atol=1e-6)
    np.testing.assert_allclose(shares["drop_vit"], [0.1, 0.1], atol=1e-6)


def test_averages_per_language_and_type() -> None:
    """The table averages over entities and states how many there are; two entities carry no interval."""
    table = share_table(entity_shares(small_run(TEXT_AND_IMAGE))).set_index(["language", "type", "quantity"])
    assert table.loc[("all", "all", "share_image"), "value"] == pytest.approx(0.3)
    assert table.loc[("en", "ORG", "share_image"), ["value", "n"]].tolist() == pytest.approx([0.5, 1])
    assert table["low"].isna().all()


def test_a_run_without_the_conditions_says_which_is_missing() -> None:
    """Shares need what the model says without text."""
    run = EvaluationRun.from_table(small_table(ROWS), name="plain")
    with pytest.raises(InputError, match="no image condition 'nothing'"):
        entity_shares(run)
