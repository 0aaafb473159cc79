"""Computes heat maps and word saliency that no answer holds, on the model's thread and in the visitor's turn.

Shapes: W words of the part of the text that the name is in.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from analysis.heat_maps.attribution import occlusion_map
from analysis.views.heat_map.kinds import GRADIENT
from mmner_core.errors import InputError
from mmner_core.labels import Entity

if TYPE_CHECKING:
    from analysis.heat_maps.explainer import EncodedScene, ModelExplainer
    from analysis.heat_maps.word_saliency import WordSaliency
    from mmner_core.encoders.image import ImageStates
    from mmner_core.inference.photo_reader import EncodedImage
    from mmner_core.inference.tag_job import TagJob
    from mmner_core.inference.tagger import Tagger
    from mmner_core.results import TaggedEntity
    from mmner_core.serving.engine import Engine
    from mmner_core.text.encoding import Pixels

RASTER = (7, 7)
"""Rows and columns of the patches that are covered, whatever the model's cells: 50 passes of its image encoder."""
_AT_ONCE = 16
"""Covered photos in one turn of the model's thread, some 0.1 s; others have theirs in between."""


def compute_map(engine: Engine, job: TagJob, pixels: Pixels, name: TaggedEntity, kind: str) -> np.ndarray:
    """Return a heat map of a name, [rows, columns] over what the model sees of the photo.

    Args:
        engine: the model.
        job: the text, as the model's tagger has prepared it.
        pixels: the photo as its encoders get it.
        name: what was found in the text.
        kind: "gradient", in shares of the name's probability, mean over the streams that have cells; or "occlusion", by
            how much that probability falls, below 0 where it rises.

    Raises:
        InputError: if no stream of the model has cells to weigh.
    """
    from analysis.heat_maps.explainer import ModelExplainer

    explainer = ModelExplainer(engine.tagger.model, engine.tagger.subwords)
    if kind == GRADIENT and not explainer.grids:
        raise InputError("This model takes the photo as one vector, so its attention has no places; choose occlusion.")
    start = max(part.start for part in job.parts if part.start <= name.word_start)
    stop = min((part.start for part in job.parts if part.start > start), default=len(job.words))
    entity = Entity(name.word_start - start, name.word_end - start, name.type)

    def read() -> EncodedScene:
        scene = explainer.scene_of(job.windows, pixels, convention=job.request.convention)
        return replace(scene, words=scene.words[start:stop])  # [W, D]; the CRF reads each part of a text by itself

    scene = engine.run(read).result()
    if kind == GRADIENT:
        return engine.run(lambda: _mean(explainer.weighted_attention(scene, entity))).result()
    return occlusion_map(lambda visible: _score(engine, explainer, scene, entity, visible), RASTER)


def read_words(engine: Engine, job: TagJob, name: TaggedEntity) -> WordSaliency:
    """Return which words a name rests on, beside the photo that it was asked with.

    Raises:
        InputError: if the name is too long.
    """
    from analysis.heat_maps.explainer import ModelExplainer
    from analysis.heat_maps.word_saliency import ReadWords, in_groups, word_saliency, word_score

    tagger, photo = engine.tagger, job.photo
    explainer = ModelExplainer(tagger.model, tagger.subwords)
    entity = Entity(name.word_start, name.word_end, name.type)
    read = ReadWords.around(entity, [word.text for word in job.words], job.parts, job.windows)
    image = None if photo is None or not tagger.reads_images else engine.run(lambda: _seen(tagger, photo)).result()
    score = word_score(explainer, read, image, job.request.convention)
    return word_saliency(in_groups(score, read, lambda work: engine.run(work).result()), read)


def _score(
    engine: Engine, explainer: ModelExplainer, scene: EncodedScene, entity: Entity, visible: np.ndarray
) -> np.ndarray:
    """Ask for the name's probability with only these parts of the photo visible, [n, rows, columns] -> [n]."""
    score = explainer.cell_score(scene, entity)
    groups = [visible[i : i + _AT_ONCE] for i in range(0, len(visible), _AT_ONCE)]
    return np.concatenate([engine.run(partial(score, group)).result() for group in groups])


def _seen(tagger: Tagger, photo: EncodedImage) -> ImageStates | None:
    """Encode a photo, or return what was kept of it."""
    import torch

    with torch.no_grad():
        return tagger.photos.encode([photo])[0]


def _mean(by_stream: dict[str, np.ndarray]) -> np.ndarray:
    """Return the mean of the maps that have as many cells as the first."""
    first = next(iter(by_stream.values()))
    return np.mean([heat for heat in by_stream.values() if heat.shape == first.shape], axis=0)
