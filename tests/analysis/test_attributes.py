"""What an entity is said to be like is what it is like."""

import pytest
from hypothesis import given

from analysis.run.lexicon import Lexicon
from analysis.scores.attributes import ATTRIBUTES, PHRASES, attribute_table
from mmner_core.data import Example
from tests.analysis.small_run import small_answers
from tests.analysis.taggings import FEW, paired_tags

LEXICON = Lexicon.from_examples(
    [
        Example(words=("Ada", "in", "New", "York"), tags=("B-PER", "O", "B-LOC", "I-LOC")),
        Example(words=("Ada",), tags=("B-MISC",)),
        Example(words=("Bob",), tags=None),
    ]
)


def test_seen_has_three_answers() -> None:
    """With this label, with another one, never; letter case counts and unlabelled training text does not."""
    surfaces = ["Ada", "Ada", "New York", "new york", "Bob"]
    types = ["PER", "MISC", "PER", "LOC", "PER"]
    expected = ["with this label", "with this label", "with another label", "never", "never"]
    assert LEXICON.seen(surfaces, types).tolist() == expected
    assert Lexicon.from_table(LEXICON.to_table()) == LEXICON
    assert LEXICON.restrict(["Ada", "Eve"]).types == {"Ada": {"PER", "MISC"}}


def test_how_often_and_how_consistently_training_names_a_surface() -> None:
    """Ada is a person twice in three, New York a place once; without counts, as in older runs, it is not known."""
    lexicon = Lexicon.from_examples(
        [Example(words=("Ada",), tags=(tag,)) for tag in ("B-PER", "B-PER", "B-MISC")]
        + [Example(words=("New", "York"), tags=("B-LOC", "I-LOC"))]
        + [Example(words=("Bo",), tags=("B-ORG",))] * 25
    )
    assert lexicon.counts["Ada"] == {"PER": 2, "MISC": 1}
    assert Lexicon.from_table(lexicon.to_table()).counts == lexicon.counts
    rows = [("Ada Ada New York Bo Eve", "B-PER B-MISC B-LOC I-LOC B-PER B-PER", "O O O O O O")]
    answers = small_answers(rows)
    table = attribute_table(answers, answers.gold, lexicon.restrict(["Ada", "New York", "Bo", "Eve"]))
    assert table["frequency"].tolist() == ["2-4 times", "2-4 times", "once", "20 times or more", "never"]
    assert table["consistency"].tolist() == [
        "mostly this type", "mostly another type", "always this type", "never this type", "never",
    ]  # fmt: skip
    old = Lexicon(types=lexicon.types)
    assert Lexicon.from_table(old.to_table()) == old
    for known in (old, None):
        table = attribute_table(answers, answers.gold, known)
        assert set(table["frequency"]) == set(table["consistency"]) == {"not known"}


def test_each_attribute_of_one_sentence() -> None:
    """Length, place, company, letter case and label of three names."""
    rows = [("New York and IBM thank de Gaulle", "B-LOC I-LOC O B-ORG O B-PER I-PER", "O O O O O O O")]
    table = attribute_table(answers := small_answers(rows), answers.gold, LEXICON)
    assert table["text"].tolist() == ["New York", "IBM", "de Gaulle"]
    assert table["entity_length"].tolist() == ["2 words", "1 word", "2 words"]
    assert table["position"].tolist() == ["first", "inside", "last"]
    assert table["casing"].tolist() == ["Capitalised", "UPPER CASE", "Capitalised"]
    assert table["seen"].tolist() == ["with this label", "never", "never"]
    assert set(table["density"]) == {"2-3"}
    assert set(table["sentence_length"]) == {"6-10 words"}
    assert len(attribute_table(answers, answers.predicted, LEXICON)) == 0


CASINGS = {
    "jordan": "lower case",
    "Jordan": "Capitalised",
    "I": "Capitalised",
    "NATO": "UPPER CASE",
    "iPhone": "mixed case",
    "Élysée 2": "Capitalised",
    "2024": "no letters",
    "Ludwig van Beethoven": "Capitalised",
    "USA Today": "mixed case",
}


@pytest.mark.parametrize(("text", "casing"), CASINGS.items())
def test_letter_case(text: str, casing: str) -> None:
    """Particles in lower case do not make a name mixed, capitals inside a word do."""
    n = len(text.split())
    answers = small_answers([(text, " ".join(["B-MISC"] + ["I-MISC"] * (n - 1)), " ".join(["O"] * n))])
    assert attribute_table(answers, answers.gold)["casing"].tolist() == [casing]


def test_what_is_not_known_is_called_so() -> None:
    """No training data, no language, no kind, no image, no model."""
    rows = [("Ada", "B-PER", "B-PER")]
    answers = small_answers(rows, model=False, language=[""], image_id=[""], image_path=[""])
    row = attribute_table(answers, answers.gold).iloc[0]
    unknown = row[["seen", "language", "kind", "image", "cosine_tercile"]].tolist()
    assert unknown == ["not known", "not known", "not known", "without image", "no cosine"]


@FEW
@given(paired_tags(legal=True))
def test_right_pairs_share_their_attributes(tags: tuple[list, list]) -> None:
    """A predicted entity that equals a gold one falls in the same slices, or F1 of a slice would mean nothing."""
    rows = [(" ".join(f"w{i}" for i in range(len(g))), " ".join(g), " ".join(p)) for g, p in zip(*tags, strict=True)]
    answers = small_answers(rows, model=False)
    tables = []
    for spans in (answers.gold, answers.predicted):
        table = attribute_table(answers, spans).astype(object)
        tables.append({key: tuple(row) for key, row in zip(_keys(spans), table.to_numpy(), strict=True)})
    for key in tables[0].keys() & tables[1].keys():
        assert tables[0][key] == tables[1][key]


def _keys(spans) -> list[tuple]:  # noqa: ANN001
    return list(zip(spans.first.tolist(), spans.last.tolist(), spans.type_names(), strict=True))


def test_every_attribute_has_its_phrase() -> None:
    """A slice's description never falls back on a column name."""
    answers = small_answers([("Ada", "B-PER", "O")])
    assert tuple(attribute_table(answers, answers.gold).columns) == (*ATTRIBUTES, "text")
    assert set(PHRASES) == set(ATTRIBUTES)
