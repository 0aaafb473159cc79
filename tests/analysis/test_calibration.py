"""Calibration: bins add up, a known temperature is recovered, too little data says so."""

import numpy as np
import pytest

from analysis.scores.calibration import calibration_table, fit_temperature, reliability, rescale
from mmner_core.errors import InputError
from tests.analysis.small_run import small_answers


def overconfident(n: int, temperature: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw outcomes with honest probabilities, then sharpen the probabilities by ``temperature``."""
    rng = np.random.default_rng(seed)
    honest = rng.beta(3, 1, n)
    return rescale(honest, 1 / temperature), rng.random(n) < honest


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_a_known_temperature_is_recovered(temperature: float) -> None:
    """The fit finds what the simulation put in, and ECE falls to almost nothing."""
    confidence, right = overconfident(50_000, temperature)
    found = fit_temperature(confidence, right)
    assert found == pytest.approx(temperature, rel=0.05)
    assert reliability(rescale(confidence, found), right).ece < 0.01
    if temperature != 1:
        assert reliability(confidence, right).ece > 0.05


def test_ece_by_hand() -> None:
    """Two bins: (0.9, 0.9 -> one right) and (0.2 -> right)."""
    result = reliability(np.array([0.9, 0.9, 0.2]), np.array([True, False, True]))
    assert result.ece == pytest.approx((2 * 0.4 + 0.8) / 3)
    filled = result.bins[result.bins["n"] > 0]
    assert filled[["n", "confidence", "accuracy"]].to_numpy().tolist() == [[1, 0.2, 1], [2, 0.9, 0.5]]
    assert result.accuracy == pytest.approx(2 / 3)


def test_wilson_intervals_hold_the_share_and_stay_within_bounds() -> None:
    """Even for one entity, and for a bin that is all right."""
    bins = reliability(np.array([0.95] * 20 + [0.35]), np.array([True] * 20 + [False])).bins.dropna()
    assert (bins["accuracy_low"] <= bins["accuracy"] + 1e-12).all()
    assert (bins["accuracy_high"] >= bins["accuracy"] - 1e-12).all()
    assert bins["accuracy_low"].min() >= -1e-12
    assert bins["accuracy_high"].max() <= 1 + 1e-12
    assert bins["accuracy_low"].iloc[-1] == pytest.approx(0.8389, abs=1e-3)


def test_probabilities_of_one_and_zero_are_counted() -> None:
    """They fall in the outer bins, and rescaling keeps them finite."""
    confidence = np.array([0.0, 1.0])
    assert reliability(confidence, np.array([False, True])).bins["n"].tolist() == [1, *[0] * 8, 1]
    assert np.isfinite(rescale(confidence, 3.0)).all()


def test_no_entity_is_no_zero() -> None:
    """An empty slice has no ECE, and empty bins no accuracy."""
    empty = reliability(np.array([]), np.array([], dtype=bool))
    assert (empty.n, empty.ece, empty.nll, empty.accuracy) == (0, None, None, None)
    assert empty.bins["accuracy"].isna().all()


def test_no_temperature_without_grounds() -> None:
    """Too few entities, or all with one outcome."""
    assert fit_temperature(np.full(10, 0.9), np.arange(10) < 5) is None
    assert fit_temperature(np.full(100, 0.9), np.ones(100, dtype=bool)) is None
    assert rescale(np.array([0.3]), None).tolist() == [0.3]


def answers_with(n: int, seed: int = 0, **options: object):  # noqa: ANN201
    """Turn simulated outcomes into one-word sentences."""
    confidence, right = overconfident(n, 2.0, seed)
    rows = [("Ada", "B-PER" if r else "B-LOC", "B-PER") for r in right]
    base = {"start": 0, "end": 1, "type": "PER", "runner_up_type": "LOC", "runner_up_confidence": 0.0}
    entities = [[base | {"confidence": c}] for c in confidence]
    return small_answers(rows, entities=entities, **options)


def test_the_table_compares_before_and_after_per_language() -> None:
    """Fitted on valid where given, else across halves, and it says which."""
    n = 3000
    answers = answers_with(n, language=["en"] * (n // 2) + ["de"] * (n // 2))
    for valid, fitted_on in ((answers_with(n, seed=1), "valid"), (None, "the other half of the sentences")):
        table = calibration_table(answers, valid).set_index("language")
        assert list(table.index) == ["all", "de", "en"]
        assert (table["ece_after"] < table["ece_before"] / 2).all()
        assert (table["nll_after"] < table["nll_before"]).all()
        assert table["temperature"].iloc[0] == pytest.approx(2.0, rel=0.15)
        assert set(table["fitted_on"]) == {fitted_on}
        assert table["n"].tolist() == [n, n // 2, n // 2]


def test_tiny_and_empty_tables_say_so() -> None:
    """A few entities are left as they are; no entity gives missing numbers."""
    few = calibration_table(answers_with(5))
    assert few["fitted_on"].tolist() == ["nothing: too few entities"] * 2
    assert few["ece_before"].tolist() == few["ece_after"].tolist()
    none = calibration_table(small_answers([("a", "O", "O")]))
    assert none["n"].tolist() == [0, 0]
    assert none["ece_before"].isna().all()


def test_a_run_without_probabilities_is_told_apart() -> None:
    """Another system's tags have nothing to calibrate."""
    with pytest.raises(InputError, match="holds no confidence"):
        calibration_table(small_answers([("a", "O", "O")], model=False))
