"""The paper's runs, with tiny weights from a local folder under the names of the real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from mmner_core.checkpoints.folder import load_checkpoint
from mmner_core.config import ImageConfig
from mmner_core.encoders.image import CnnEncoder, VitEncoder
from mmner_core.encoders.libraries import WEIGHTS_FOLDER, prepare_libraries
from mmner_core.errors import InputError
from mmner_core.inference.tagger import Tagger
from mmner_core.presets import TINY_BERT
from mmner_core.training import runs
from mmner_core.training.config import Recipe
from mmner_core.training.finish import train_named
from tests.conftest import TINY_DATA
from tests.core.test_cli import call
from tests.told import refused

pytestmark = pytest.mark.slow  # trains


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay the tiny data out as the runs expect MMNERD: sentences per language, photos in one folder."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "mmnerd").symlink_to(TINY_DATA)
    return folder


@pytest.fixture(scope="module")
def weights(
    tiny_bert: Path, tiny_vit: str, tiny_siglip: str, tokenizer_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Write random weights of every encoder: text encoders as folders with tokenizers, image encoders as files."""
    prepare_libraries()
    from transformers import XLMRobertaConfig, XLMRobertaModel

    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(5)
    xlm = XLMRobertaModel(
        XLMRobertaConfig(**{**TINY_BERT, "model_type": "xlm-roberta", "max_position_embeddings": 300})
    )
    xlm.save_pretrained(folder / "xlm-roberta-base")
    (folder / "bert-base-multilingual-cased").mkdir()
    for target, sources in (
        (folder / "xlm-roberta-base", [tokenizer_folder]),
        (folder / "bert-base-multilingual-cased", [tiny_bert, tokenizer_folder]),
    ):
        for file in (file for source in sources for file in source.iterdir()):
            (target / file.name).write_bytes(file.read_bytes())
    for name in (tiny_vit, tiny_siglip):
        vit = VitEncoder(ImageConfig(library="open_clip", name=name, size=32))
        save_file(vit.tower.state_dict(), folder / f"{name}.safetensors")
    cnn = CnnEncoder(ImageConfig(library="timm", name="test_efficientnet"))
    save_file(cnn.model.state_dict(), folder / "test_efficientnet.safetensors")
    return folder


@pytest.fixture
def shrink(tiny_vit: str, tiny_siglip: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give a named run image encoders of a few thousand weights, and nothing else that it does not have."""

    def shrink(name: str) -> None:
        full = runs.RUNS[name]

        def small() -> Recipe:
            run = full()
            model = run.model
            assert model.vit is not None
            vit = replace(model.vit, name=tiny_vit if model.cnn else tiny_siglip, size=32)
            cnn = model.cnn and replace(model.cnn, name="test_efficientnet", size=64)
            model = replace(model, vit=vit, cnn=cnn, fusion=replace(model.fusion, heads=2))
            return Recipe(model=model, training=replace(run.training, epochs=1, window=64))

        monkeypatch.setitem(runs.RUNS, name, small)

    return shrink


@pytest.mark.parametrize("name", ["paper", "paper_code", "xlmr_siglip"])
def test_a_full_size_run_ends_with_a_checkpoint(
    name: str, shrink: Callable[[str], None], data: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``train NAME --weights FOLDER``, offline: it tags, its frozen encoder is the local one, its text has learnt."""
    shrink(name)
    monkeypatch.setenv(WEIGHTS_FOLDER, "")  # the command adds to it; put back afterwards
    command = ["train", name, "--data", data, "--out", tmp_path / "run", "--weights", weights]
    settings = ["workers=0", "accumulation=2", "checkpoint_activations=true"]
    result = call(*command, *(part for setting in settings for part in ("--set", setting)))
    assert result.exit_code == 0, result.stderr
    loaded = load_checkpoint(tmp_path / "run" / "checkpoint")
    config = loaded.model.config
    frozen = config.cnn or config.vit
    assert frozen is not None and frozen.frozen
    network = (loaded.model.cnn_encoder or loaded.model.vit_encoder).network  # type: ignore[union-attr]
    given = load_file(weights / f"{frozen.name}.safetensors")
    changed = {key for key, tensor in network.state_dict().items() if not torch.allclose(tensor, given[key], atol=1e-3)}
    assert bool(changed) == frozen.batchnorm_drifts
    assert all("running" in key or "num_batches" in key for key in changed)
    text = load_file(weights / config.text.name / "model.safetensors")["encoder.layer.0.output.dense.weight"]
    learnt = dict(loaded.model.text_encoder.model.named_parameters())["encoder.layer.0.output.dense.weight"]
    assert not torch.allclose(learnt, text, atol=1e-6)
    tagged = Tagger.load(tmp_path / "run" / "checkpoint").tag(
        "Marie Curie", TINY_DATA / "images" / "per-1.jpg", lang="en"
    )
    assert len(tagged.tags) == 2
    kept = sorted(folder.name.split("-")[0] for folder in tmp_path.glob("features/*"))
    assert kept == {"paper": ["cnn", "vit_pixels"], "paper_code": [], "xlmr_siglip": ["vit"]}[name]


def test_weights_that_are_nowhere_are_asked_for(
    shrink: Callable[[str], None], data: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither hub nor folder: one sentence, for text and images alike, that says what to give."""
    shrink("paper")
    monkeypatch.delenv(WEIGHTS_FOLDER, raising=False)
    with refused("'bert-base-multilingual-cased'", "MMNER_WEIGHTS"):
        train_named("paper", data, tmp_path / "run")
    monkeypatch.setenv(WEIGHTS_FOLDER, str(weights / "bert-base-multilingual-cased"))
    with refused("'openai'", "'tiny-vit'", "tiny-vit.safetensors"):
        train_named("paper", data, tmp_path / "run")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epochs", "'epochs'.*NAME=VALUE"),
        ("colour=red", "'colour=red'.* train, valid, .*, epochs,"),
        ("epochs=many", "--set: field epochs.*integer"),
        ("epochs=0", "epochs.*at least 1"),
        ("precision=int8", "--set: field precision"),
    ],
)
def test_a_setting_that_is_none_is_told(setting: str, message: str) -> None:
    """An unknown name, no value, or one that does not fit."""
    with pytest.raises(InputError, match=message):
        runs.with_settings(runs.named_run("paper"), [setting])


def test_settings_change_the_run_and_nothing_else() -> None:
    """Numbers, switches and choices are read from text; without any the run is the same object."""
    run = runs.named_run("paper")
    changed = runs.with_settings(run, ["accumulation=4", "compile_layers=true", "precision=fp16", "clip=inf"])
    want = replace(run.training, accumulation=4, compile_layers=True, precision="fp16", clip=float("inf"))
    assert changed == Recipe(model=run.model, training=want)
    assert runs.with_settings(run, []) is run


def test_the_paper_is_trained_by_its_own_recipe() -> None:
    """The numbers of the paper's record: Adam at 5e-5 without decay or warm-up, 32 sentences, 8 epochs, seed 19."""
    training = runs.named_run("paper").training
    assert (training.encoder_lr, training.head_lr, training.layer_decay) == (5e-5, 5e-5, 1.0)
    assert (training.weight_decay, training.warmup, training.betas) == (0.0, 0.0, (0.9, 0.999))
    assert (training.batch_sentences, training.epochs, training.seed, training.patience) == (32, 8, 19, 3)
    assert training.batch_subwords >= 32 * training.window
