"""Leakage: copies, near copies, photos and names are counted, and nothing else is."""

from analysis.scores.leakage import find_leakage
from mmner_core.data import Example

LONG = "the quick brown fox jumps over the lazy dog near Rome"


def example(text: str, tags: str = "", **fields: str) -> Example:
    """Write an example with spaces; no tags means none of its words is a name."""
    words = tuple(text.split())
    return Example(words=words, tags=tuple(tags.split()) or ("O",) * len(words), **fields)


def count(train: list[Example], test: list[Example], what: str, language: str = "all") -> tuple[int, int]:
    """Return leaked and n of one row."""
    table = find_leakage(train, test).counts.set_index(["language", "what"])
    row = table.loc[(language, what)]
    return int(row["n_leaked"]), int(row["n"])


def test_copies_are_told_by_how_close_they_are() -> None:
    """Exact, but for case and punctuation, but for one word at the end; another sentence is none."""
    train = [example(LONG, where="train.txt:1")]
    test = [
        example(LONG, where="a"),
        example("The quick, brown FOX jumps over the lazy dog near Rome !", where="b"),
        example(LONG + " today", where="c"),
        example("the quick brown fox sleeps under the lazy dog near Rome", where="d"),
    ]
    result = find_leakage(train, test)
    assert result.pairs[["test_where", "what"]].to_numpy().tolist() == [
        ["a", "exact sentence"],
        ["b", "normalised"],
        ["c", "near duplicate"],
    ]
    assert set(result.pairs["train_where"]) == {"train.txt:1"}
    assert count(train, test, "exact sentence") == (1, 4)
    assert count(train, test, "normalised") == (2, 4)
    assert count(train, test, "near duplicate") == (3, 4)


def test_the_most_similar_sentence_is_named() -> None:
    """Of two near copies the closer one is shown, with its Jaccard similarity of trigrams."""
    base = LONG.split()
    train = [example(" ".join([*base, "now", "then"]), where="far"), example(" ".join([*base, "now"]), where="close")]
    pair = find_leakage(train, [example(LONG)]).pairs.iloc[0]
    assert (pair["train_where"], round(pair["similarity"], 3)) == ("close", 0.9)


def test_short_sentences_are_not_near_duplicates() -> None:
    """Seven words are alike by chance; as exact copies they still count."""
    train = [example("a b c d e f g")]
    assert count(train, [example("a b c d e f h")], "near duplicate") == (0, 1)
    assert count(train, [example("a b c d e f g")], "near duplicate") == (1, 1)


def test_sentences_of_signs_only_are_not_normalised_copies() -> None:
    """Two emoji have nothing left to compare."""
    assert count([example("🙂")], [example("🎉")], "normalised") == (0, 1)


def test_images_are_counted_once_each() -> None:
    """Shared photos over distinct photos; a sentence without one does not match another without one."""
    train = [example("a", image_id="p1"), example("b")]
    test = [example("c", image_id="p1"), example("d", image_id="p1"), example("e", image_id="p2"), example("f")]
    assert count(train, test, "shared image") == (1, 2)


def test_names_with_the_same_and_with_any_label() -> None:
    """Jordan the country is known as a person only; Rome as a place."""
    train = [example("Jordan saw Rome", "B-PER O B-LOC")]
    test = [example("Jordan borders Rome not Oslo", "B-LOC O B-LOC O B-LOC", language="en")]
    assert count(train, test, "name, same label") == (1, 3)
    assert count(train, test, "name, any label", "en") == (2, 3)


def test_empty_splits_have_no_shares() -> None:
    """Nothing to leak: n = 0 and a missing share, for a split and for a language without names."""
    counts = find_leakage([], []).counts
    assert (counts["n"] == 0).all()
    assert counts["share"].isna().all()
    assert count([example("a")], [example("b", language="de")], "name, any label", "de") == (0, 0)
