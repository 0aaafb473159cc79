"""What a run trains on and selects by: sources narrowed to some languages, or cut to names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmner_core.errors import InputError
from mmner_core.labels import tags_to_entities
from mmner_core.training.config import DataSource, TrainConfig
from mmner_core.training.mixture import build_mixture
from tests.core.training_run import DATA


def mixture_config(*languages: str) -> TrainConfig:
    """Describe a mixture over the tiny data, narrowed to some languages."""
    source = DataSource(path="tiny", images="tiny/images", languages=languages, limit=2)
    return TrainConfig(train=(source,), valid=(source,))


@pytest.mark.parametrize("languages", [(), ("fr",), ("de", "en")])
def test_a_source_is_narrowed_to_languages(languages: tuple[str, ...]) -> None:
    """Training and validation hold the languages asked for and no other, the limit counting in each; none: all."""
    mixture = build_mixture(mixture_config(*languages), DATA)
    wanted = set(languages) or {"en", "fr", "de", "es"}
    for examples in ([item.example for item in mixture.train], mixture.valid["tiny"]):
        assert {e.language for e in examples} == wanted
        assert len(examples) == 2 * len(wanted)


def test_a_language_without_sentences_is_one_sentence() -> None:
    """A language that the data lack is named with the place and the split that were read."""
    with pytest.raises(InputError, match="tiny has no valid sentence in it"):
        build_mixture(mixture_config("it"), DATA)


def test_a_cut_source_reads_names_with_a_few_words() -> None:
    """Training reads every sentence cut, a repeated one otherwise each time; validation reads it whole."""
    source = DataSource(path="tiny", repeat=20)
    whole = build_mixture(TrainConfig(train=(source,), valid=(source,)), DATA)
    mixture = build_mixture(TrainConfig(train=(replace(source, cut=True),), valid=(source,)), DATA)
    assert mixture.valid == whole.valid and len(mixture.train) == len(whole.train)
    kept: dict[str, set[tuple[str, ...]]] = {}
    for before, after in zip(whole.train, mixture.train, strict=True):
        words, tags = after.example.words, after.example.tags or ()
        assert len(words) == len(tags) and " ".join(words) in " ".join(before.example.words)
        assert bool(tags_to_entities(tags)) == bool(tags_to_entities(before.example.tags or ()))
        kept.setdefault(before.example.where, set()).add(words)
    assert max(map(len, kept.values())) > 5
