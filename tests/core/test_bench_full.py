"""``tests.bench --full``: both ways of reading are the real ones; here with encoders of a few thousand weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mmner_core.config import ModelConfig
from mmner_core.data import open_image
from mmner_core.labels import LabelSet
from mmner_core.presets import TINY_BERT, paper, paper_code
from tests.bench.full import bench_full
from tests.bench.workload import word_encoder, write_examples

pytestmark = pytest.mark.slow  # measures time


def small(config: ModelConfig, vit: str) -> ModelConfig:
    """Shrink the encoders of a preset and leave all else."""
    assert config.vit is not None and config.cnn is not None
    architecture = {**TINY_BERT, "vocab_size": 4100, "max_position_embeddings": 256}
    return replace(
        config,
        text=replace(config.text, architecture=architecture),
        vit=replace(config.vit, name=vit, size=32),
        cnn=replace(config.cnn, name="test_efficientnet", size=64),
        fusion=replace(config.fusion, heads=2),
    )


def test_both_ways_are_measured_and_compared(tiny_vit: str) -> None:
    """Rates of each, and ratios that follow from them; ours with the images of all epochs is slower than without."""
    models = small(paper_code(), tiny_vit), small(paper(), tiny_vit)
    result = bench_full(sentences=64, device=torch.device("cpu"), models=models)
    rates, ratios = result["sentences_per_second"], result["ratios"]
    assert all(rate > 0 for rate in rates.values())
    assert ratios["training"] == pytest.approx(rates["training"] / rates["training_theirs"])
    assert ratios["inference"] == pytest.approx(rates["inference"] / rates["inference_theirs"])
    assert ratios["training_with_building"] < ratios["training"]
    assert result["processor_ratios"].keys() == ratios.keys()
    assert all(ratio > 0 for ratio in result["processor_ratios"].values())
    assert (result["sentences"], result["epochs"], result["device"]) == (64, 8, "cpu")


def test_the_workload_is_of_real_lengths(tmp_path: Path) -> None:
    """Sub-words as stated, one per word, none unknown; photos of their own, the same each time."""
    examples = write_examples(tmp_path, 300, LabelSet(), size=(40, 30))
    lengths = [len(parts[0].input_ids) for parts in word_encoder().windows([e.words for e in examples])]
    assert sum(lengths) / len(lengths) == pytest.approx(24, abs=2)
    assert all(1 not in parts[0].input_ids for parts in word_encoder().windows([e.words for e in examples]))
    assert len({e.image.read_bytes() for e in examples if e.image}) == 300
    assert open_image(tmp_path / "00007.jpg").size == (40, 30)
