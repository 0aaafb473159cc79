"""The last step of the alignment: projections in closed form, over states that the trained encoders computed once.

A batch of the tagger's training holds a few dozen pairs, most of whose negatives are of another type and easily told
apart, so what the contrastive loss learns from them is mostly the type. Canonical correlation analysis of all pairs
finds in a second the directions in which texts and photos agree. Training on them in batches of hundreds, half of one
type, every pair of one entity a positive, learns the training pairs by heart instead: from the words of names after
layer 6 it reached a recall@10 of 19 on mmwiki's validation sentences where this reaches 26, and begun from this it
fell with every step.

Shapes: N pairs, D width of a text's vector, C of a photo's, K directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (the field's name for it)

from mmner_core.data import Example
from mmner_core.inference.batches import BATCH_ROWS, BATCH_SUBWORDS, window_batches
from mmner_core.inference.image_loader import ImageLoader
from mmner_core.labels import tags_to_entities
from mmner_core.network.alignment import Projection
from mmner_core.network.model import MMNER
from mmner_core.text.encoding import SubwordEncoder, collate
from mmner_core.training.config import AlignConfig, DataSource
from mmner_core.training.mixture import TrainingItem


@dataclass(frozen=True, slots=True)
class Pairs:
    """Texts and photos that belong together.

    Attributes:
        text: [N, D] what stands for each text.
        image: per stream [N, C] the pooled vector of its photo.
    """

    text: Tensor
    image: dict[str, Tensor]


@torch.no_grad()
def collect_pairs(model: MMNER, subwords: SubwordEncoder, items: Sequence[TrainingItem], images: ImageLoader) -> Pairs:
    """Compute the vectors of all pairs whose image shows the very thing the sentence names (``TrainingItem.shown``)."""
    conventions = {name: i for i, name in enumerate(model.config.conventions)}
    used = [item for item in items if item.shown is not None and not item.region]
    windows = subwords.windows([item.example.words for item in used])
    texts: list[Tensor] = []
    photos: dict[str, list[Tensor]] = {stream: [] for stream in model.image_projections}
    for ids in window_batches(windows, batch_subwords=BATCH_SUBWORDS, batch_rows=BATCH_ROWS):
        examples = [used[s].example for s, _ in ids]
        loaded = images.load(examples)
        batch = collate(
            [windows[s][w] for s, w in ids],
            pad=subwords.pad,
            conventions=[conventions.get(e.convention or "", 0) for e in examples],
            pixels=loaded.pixels,
            image_states=loaded.states,
        ).to(model.device)
        if (seen := model.encode_image(batch)) is None:
            continue
        encoded = model.encode_text(batch)
        vectors = model.text_vector(encoded, model.word_states(encoded, batch), batch)
        pooled = {stream: model.pooled(seen, stream) for stream in photos}
        for vector, image in zip(vectors, loaded.rows, strict=True):
            if image >= 0:
                texts.append(vector.float())
                for stream, own in pooled.items():
                    photos[stream].append(own[image].float())
    return Pairs(torch.stack(texts), {stream: torch.stack(vectors) for stream, vectors in photos.items()})


def named_things(examples: Sequence[Example], source: DataSource) -> list[TrainingItem]:
    """Return the sentences that name one thing only, which then is what their images show."""
    items = []
    for example in examples:
        entities = tags_to_entities(example.tags or ())
        if len(entities) == 1:
            name = " ".join(example.words[entities[0].start : entities[0].end])
            items.append(TrainingItem(example, source, shown=(entities[0].type, name)))
    return items


@torch.no_grad()
def align(model: MMNER, pairs: Pairs, config: AlignConfig) -> None:
    """Set the projections of texts and photos to the canonical directions of the pairs; nothing else changes.

    Regularised canonical correlation analysis: each direction counts by its correlation to the power of
    ``config.power``. With several streams the texts' directions are those that all streams together correlate with,
    and each stream's are its regression on them.

    Args:
        model: with a contrastive space.
        pairs: at least two. The time grows with the cube of the vectors' widths: some thousand numbers are a second.
        config: how much to regularise.
    """
    assert model.text_projection is not None and config.ridge is not None  # noqa: S101 (who aligns has both)
    text = Standardised.of(pairs.text)
    photos = {stream: Standardised.of(vectors) for stream, vectors in pairs.image.items()}
    seen = torch.cat([photo.rows for photo in photos.values()], dim=1)
    kept = model.text_encoder.width // 2
    directions, correlations = canonical_directions(text.rows, seen, config.ridge)
    directions, correlations = directions[:, :kept], correlations[:kept]
    set_linear(model.text_projection, text, directions * correlations**config.power)
    variates = text.rows @ directions  # [N, K]
    for stream, photo in photos.items():
        covariance, towards = _covariance(photo.rows, config.ridge), photo.rows.T @ variates / len(variates)
        regression = torch.linalg.solve(covariance, towards)  # [C, K]
        set_linear(
            cast("Projection", model.image_projections[stream]), photo, regression * correlations ** (config.power - 1)
        )


class Standardised(NamedTuple):
    """Vectors [N, D] in float64, each number less its mean and divided by its standard deviation, [D] each."""

    rows: Tensor
    mean: Tensor
    deviation: Tensor

    @classmethod
    def of(cls, vectors: Tensor) -> Standardised:
        """Standardise vectors, [N, D]."""
        mean, deviation = vectors.double().mean(0), vectors.double().std(0).clamp(min=1e-3)
        return cls((vectors.double() - mean) / deviation, mean, deviation)


def canonical_directions(x: Tensor, y: Tensor, ridge: float) -> tuple[Tensor, Tensor]:
    """Return the directions of x that correlate most with some direction of y, and their correlations, best first.

    Args:
        x: [N, D] in float64, of mean 0.
        y: [N, C] of the same things.
        ridge: added to the variance of every number of either.

    Returns:
        [D, K] and [K], K the smaller of D and C. The directions are of variance 1, the ridge included, and correlate
        with none of each other.
    """
    whiten = torch.linalg.cholesky(_covariance(x, ridge))  # [D, D], lower
    between = torch.linalg.solve_triangular(whiten, x.T @ y / len(x), upper=False)  # [D, C]
    squares, rotation = torch.linalg.eigh(between @ torch.linalg.solve(_covariance(y, ridge), between.T))  # ascending
    directions = torch.linalg.solve_triangular(whiten.T, rotation.flip(1), upper=True)
    most = min(x.shape[1], y.shape[1])
    return directions[:, :most], squares.flip(0)[:most].clamp(min=0).sqrt()


def _covariance(rows: Tensor, ridge: float) -> Tensor:
    return rows.T @ rows / len(rows) + ridge * torch.eye(rows.shape[1], dtype=rows.dtype)


@torch.no_grad()
def set_linear(projection: Projection, inputs: Standardised, matrix: Tensor) -> None:
    """Make a projection compute the product of standardised inputs with a matrix, in its first outputs.

    The ReLU between its layers lets a number and its negative through apart; their difference is the number.

    Args:
        projection: of at least 2K hidden units and K outputs; outputs beyond K become 0.
        inputs: tells mean and standard deviation of what it will be given.
        matrix: [D, K].
    """
    layers: Any = projection
    first, last = layers[0], layers[2]
    k = matrix.shape[1]
    for layer in (first, last):
        layer.weight.zero_()
        layer.bias.zero_()
    weight = (matrix / inputs.deviation[:, None]).T  # [K, D]
    both = torch.cat([weight, -weight])
    first.weight[: 2 * k] = both.to(first.weight)
    first.bias[: 2 * k] = (-(both @ inputs.mean)).to(first.bias)
    identity = torch.eye(k).to(last.weight)
    last.weight[:k, : 2 * k] = torch.cat([identity, -identity], dim=1)


@torch.no_grad()
def low_match(model: MMNER, pairs: Pairs) -> float:
    """Return the lowest decile of the cosines of pairs that belong together, averaged over streams."""
    assert model.text_projection is not None  # noqa: S101 (who aligned has one)
    text = F.normalize(model.text_projection(pairs.text), dim=-1)
    cosines = [
        (text * F.normalize(model.image_projections[stream](photo), dim=-1)).sum(-1)
        for stream, photo in pairs.image.items()
    ]
    return float(torch.stack(cosines).mean(0).quantile(0.1))
