"""The grids of the experiments: which models they hold, and how their options are read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.experiment.arms import FULL, ablations, chosen_arms, language_subsets, loss_knobs, shares_cnn
from analysis.experiment.settings import with_top_layers
from analysis.experiment.sources import SourceSpec, parse_sources
from mmner_core.errors import InputError
from mmner_core.presets import mini, paper, paper_code, tiny
from mmner_core.training.config import DataSource, Recipe, TrainConfig
from tests.told import refused

SOURCE = DataSource(path="tiny", repeat=2)


def run_of(model: object) -> Recipe:
    """Describe a run of a model on one data set."""
    return Recipe(model=model, training=TrainConfig(train=(SOURCE,), valid=(SOURCE,)))  # type: ignore[arg-type]


@pytest.mark.parametrize("model", [mini(), paper(), paper_code(), tiny()], ids=["mini", "paper", "paper_code", "tiny"])
def test_an_ablation_has_eight_different_models(model: object) -> None:
    """Whatever the preset: the full model and seven others, no two alike."""
    arms = ablations(run_of(model))
    assert len(arms) == 8
    assert arms[0].name == FULL
    assert len({repr(arm.run.model) for arm in arms}) == 8


def test_an_ablation_exchanges_what_the_preset_has() -> None:
    """The paper's grid of cells and own query become pooled and tied; the authors' the other way round."""
    paper_names, code_names = ([arm.name for arm in ablations(run_of(model()))] for model in (paper, paper_code))
    assert {"CNN pooled", "tied query"} <= set(paper_names)
    assert {"CNN grid", "own query"} <= set(code_names)


def test_one_stream_drops_the_other_encoder() -> None:
    """ViT only has no ResNet; CNN only has no ViT; the loss aligns what is left."""
    arms = {arm.name: arm.run.model for arm in ablations(run_of(paper()))}
    assert (arms["ViT only"].cnn, arms["CNN only"].vit) == (None, None)
    assert arms["ViT only"].fusion.streams == arms["ViT only"].alignment.streams == ("vit",)
    assert arms["ViT only"].alignment.vit_pooling == "flatten"
    assert (arms["text only"].cnn, arms["text only"].vit, arms["text only"].alpha) == (None, None, 1.0)


def test_one_cnn_for_both_streams_keeps_each_stream_alone() -> None:
    """Mini's CNN stays whichever stream is kept, and the loss compares its mean in both."""
    assert shares_cnn(mini())
    assert not shares_cnn(paper())
    arms = {arm.name: arm.run.model for arm in ablations(run_of(mini()))}
    for name, stream in (("ViT only", "vit"), ("CNN only", "cnn")):
        assert arms[name].cnn == mini().cnn
        assert arms[name].fusion.streams == arms[name].alignment.streams == (stream,)
        assert arms[name].alignment.vit_pooling == "mean"


def test_a_model_without_images_has_nothing_to_take_away() -> None:
    """A text-only preset cannot be ablated, which is said."""
    text = next(arm.run for arm in ablations(run_of(mini())) if arm.name == "text only")
    with pytest.raises(InputError, match="looks at no image"):
        ablations(text)
    with refused("no contrastive loss"):
        loss_knobs(text, (0.5,), (1.0,))


def test_languages_alone_in_pairs_and_together() -> None:
    """Four languages make eleven rows, each reading as many sentences; validation is narrowed as training is."""
    arms = language_subsets(run_of(mini()), ("en", "fr", "de", "es"))
    assert [arm.name for arm in arms] == [
        "en", "fr", "de", "es", "en+fr", "en+de", "en+es", "fr+de", "fr+es", "de+es", "all",
    ]  # fmt: skip
    for arm in arms[:-1]:
        (train,), (valid,) = arm.run.training.train, arm.run.training.valid
        assert train.languages == valid.languages == arm.languages
        assert train.repeat * len(train.languages) == 4 * SOURCE.repeat
        assert valid.repeat == SOURCE.repeat
    assert arms[-1].run == run_of(mini())


def test_transfer_takes_two_languages() -> None:
    """One language has nothing to transfer to; two have no pair besides the whole."""
    with refused("en", "two languages"):
        language_subsets(run_of(mini()), ("en",))
    assert [arm.name for arm in language_subsets(run_of(mini()), ("en", "fr"))] == ["en", "fr", "all"]


def test_loss_knobs_change_one_thing_at_a_time() -> None:
    """Each alpha at the preset's temperature, each temperature, then fixed, at the preset's alpha."""
    arms = loss_knobs(run_of(mini()), (0.1, mini().alpha), (0.01,))
    assert [arm.name for arm in arms] == [FULL, "no contrastive loss", "alpha 0.1", "temperature 0.01"]
    assert arms[2].run.model == replace(mini(), alpha=0.1)
    assert arms[3].run.model.alignment == replace(mini().alignment, temperature=0.01, learn_temperature=False)
    with refused("temperature", "got 0"):
        loss_knobs(run_of(mini()), (), (0.0,))
    with refused("alpha", "[0, 1]", "got 2.0"):
        loss_knobs(run_of(mini()), (2.0,), ())


def test_only_the_last_layers_learn() -> None:
    """Of the text encoder's weights those of the last layer are trained, and all that is behind it."""
    import torch

    from mmner_core.network.model import MMNER
    from mmner_core.training.start import start_from

    run = with_top_layers(run_of(tiny()), 1)
    with torch.random.fork_rng(devices=[]), pytest.MonkeyPatch.context() as patch:
        model = MMNER.build(run.model)
        patch.setattr(model, "load_pretrained", lambda: None)
        start_from(model, run)
    learning = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    of_text = {name for name in learning if name.startswith("text_encoder.")}
    assert of_text and all(name.startswith("text_encoder.model.encoder.layer.1.") for name in of_text)
    others = {name for name, _ in model.named_parameters() if not name.startswith("text_encoder.")}
    assert learning - of_text == others
    with refused("--top-layers 3", "2 layers"):
        with_top_layers(run_of(tiny()), 3)


def test_rows_are_chosen_by_name() -> None:
    """Those named, in the grid's order; an unknown name is told with the ones there are."""
    arms = ablations(run_of(mini()))
    assert [arm.name for arm in chosen_arms(arms, ("text only", FULL))] == [FULL, "text only"]
    assert chosen_arms(arms, ()) == arms
    with refused("'vit'", "full", "no contrastive loss"):
        chosen_arms(arms, ("vit",))


def test_data_sets_are_read_as_written() -> None:
    """Path, convention and number; written again they are the same."""
    text = "probe, mmnerd@caption=300,mmwiki/en=20"
    specs = parse_sources(text, "--test")
    assert specs == (
        SourceSpec(path="probe"),
        SourceSpec(path="mmnerd", convention="caption", limit=300),
        SourceSpec(path="mmwiki/en", limit=20),
    )
    assert parse_sources(",".join(map(str, specs)), "--test") == specs
    assert parse_sources("", "--test") == ()


@pytest.mark.parametrize("text", ["=3", "probe=", "probe=x", "probe=0", "probe@", "a@b@c"])
def test_a_data_set_written_otherwise_is_one_sentence(text: str) -> None:
    """The option, the part and the form that was expected."""
    with refused("--train"):
        parse_sources(f"good,{text}", "--train")
    with refused("--train", "'a'", "twice"):
        parse_sources("a=1,a=2", "--train")
