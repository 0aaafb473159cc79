"""The numbers beside the map: retrieval and geometry of the contrastive space, per language, in one table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.geometry import alignment, modality_gap, uniformity
from analysis.margins import by_part
from analysis.retrieval import RECALL_AT, PairedVectors, cosine_distributions, pair_vectors, recalls

Row = dict[str, str | float | int | None]


def contrastive_table(
    text: np.ndarray,
    image: np.ndarray,
    image_ids: Sequence[str],
    languages: Sequence[str],
    *,
    ks: Sequence[int] = RECALL_AT,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure text and image vectors of N pairs, over all and within each language.

    Within a language only its texts and images are ranked, so galleries differ in size; ``chance`` and ``gallery`` say
    what to compare a recall with. Two runs (with and without contrastive training) compare row by row.

    Args:
        text: [N, D] one vector per sentence with a photo.
        image: [N, D] the vector of its photo in one stream.
        image_ids: N ids; equal ids are one image.
        languages: N languages; "" counts only over all.
        ks: at which k recall is taken.
        seed: of the bootstrap and of the mismatched pairs drawn.

    Returns:
        One row per ``language`` and ``quantity``: ``value``, ``low``, ``high``, ``n``, ``gallery`` and ``chance`` (None
        where it does not apply). Quantities: ``text_to_image@k``, ``image_to_text@k``, ``matched_cosine``,
        ``mismatched_cosine``, ``separation``, ``modality_gap``, ``alignment``, ``uniformity_text``,
        ``uniformity_image``.

    Raises:
        InputError: if the vectors do not fit or one has no direction.
    """
    ids = np.array(image_ids, dtype=object)
    rows: list[Row] = []
    for language, chosen in by_part(languages):
        pairs = pair_vectors(text[chosen], image[chosen], ids[chosen].tolist())
        rows += [{"language": language, **row} for row in _measure(pairs, ks, seed)]
    return pd.DataFrame(rows)


def _measure(pairs: PairedVectors, ks: Sequence[int], seed: int) -> list[Row]:
    found = recalls(pairs, ks, seed=seed)
    rows: list[Row] = [
        {"quantity": f"{r.direction}@{r.k}"} | r.recall.to_row() | {"gallery": r.gallery, "chance": r.chance}
        for r in found
    ]
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
    for quantity, estimate in estimates.items():
        chance = 0.5 if quantity == "separation" else None
        rows.append({"quantity": quantity} | estimate.to_row() | {"gallery": None, "chance": chance})
    return rows
