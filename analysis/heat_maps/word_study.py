"""Tests word saliency on many entities: deletion in its order beside random orders and the nearest words first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from analysis.heat_maps.attribution import MapTest, map_table
from analysis.heat_maps.word_saliency import FEWEST, ReadWords, in_groups, word_saliency, word_score
from analysis.run.json_rows import to_records
from mmner_core.errors import InputError
from mmner_core.labels import tags_to_entities
from mmner_core.text.segments import TextPart

if TYPE_CHECKING:
    from analysis.heat_maps.explainer import ModelExplainer
    from mmner_core.data import Example

_TOO_FEW = f"entities with fewer than {FEWEST} words around them"
_NO_IMAGE = "sentences asked without their image, which cannot be opened"


def measure_words(
    explainer: ModelExplainer,
    examples: Sequence[Example],
    *,
    convention: str | None = None,
    seed: int = 0,
    progress: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Compute word saliency of each gold entity, with its image if it has one, and test the order.

    Args:
        explainer: of the model.
        examples: sentences with gold tags of the model's types.
        convention: read all sentences by this convention; None: each by its own, or the model's default.
        seed: of the random orders.
        progress: called after each sentence.

    Returns:
        under ``words`` the rows of :func:`analysis.heat_maps.attribution.map_table`, under ``words_left_out`` what
        could not be asked, and how often.

    Raises:
        InputError: if no entity has enough words around it.
    """
    tests: list[Mapping[str, MapTest]] = []
    clusters: list[int] = []
    left_out: Counter[str] = Counter()
    for i, example in enumerate(examples):
        photo = explainer.open(example.image) if explainer.streams else None
        left_out[_NO_IMAGE] += example.image is not None and bool(explainer.streams) and photo is None
        image = None if photo is None else explainer.look(photo).image
        parts = [TextPart(0, None)]
        windows = explainer.subwords.windows_of_parts(example.words, parts)
        for entity in tags_to_entities(example.tags or ()):
            read = ReadWords.around(entity, example.words, parts, windows)
            score = word_score(explainer, read, image, convention or example.convention)
            checks = word_saliency(in_groups(score, read), read, seed=seed).checks
            left_out[_TOO_FEW] += not checks
            if checks:
                tests.append(checks)
                clusters.append(i)
        progress()
    if not tests:
        raise InputError("No entity has enough words around it to test their order; give longer sentences.")
    rows = to_records(map_table(tests, clusters))
    return {"words": rows, "words_left_out": [{"what": what, "n": n} for what, n in left_out.items() if n]}
