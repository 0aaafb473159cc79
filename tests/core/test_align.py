"""Contrastive training with large batches: what belongs together comes to lie together, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mmner_core.data import Example, read_examples
from mmner_core.inference.image_loader import PhotoFiles
from mmner_core.network.model import MMNER
from mmner_core.presets import tiny, tiny_grounded
from mmner_core.text.encoding import SubwordEncoder
from mmner_core.training.align import Pairs, _draw, _loss, align, collect_pairs, named_things
from mmner_core.training.config import AlignConfig, DataSource
from mmner_core.training.mixture import TrainingItem
from tests.core.test_model import batch_of, build
from tests.core.training_run import DATA as FOLDER

STREAMS = ("vit", "cnn")
DATA = FOLDER / "tiny"


@pytest.fixture
def pairs() -> Pairs:
    """Return pairs whose texts and photos follow, in their own ways, from which of forty things they are about."""
    rng = torch.Generator().manual_seed(0)
    entity = torch.arange(40).repeat(6)
    model = build()
    things = torch.randn(40, 8, generator=rng)

    def view(width: int) -> torch.Tensor:
        way = torch.randn(8, width, generator=rng)
        return things[entity] @ way + 0.1 * torch.randn(len(entity), width, generator=rng) + 3

    widths = {stream: model.image_projections[stream][0].in_features for stream in STREAMS}
    types = np.array(["PER", "LOC"])[(entity % 2).numpy()]
    return Pairs(view(16), {stream: view(width) for stream, width in widths.items()}, entity, types)


@pytest.mark.slow
def test_what_is_about_one_thing_comes_to_lie_together(pairs: Pairs) -> None:
    """After training the nearest photo of a text shows what it names; before, hardly ever. No other weight moves."""
    model = build()
    before = {name: value.clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def right(stream: str) -> float:
        text, photo = model.text_projection(pairs.text), model.image_projections[stream](pairs.image[stream])
        cosine = torch.nn.functional.cosine_similarity(text[:, None], photo[None], dim=-1)
        return float((pairs.entity[cosine.argmax(1)] == pairs.entity).float().mean())

    untrained = [right(stream) for stream in STREAMS]
    align(model, pairs, AlignConfig(steps=150, batch=64, dropout=0.0), seed=1)
    assert max(untrained) < 0.3 and all(right(stream) > 0.9 for stream in STREAMS)
    moved = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert all(name.startswith(("text_projection.", "image_projections.", "contrastive.")) for name in moved)


def test_half_of_a_batch_is_of_one_type(pairs: Pairs) -> None:
    """No pair is in it twice."""
    rows = _draw(pairs.type, AlignConfig(batch=100, same_type=0.5), np.random.default_rng(0))
    assert len(rows) == len(set(rows)) == 100
    assert max(np.unique(pairs.type[rows], return_counts=True)[1]) >= 50


def test_only_images_of_the_very_thing_are_paired(subwords: SubwordEncoder) -> None:
    """Pairs of one type, or of which nothing is known, are left out; two sentences about one thing are told to be."""
    examples, _ = read_examples(DATA, images=DATA / "images", split="test")
    with_image = [e for e in examples if e.image is not None][:4]
    source = DataSource(path="tiny")
    things = [("PER", "Ada"), ("LOC", "Ada"), ("PER", "Ada"), None]
    items = [TrainingItem(e, source, shown=thing) for e, thing in zip(with_image, things, strict=True)]
    model = build(fusion=tiny_grounded().fusion)
    found = collect_pairs(model, subwords, items, PhotoFiles(model.config))
    assert len(found.text) == len(found.type) == 3
    assert sorted(found.type) == ["LOC", "PER", "PER"]
    of_person = found.entity[torch.from_numpy(found.type == "PER")]
    assert of_person[0] == of_person[1] and len(set(found.entity.tolist())) == 2


def test_a_sentence_with_one_name_is_about_it() -> None:
    """Sentences with several names or none are left out, for which of them a photo shows is not known."""
    tags = (("O", "B-PER", "I-PER"), ("B-LOC", "O", "B-PER"), ("O", "O", "O"))
    sentences = [Example(words=("met", "Ada", "Lovelace"), tags=t) for t in tags]
    assert [item.shown for item in named_things(sentences, DataSource(path="x"))] == [("PER", "Ada Lovelace")]


def test_all_pairs_of_a_thing_are_positives() -> None:
    """By hand: the mean over both directions of minus the log of the positives' mean share of the sum."""
    text, photo = torch.randn(3, 4), torch.randn(3, 4)
    entity = torch.tensor([0, 0, 1])
    logits = (text @ photo.T) * 2
    expected = 0.0
    for matrix in (logits, logits.T):
        for i in range(3):
            own = [j for j in range(3) if entity[j] == entity[i]]
            expected -= float((matrix[i, own].exp().mean() / matrix[i].exp().sum()).log()) / 6
    assert float(_loss(text, photo, entity, torch.tensor(2.0))) == pytest.approx(expected, rel=1e-5)


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
    torch.testing.assert_close(model.text_vector(text, words, batch.word_mask), words.mean(1))
    model.classifier.weight[0] = -50 * words[0, 1]
    weights = 1 - model.text_only_emissions(words)[0].softmax(-1)[:, 0]
    expected = (weights.clamp(min=0.02)[:, None] * words[0]).sum(0) / weights.clamp(min=0.02).sum()
    torch.testing.assert_close(model.text_vector(text, words, batch.word_mask)[0], expected, atol=1e-4, rtol=1e-3)
