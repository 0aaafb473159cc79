"""``python -m tests.bench --serving``: both ways answer the same questions, and differences would be seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmner_core.inference.tagger import Tagger
from mmner_core.network.precision import multiplies_bfloat16
from tests.bench.serving import bench_serving, compare_answers

pytestmark = pytest.mark.slow  # measures time


def test_one_at_a_time_is_compared_with_groups(person_tagger: Tagger) -> None:
    """Texts and photos; every question answered both ways, with the same names."""
    result = bench_serving(person_tagger, requests=12, batch_size=6)
    assert set(result["kinds"]) == {"text", "photo"}
    for found in result["kinds"].values():
        assert found["ratio"] == found["grouped"]["per_second"] / found["one_at_a_time"]["per_second"]
        assert found["differences"]["answers"] == 12
        assert found["differences"]["other_names"] == 0
        if multiplies_bfloat16():  # full precision rounds by the size of a group, in digits that nobody sees
            assert found["differences"]["equal"] == 12
        assert found["differences"]["largest_confidence_difference"] < 1e-3
        assert found["grouped"]["seconds"]["n"] == 12


def test_a_difference_is_counted(person_tagger: Tagger) -> None:
    """A name that only one of two answers has, and a confidence that moved."""
    first = person_tagger.tag("Ada in Berlin")
    assert first.entities
    moved = replace(first, entities=(replace(first.entities[0], confidence=0.25), *first.entities[1:]))
    lost = replace(first, entities=first.entities[1:])
    told = compare_answers([first, first, first], [first, moved, lost])
    assert (told["answers"], told["equal"], told["other_names"]) == (3, 1, 1)
    assert told["largest_confidence_difference"] == abs(first.entities[0].confidence - 0.25)
