"""What is kept is kept within bounds, and the longest unused goes first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mmner_core.runtime.cache import RecentlyUsed


def test_the_longest_unused_goes_first() -> None:
    """Asking for a value is using it."""
    cache: RecentlyUsed[str] = RecentlyUsed(10)
    cache.put("a", "A", 4)
    cache.put("b", "B", 4)
    assert cache.get("a") == "A"
    cache.put("c", "C", 4)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == ("A", None, "C")


def test_what_is_larger_than_the_cache_is_not_kept() -> None:
    """Nor does it push out what is, except its own predecessor."""
    cache: RecentlyUsed[str] = RecentlyUsed(10)
    cache.put("a", "A", 4)
    cache.put("b", "B", 11)
    assert (cache.get("a"), cache.get("b")) == ("A", None)
    cache.put("a", "AA", 11)
    assert cache.get("a") is None


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12))))
def test_the_bound_holds(puts: list[tuple[int, int]]) -> None:
    """Whatever is put in, what is held sums to at most the bound, and the latest fitting value is there."""
    cache: RecentlyUsed[int] = RecentlyUsed(10)
    for key, size in puts:
        cache.put(key, size, size)
        assert cache.get(key) == (size if size <= 10 else None)
        assert sum(cache.get(k) or 0 for k in range(6)) <= 10
