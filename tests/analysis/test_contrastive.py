"""One table of the contrastive space: per language, with n, gallery and chance."""

import numpy as np
import pytest

from analysis.run.pair_facts import PairFacts
from analysis.space.contrastive import contrastive_table
from analysis.space.geometry import modality_gap
from analysis.space.retrieval import unit_rows


def test_table_per_language() -> None:
    """English pairs coincide and German ones are random: recall, separation and alignment tell them apart."""
    rng = np.random.default_rng(0)
    text = rng.normal(size=(60, 16))
    image = np.concatenate([text[:30], rng.normal(size=(30, 16))])
    languages = ["en"] * 30 + ["de"] * 29 + [""]
    table = contrastive_table(text, image, [str(i) for i in range(60)], languages)
    value = table.set_index(["language", "quantity"])
    assert set(table["language"]) == {"all", "en", "de"}
    assert value.loc[("en", "text_to_image@1"), ["value", "n", "gallery", "chance"]].tolist() == pytest.approx(
        [1, 30, 30, 1 / 30]
    )
    assert value.loc[("de", "text_to_image@1"), "value"] < 0.3
    assert value.loc[("all", "image_to_text@10"), "n"] == 60
    assert value.loc[("en", "matched_cosine"), "value"] == pytest.approx(1)
    assert value.loc[("en", "separation"), "value"] == 1
    assert value.loc[("de", "separation"), ["low", "high"]].tolist() != [None, None]
    assert value.loc[("de", "separation"), "low"] < 0.5 < value.loc[("de", "separation"), "high"]
    assert value.loc[("en", "alignment"), "value"] == pytest.approx(0, abs=1e-6)
    gap = modality_gap(unit_rows(text[:30], "t"), unit_rows(image[:30], "i")).value
    assert value.loc[("en", "modality_gap"), "value"] == pytest.approx(gap, abs=1e-6)


def test_repeated_texts_do_not_make_the_space_less_uniform() -> None:
    """A text with three photos (minimal pairs) counts once in the uniformity of texts."""
    vectors = np.random.default_rng(1).normal(size=(12, 8))
    once = contrastive_table(vectors, vectors, [str(i) for i in range(12)], [""] * 12)
    thrice = contrastive_table(
        np.repeat(vectors, 3, axis=0), np.repeat(vectors, 3, axis=0), [str(i // 3) for i in range(36)], [""] * 36
    )
    pick = [table.set_index("quantity").loc["uniformity_text"] for table in (once, thrice)]
    assert pick[0]["value"] == pytest.approx(pick[1]["value"])
    assert pick[1]["n"] == 12


def facts_of_eight() -> PairFacts:
    """Return facts of eight pairs: two types, the last two irrelevant, the first three seen."""
    types = np.array(["PER"] * 4 + ["LOC"] * 4, dtype=object)
    return PairFacts(
        text_type=types,
        photo_type=np.array(["PER"] * 4 + ["LOC"] * 2 + ["", "PER"], dtype=object),
        relevant=np.arange(8) < 6,
        seen=np.array(["seen"] * 3 + ["unseen"] * 5, dtype=object),
    )


def test_recalls_stand_beside_what_the_type_alone_reaches() -> None:
    """Relevant pairs have a gallery of their own; seen and unseen ones share it; geometry is of all pairs alone."""
    vectors = np.random.default_rng(2).normal(size=(8, 5))
    table = contrastive_table(vectors, vectors, [str(i) for i in range(8)], ["en"] * 8, facts=facts_of_eight())
    found = table[table["language"] == "en"].set_index(["pairs", "quantity"])
    sizes = found["n"].xs("text_to_image@1", level="quantity").to_dict()
    assert sizes == {"all": 8, "relevant": 6, "seen": 3, "unseen": 3}
    assert found["gallery"].xs("text_to_image@1", level="quantity").tolist() == [8, 6, 6, 6]
    guessed = found["type_alone"].xs("text_to_image@1", level="quantity").to_dict()
    assert guessed["all"] == pytest.approx((4 / 5 + 2 / 2 + 0 + 0) / 8)  # the fifth photo of a PER is irrelevant
    assert guessed["relevant"] == pytest.approx((4 / 4 + 2 / 2) / 6)
    assert guessed["seen"] == pytest.approx(1 / 4) and guessed["unseen"] == pytest.approx((1 / 4 + 2 / 2) / 3)
    assert set(found.xs("separation", level="quantity").index) == {"all"}
    assert (found["value"].xs("text_to_image@1", level="quantity") == 1).all()


def test_what_is_not_known_has_no_rows() -> None:
    """Without facts there are all pairs alone, and nothing is said of the type."""
    vectors = np.random.default_rng(3).normal(size=(8, 5))
    table = contrastive_table(vectors, vectors, [str(i) for i in range(8)], ["en"] * 8)
    assert set(table["pairs"]) == {"all"} and table["type_alone"].isna().all()
