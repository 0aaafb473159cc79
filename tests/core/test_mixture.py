"""What a run trains on and selects by: sources narrowed to some languages, or cut to names."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from mmner_core.labels import tags_to_entities
from mmner_core.text.language_names import LANGUAGES
from mmner_core.training.config import DataSource, TrainConfig
from mmner_core.training.mixture import LEAK_WORDS, build_mixture
from tests.core.training_run import DATA
from tests.told import refused


def mixture_config(*languages: str) -> TrainConfig:
    """Describe a mixture over the tiny data, narrowed to some languages."""
    source = DataSource(path="tiny", images="tiny/images", languages=languages, limit=2)
    return TrainConfig(train=(source,), valid=(source,))


@pytest.mark.parametrize("languages", [(), ("fr",), ("de", "en")])
def test_a_source_is_narrowed_to_languages(languages: tuple[str, ...]) -> None:
    """Training and validation hold the languages asked for and no other, the limit counting in each; none: all."""
    mixture = build_mixture(mixture_config(*languages), DATA)
    wanted = set(languages) or set(LANGUAGES)
    for examples in ([item.example for item in mixture.train], mixture.valid["tiny"]):
        assert {e.language for e in examples} == wanted
        assert len(examples) == 2 * len(wanted)


def test_a_language_without_sentences_is_one_sentence() -> None:
    """A language that the data lack is named with the place and the split that were read."""
    with refused("tiny", "valid"):
        build_mixture(mixture_config("it"), DATA)


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_sentence_is_read_once_by_each_convention() -> None:
    """The same sentences by another convention are another lesson; by the same one they are left out as repeated."""
    wiki, again = DataSource(path="tiny", convention="wiki"), DataSource(path="tiny", convention="wiki", limit=1)
    post = DataSource(path="tiny", convention="post")
    alone = build_mixture(TrainConfig(train=(wiki,), valid=(again,)), DATA)
    both = build_mixture(TrainConfig(train=(wiki, again, post), valid=(again,)), DATA)
    count = Counter(item.example.convention for item in both.train)
    short = sum(len(item.example.words) < LEAK_WORDS for item in both.train if item.source == again)
    assert count["wiki"] == len(alone.train) + short
    assert count["post"] == len(alone.train)


@pytest.mark.slow
def test_templates_are_filled_with_names_of_the_training_data() -> None:
    """As many sentences of each language as asked for, tagged, by the convention that reads encyclopaedias."""
    source = DataSource(path="tiny")
    plain = build_mixture(TrainConfig(train=(source,), valid=(source,)), DATA)
    mixture = build_mixture(TrainConfig(train=(source,), valid=(source,), templates=5), DATA)
    filled = mixture.train[len(plain.train) :]
    assert Counter(item.example.language for item in filled) == dict.fromkeys(LANGUAGES, 5)
    assert {item.example.convention for item in filled} == {"wiki"}
