"""The retrieval and geometry of the contrastive space, per language, in one table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.run.pair_facts import SEEN, UNSEEN, PairFacts
from analysis.scores.breakdowns import ALL, by_part
from analysis.space.geometry import alignment, modality_gap, uniformity
from analysis.space.retrieval import (
    RECALL_AT,
    PairedVectors,
    Recall,
    cosine_distributions,
    pair_vectors,
    partner_ranks,
    recalls,
)

Row = dict[str, str | float | int | None]
RELEVANT = "relevant"


def contrastive_table(
    text: np.ndarray,
    image: np.ndarray,
    image_ids: Sequence[str],
    languages: Sequence[str],
    *,
    facts: PairFacts | None = None,
    ks: Sequence[int] = RECALL_AT,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure text and image vectors of N pairs, over all and within each language.

    Within a language only its texts and images are ranked, so galleries differ in size; ``chance``, ``type_alone`` and
    ``gallery`` say what to compare a recall with. Two runs (with and without contrastive training) compare row by row.

    Args:
        text: [N, D] one vector per sentence with a photo.
        image: [N, D] the vector of its photo in one stream.
        image_ids: N ids; equal ids are one image.
        languages: N languages; "" counts only over all.
        facts: what else is known of the pairs.
        ks: at which k recall is taken.
        seed: of the bootstrap and of the mismatched pairs drawn.

    Returns:
        One row per ``language``, ``pairs`` and ``quantity``: ``value``, ``low``, ``high``, ``n``, ``gallery``,
        ``chance`` and ``type_alone`` (None where it does not apply). Quantities: ``text_to_image@k``,
        ``image_to_text@k``, ``matched_cosine``, ``mismatched_cosine``, ``separation``, ``modality_gap``, ``alignment``,
        ``uniformity_text``, ``uniformity_image``. Pairs: "all"; and of the recalls "relevant", without the pairs that
        the data call irrelevant, and of these "seen" and "unseen", the queries whose names training has or has not,
        among the same gallery. What the facts do not tell apart has no rows.

    Raises:
        InputError: if the vectors do not fit or one has no direction.
    """
    ids, facts = np.array(image_ids, dtype=object), facts or PairFacts.unknown(len(text))
    rows: list[Row] = []
    for language, chosen in by_part(languages):
        found = _measure(text[chosen], image[chosen], ids[chosen], facts.take(chosen), ks, seed)
        rows += [{"language": language, **row} for row in found]
    return pd.DataFrame(rows)


def _measure(
    text: np.ndarray, image: np.ndarray, ids: np.ndarray, facts: PairFacts, ks: Sequence[int], seed: int
) -> list[Row]:
    pairs = pair_vectors(text, image, ids.tolist())
    ranks = partner_ranks(pairs)
    rows = _recalls(ALL, recalls(pairs, ks, facts=facts, ranks=ranks, seed=seed)) + _geometry(pairs, seed)
    relevant = facts.relevant
    if not relevant.all():
        pairs, facts = pair_vectors(text[relevant], image[relevant], ids[relevant].tolist()), facts.take(relevant)
        ranks = partner_ranks(pairs)
        if len(pairs.text):
            rows += _recalls(RELEVANT, recalls(pairs, ks, facts=facts, ranks=ranks, seed=seed))
    for name in (SEEN, UNSEEN):
        asked = facts.seen == name
        if asked.any():
            rows += _recalls(name, recalls(pairs, ks, facts=facts, asked=asked, ranks=ranks, seed=seed))
    return rows


def _recalls(name: str, found: Sequence[Recall]) -> list[Row]:
    return [
        {"pairs": name, "quantity": f"{r.direction}@{r.k}"}
        | r.recall.to_row()
        | {"gallery": r.gallery, "chance": r.chance, "type_alone": r.type_alone}
        for r in found
    ]


def _geometry(pairs: PairedVectors, seed: int) -> list[Row]:
    cosines = cosine_distributions(pairs, seed=seed)
    distinct_texts = np.unique(pairs.text, axis=0)
    estimates = {
        "matched_cosine": cosines.matched_mean(seed=seed),
        "mismatched_cosine": cosines.mismatched_mean(seed=seed),
        "separation": cosines.separation,
        "modality_gap": modality_gap(pairs.text, pairs.of_images(), seed=seed),
        "alignment": alignment(pairs.text, pairs.of_images(), seed=seed),
        "uniformity_text": uniformity(distinct_texts, seed=seed),
        "uniformity_image": uniformity(pairs.image, seed=seed),
    }
    return [
        {"pairs": ALL, "quantity": quantity}
        | estimate.to_row()
        | {"gallery": None, "chance": 0.5 if quantity == "separation" else None, "type_alone": None}
        for quantity, estimate in estimates.items()
    ]
