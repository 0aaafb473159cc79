"""IOB2 tags and entities say the same thing, and only legal tags are ever produced."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmner_core.errors import InputError
from mmner_core.labels import (
    Entity,
    LabelSet,
    may_follow,
    repair,
    split_tag,
    tags_to_entities,
)
from tests.helpers import entities_to_tags

LABELS = LabelSet()
any_tags = st.lists(st.sampled_from(LABELS.tags), max_size=20)


@st.composite
def spans(draw: st.DrawFn) -> tuple[list[Entity], int]:
    """Draw entities that do not overlap, in order, and a sentence length that holds them."""
    entities, position = [], 0
    for gap, length, kind in draw(
        st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4), st.sampled_from(LABELS.types)), max_size=6)
    ):
        entities.append(Entity(position + gap, position + gap + length, kind))
        position += gap + length
    return entities, position + draw(st.integers(0, 3))


@settings(deadline=None, max_examples=60)
@given(spans())
def test_entities_survive_the_way_through_tags(drawn: tuple[list[Entity], int]) -> None:
    """Entities written as tags and read again are the same, neighbours of one type included."""
    entities, n_words = drawn
    tags = entities_to_tags(entities, n_words)
    assert tags_to_entities(tags) == entities
    assert repair(tags) == (tags, 0)


@settings(deadline=None, max_examples=60)
@given(any_tags)
def test_repair_makes_tags_legal_and_changes_only_orphans(tags: list[str]) -> None:
    """Repaired tags are legal, keep every type, differ in exactly the counted places, and stay as they are."""
    legal, orphans = repair(tags)
    assert all(may_follow(before, after) for before, after in zip(["O", *legal], legal, strict=False))
    assert [split_tag(tag)[1] for tag in legal] == [split_tag(tag)[1] for tag in tags]
    changed = [(a, b) for a, b in zip(tags, legal, strict=True) if a != b]
    assert len(changed) == orphans
    assert all(a.startswith("I-") and b.startswith("B-") for a, b in changed)
    assert repair(legal) == (legal, 0)


@settings(deadline=None, max_examples=60)
@given(any_tags)
def test_reading_entities_repairs_first(tags: list[str]) -> None:
    """Entities of raw tags are those of the repaired ones, and written back they give the repaired tags."""
    legal, _ = repair(tags)
    assert tags_to_entities(tags) == tags_to_entities(legal)
    assert entities_to_tags(tags_to_entities(tags), len(tags)) == legal


@settings(deadline=None, max_examples=60)
@given(any_tags)
def test_encoding_is_undone_by_decoding(tags: list[str]) -> None:
    """Indices lead back to the tags they came from."""
    assert LABELS.decode(LABELS.encode(tags)) == tags


def test_legality_table_agrees_with_its_definition() -> None:
    """Exactly the pairs (T, I-T) and everything followed by O or B- are legal."""
    table = LABELS.may_follow()
    for i, before in enumerate(LABELS.tags):
        for j, after in enumerate(LABELS.tags):
            assert table[i][j] == (after[0] != "I" or before[1:] == after[1:])
    assert LABELS.may_start() == [tag[0] != "I" for tag in LABELS.tags]


def test_label_set_lists_tags_in_order() -> None:
    """O comes first, then B- and I- of each type; indices agree."""
    labels = LabelSet(("PER", "OTHER"))
    assert labels.tags == ("O", "B-PER", "I-PER", "B-OTHER", "I-OTHER")
    assert len(labels) == 5
    assert (labels.begin("OTHER"), labels.inside("OTHER")) == (3, 4)


def test_label_set_is_inferred_from_tags() -> None:
    """Twitter's OTHER needs no configuration."""
    assert LabelSet.from_tags(["O", "I-OTHER", "B-PER", "B-OTHER"]).types == ("OTHER", "PER")


@pytest.mark.parametrize("types", [(), ("PER", "PER"), ("",), ("A B",), (" PER",)])
def test_label_set_refuses_bad_types(types: tuple[str, ...]) -> None:
    """Missing, repeated, empty or spaced types are an input error."""
    with pytest.raises(InputError):
        LabelSet(types)


@pytest.mark.parametrize("tag", ["", "I", "B-", "O-PER", "b-PER", "S-PER", "PER", "-PER", "o"])
def test_only_iob2_tags_are_split(tag: str) -> None:
    """Anything but O, B-TYPE and I-TYPE is refused by name."""
    with pytest.raises(InputError, match="IOB2"):
        split_tag(tag)


def test_type_may_hold_hyphens() -> None:
    """Only the first hyphen separates prefix and type."""
    assert split_tag("B-work-of-art") == ("B", "work-of-art")


def test_unknown_tag_is_named_with_its_place() -> None:
    """Encoding says which tag, where, and what there is."""
    with pytest.raises(InputError, match=r"train\.txt:3: unknown tag 'B-OTHER'.*B-PER"):
        LABELS.encode(["O", "B-OTHER"], "train.txt:3")
