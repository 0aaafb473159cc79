"""Contrastive training with large batches over states that frozen encoders computed once.

A batch of the tagger's training holds a few dozen pairs, most of whose negatives are of another type and easily told
apart. Here a batch has hundreds, half of them of one type, and every pair that names the same thing counts as positive.

Shapes: N pairs, B pairs of a batch, D width of a text's vector, C of a photo's.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
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

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Texts and photos that belong together.

    Attributes:
        text: [N, D] what stands for each text.
        image: per stream [N, C] the pooled vector of its photo.
        entity: [N] equal where the same thing is named or shown.
        type: [N] equal where what is named is of one type.
    """

    text: Tensor
    image: dict[str, Tensor]
    entity: Tensor
    type: np.ndarray


@torch.no_grad()
def collect_pairs(model: MMNER, subwords: SubwordEncoder, items: Sequence[TrainingItem], images: ImageLoader) -> Pairs:
    """Compute the vectors of all pairs whose image shows the very thing the sentence names (``TrainingItem.shown``)."""
    conventions = {name: i for i, name in enumerate(model.config.conventions)}
    used = [item for item in items if item.shown is not None and not item.region]
    windows = subwords.windows([item.example.words for item in used])
    shown: list[tuple[str, str]] = []
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
        encoded, seen = model.encode_text(batch), model.encode_image(batch)
        vectors = model.text_vector(encoded, model.word_states(encoded, batch), batch.word_mask)
        if seen is None:
            continue
        pooled = {stream: model.pooled(seen, stream) for stream in photos}
        for row, (s, _) in enumerate(ids):
            if (image := loaded.rows[row]) >= 0 and (thing := used[s].shown) is not None:
                shown.append(thing)
                texts.append(vectors[row].float())
                for stream, own in pooled.items():
                    photos[stream].append(own[image].float())
    numbers: dict[tuple[str, str], int] = {}
    return Pairs(
        torch.stack(texts),
        {stream: torch.stack(vectors) for stream, vectors in photos.items()},
        torch.tensor([numbers.setdefault(thing, len(numbers)) for thing in shown]),
        np.array([kind for kind, _ in shown]),
    )


def named_things(examples: Sequence[Example], source: DataSource) -> list[TrainingItem]:
    """Return the sentences that name one thing only, which then is what their images show."""
    items = []
    for example in examples:
        entities = tags_to_entities(example.tags or ())
        if len(entities) == 1:
            name = " ".join(example.words[entities[0].start : entities[0].end])
            items.append(TrainingItem(example, source, shown=(entities[0].type, name)))
    return items


def align(model: MMNER, pairs: Pairs, config: AlignConfig, seed: int) -> None:
    """Train the projections of texts and photos, and the temperature, on the pairs; nothing else changes.

    Projections of standardised vectors are learnt; the standardisation is then worked into their first layer.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    assert model.text_projection is not None  # noqa: S101 (who aligns has one)
    streams = list(pairs.image)
    sides: list[tuple[Projection, Tensor]] = [(model.text_projection, pairs.text)]
    sides += [(model.image_projections[stream], pairs.image[stream]) for stream in streams]  # type: ignore[misc]
    scales = [(vectors.mean(0), vectors.std(0).clamp(min=1e-3)) for _, vectors in sides]
    inputs = [(vectors - mean) / deviation for (_, vectors), (mean, deviation) in zip(sides, scales, strict=True)]
    for projection, _ in sides:
        for layer in (projection[0], projection[2]):
            layer.reset_parameters()  # type: ignore[operator]
    parameters = [p for projection, _ in sides for p in projection.parameters()]
    trained = [p.requires_grad_(True) for p in (*parameters, *model.contrastive.parameters())]
    optimizer = torch.optim.AdamW(trained, lr=config.lr, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.lr, total_steps=config.steps, pct_start=0.1)
    dropout = nn.Dropout(config.dropout)
    for step in range(config.steps):
        rows = torch.from_numpy(_draw(pairs.type, config, rng))
        text, *photos = (F.normalize(p(dropout(x[rows])), dim=-1) for (p, _), x in zip(sides, inputs, strict=True))
        losses = [_loss(text, photo, pairs.entity[rows], model.contrastive.inverse_temperature) for photo in photos]
        loss = torch.stack(losses).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 250 == 0:
            log.info("alignment, step %d: loss %.3f", step, loss.item())
    for (projection, _), (mean, deviation) in zip(sides, scales, strict=True):
        _standardise(projection[0], mean, deviation)  # type: ignore[arg-type]


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


def _draw(types: np.ndarray, config: AlignConfig, rng: np.random.Generator) -> np.ndarray:
    """Draw the rows of a batch: a share of one type, the others of any."""
    kind = rng.choice(np.unique(types))
    of_kind = np.flatnonzero(types == kind)
    alike = rng.choice(of_kind, min(len(of_kind), round(config.same_type * config.batch)), replace=False)
    rest = np.setdiff1d(np.arange(len(types)), alike)
    return np.concatenate([alike, rng.choice(rest, min(len(rest), config.batch - len(alike)), replace=False)])


def _loss(text: Tensor, photo: Tensor, entity: Tensor, inverse_temperature: Tensor) -> Tensor:
    """Return InfoNCE in both directions, with every pair of one entity as a positive of each."""
    logits = text @ photo.T * inverse_temperature  # [B, B]
    same = entity[:, None] == entity[None]
    positives = logits.masked_fill(~same, float("-inf"))
    both = (positives.logsumexp(d) - logits.logsumexp(d) - same.sum(d).log() for d in (0, 1))
    return -torch.stack([direction.mean() for direction in both]).mean()


@torch.no_grad()
def _standardise(layer: nn.Linear, mean: Tensor, deviation: Tensor) -> None:
    """Fold the standardisation of its inputs into a layer."""
    layer.weight.div_(deviation)
    layer.bias.sub_(layer.weight @ mean)
