"""Contrastive training with large batches: what belongs together comes to lie together, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
import torch

from mmner_core.data import Example, read_examples
from mmner_core.encoders.libraries import prepare_libraries
from mmner_core.inference.image_loader import PhotoFiles
from mmner_core.network.alignment import Projection
from mmner_core.network.model import MMNER
from mmner_core.presets import TINY_BERT, tiny, tiny_grounded
from mmner_core.text.encoding import SubwordEncoder
from mmner_core.training.align import (
    Pairs,
    Standardised,
    align,
    canonical_directions,
    collect_pairs,
    named_things,
    set_linear,
)
from mmner_core.training.config import AlignConfig, DataSource
from mmner_core.training.mixture import TrainingItem
from tests.core.test_model import batch_of, build
from tests.core.training_run import DATA as FOLDER
from tests.told import refused

STREAMS = ("vit", "cnn")
ENTITY = torch.arange(40).repeat(6)
DATA = FOLDER / "tiny"


@pytest.fixture
def pairs() -> Pairs:
    """Return pairs whose texts and photos follow, in their own ways, from which of forty things they are about."""
    rng = torch.Generator().manual_seed(0)
    model = build()
    things = torch.randn(40, 8, generator=rng)

    def view(width: int) -> torch.Tensor:
        way = torch.randn(8, width, generator=rng)
        return things[ENTITY] @ way + 0.1 * torch.randn(len(ENTITY), width, generator=rng) + 3

    widths = {stream: model.image_projections[stream][0].in_features for stream in STREAMS}
    return Pairs(view(16), {stream: view(width) for stream, width in widths.items()})


def test_what_is_about_one_thing_comes_to_lie_together(pairs: Pairs) -> None:
    """The nearest photo of a text shows what it names; before, hardly ever. No other weight moves."""
    model = build()
    before = {name: value.clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def right(stream: str) -> float:
        text, photo = model.text_projection(pairs.text), model.image_projections[stream](pairs.image[stream])
        cosine = torch.nn.functional.cosine_similarity(text[:, None], photo[None], dim=-1)
        return float((ENTITY[cosine.argmax(1)] == ENTITY).float().mean())

    unaligned = [right(stream) for stream in STREAMS]
    align(model, pairs, AlignConfig(ridge=0.1))
    assert max(unaligned) < 0.3 and all(right(stream) > 0.9 for stream in STREAMS)
    moved = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert all(name.startswith(("text_projection.", "image_projections.")) for name in moved)


def test_canonical_correlations_are_those_of_the_whitened_covariance() -> None:
    """By the textbook: singular values of the covariance between both, each whitened; directions of variance 1."""
    rng = np.random.default_rng(0)
    x, mixed, ridge = rng.normal(size=(50, 4)), rng.normal(size=(4, 3)), 0.5
    y = x @ mixed + rng.normal(size=(50, 3))
    own = [part.T @ part / 50 + ridge * np.eye(part.shape[1]) for part in (x, y)]
    whitening = [np.linalg.inv(np.linalg.cholesky(covariance)) for covariance in own]
    expected = np.linalg.svd(whitening[0] @ (x.T @ y / 50) @ whitening[1].T, compute_uv=False)

    directions, correlations = canonical_directions(torch.from_numpy(x), torch.from_numpy(y), ridge)

    np.testing.assert_allclose(correlations.numpy(), expected, atol=1e-10)
    np.testing.assert_allclose(directions.T @ torch.from_numpy(own[0]) @ directions, np.eye(3), atol=1e-10)


@torch.no_grad()
def test_a_projection_computes_a_product() -> None:
    """Of its inputs, standardised, with the matrix; what it has more outputs for is 0."""
    rng = torch.Generator().manual_seed(0)
    vectors, matrix = torch.randn(20, 5, generator=rng) * 3 + 7, torch.randn(5, 2, generator=rng).double()
    projection = Projection(5, 6)
    set_linear(projection, Standardised.of(vectors), matrix)
    standardised = (vectors - vectors.mean(0)) / vectors.std(0)
    torch.testing.assert_close(projection(vectors)[:, :2], standardised @ matrix.float(), atol=1e-4, rtol=1e-4)
    assert not projection(vectors)[:, 2:].any()


@pytest.mark.parametrize("wrong", [{"ridge": 0.0}, {"ridge": -1.0}, {"power": 0.5}])
def test_what_cannot_be_computed_is_refused(wrong: dict[str, float]) -> None:
    """Without a ridge a covariance may have no inverse; below power 1 what does not correlate would count most."""
    with refused("ridge", "power"):
        AlignConfig(**wrong)


def test_only_images_of_the_very_thing_are_paired(subwords: SubwordEncoder) -> None:
    """Pairs of one type, or of which nothing is known, are left out."""
    examples, _ = read_examples(DATA, images=DATA / "images", split="test")
    with_image = [e for e in examples if e.image is not None][:4]
    source = DataSource(path="tiny")
    things = [("PER", "Ada"), ("LOC", "Ada"), ("PER", "Ada"), None]
    items = [TrainingItem(e, source, shown=thing) for e, thing in zip(with_image, things, strict=True)]
    model = build(fusion=tiny_grounded().fusion)
    found = collect_pairs(model, subwords, items, PhotoFiles(model.config))
    assert len(found.text) == len(found.image["cnn"]) == 3


def test_a_sentence_with_one_name_is_about_it() -> None:
    """Sentences with several names or none are left out, for which of them a photo shows is not known."""
    tags = (("O", "B-PER", "I-PER"), ("B-LOC", "O", "B-PER"), ("O", "O", "O"))
    sentences = [Example(words=("met", "Ada", "Lovelace"), tags=t) for t in tags]
    assert [item.shown for item in named_things(sentences, DataSource(path="x"))] == [("PER", "Ada Lovelace")]


@torch.no_grad()
def test_names_stand_for_the_text() -> None:
    """Words that the text takes for names outweigh all others in its vector; the mean over words if there is none."""
    alignment = replace(tiny().alignment, text="names")
    model: MMNER = build(fusion=tiny_grounded().fusion, alignment=alignment)
    batch = batch_of([0])
    text = model.encode_text(batch)
    words = model.word_states(text, batch)
    model.classifier.weight.zero_()
    model.classifier.bias.fill_(0.0)
    torch.testing.assert_close(model.text_vector(text, words, batch), words.mean(1))
    model.classifier.weight[0] = -50 * words[0, 1]
    weights = 1 - model.text_only_emissions(words)[0].softmax(-1)[:, 0]
    expected = (weights.clamp(min=0.02)[:, None] * words[0]).sum(0) / weights.clamp(min=0.02).sum()
    torch.testing.assert_close(model.text_vector(text, words, batch)[0], expected, atol=1e-4, rtol=1e-3)


@torch.no_grad()
def test_an_early_layer_stands_beside_the_last() -> None:
    """The text's vector holds its names after both layers, as a transformers model gives them; it is projected."""
    early = replace(tiny().text, early_layer=1)
    alignment = replace(tiny().alignment, text="names")
    model = build(text=early, fusion=tiny_grounded().fusion, alignment=alignment)
    model.text_encoder.convention = None
    model.classifier.weight.zero_()
    model.classifier.bias.fill_(0.0)
    batch = batch_of([0])
    text = model.encode_text(batch)

    prepare_libraries()
    from transformers import BertConfig, BertModel

    reference = BertModel(BertConfig(**dict(TINY_BERT)), add_pooling_layer=False).eval()
    reference.load_state_dict(model.text_encoder.model.state_dict(), strict=False)
    hidden = reference(batch.input_ids, batch.attention_mask, output_hidden_states=True).hidden_states
    torch.testing.assert_close(text.early, hidden[1], atol=1e-5, rtol=1e-4)
    index = batch.word_to_token[0]
    both = torch.cat([hidden[-1][0, index], hidden[1][0, index]], dim=-1).mean(0)
    vector = model.text_vector(text, model.word_states(text, batch), batch)
    torch.testing.assert_close(vector[0], both, atol=1e-5, rtol=1e-4)
    assert model(batch).text_projection.shape == (1, model.text_encoder.width)


@pytest.mark.parametrize(("layer", "reads"), [(0, "names"), (99, "names"), (1, "sentence")])
def test_an_early_layer_is_one_there_is_and_is_read(layer: int, reads: Literal["names", "sentence"]) -> None:
    """A layer that the encoder lacks, or that nothing reads, is a mistake in the config."""
    text = replace(tiny().text, early_layer=layer)
    with refused("text.early_layer"):
        replace(tiny(), text=text, alignment=replace(tiny().alignment, text=reads))
