"""Random gold and predicted tags, for the property tests of this folder."""

from hypothesis import settings
from hypothesis import strategies as st

from mmner_core.labels import repair

# Deterministic, and without a deadline: a busy machine is no reason to fail.
MANY = settings(max_examples=50, deadline=None, derandomize=True)
FEW = settings(max_examples=15, deadline=None, derandomize=True)

TYPES = ("PER", "LOC", "ORG")
ANY_TAG = st.sampled_from(("O", *(f"{prefix}-{t}" for t in TYPES for prefix in "BI")))


@st.composite
def paired_tags(draw: st.DrawFn, *, legal: bool = False, max_sentences: int = 6) -> tuple[list, list]:
    """Draw gold and predicted tags for a few sentences; where not ``legal``, orphan I- tags occur."""
    gold, predicted = [], []
    for length in draw(st.lists(st.integers(1, 9), min_size=1, max_size=max_sentences)):
        for column in (gold, predicted):
            tags = draw(st.lists(ANY_TAG, min_size=length, max_size=length))
            column.append(repair(tags)[0] if legal else tags)
    return gold, predicted
