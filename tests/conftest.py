"""What many tests share: a tokenizer trained on the tiny data, a model of a few thousand weights, its checkpoint."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from mmner_core.network.model import MMNER
    from mmner_core.text.encoding import SubwordEncoder

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no test may need the network
settings.register_profile("repository", deadline=None, derandomize=True, database=None)
settings.register_profile("quick", settings.get_profile("repository"), max_examples=25)  # for make test
settings.load_profile("repository")

TESTS = Path(__file__).parent
TINY_DATA = TESTS / "data" / "tiny"
WALK = TESTS / "app" / "test_walk.py"
"""The browser tests that are quick."""
SPECIAL_TOKENS = {"cls_token": "<s>", "pad_token": "<pad>", "sep_token": "</s>", "unk_token": "<unk>"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow, beside the tests that say so themselves, hostile input and all tests of the app but one walk.

    So are the rules that every file is held to: there are thousands of such tests, and the linters run before them.
    """
    for item in items:
        if item.path.is_relative_to(TESTS / "hostile"):
            item.add_marker("hostile")
            item.add_marker("slow")
        if item.path.is_relative_to(TESTS / "app") and item.path != WALK:
            item.add_marker("slow")
        if item.path == TESTS / "test_architecture.py":
            item.add_marker("slow")


@pytest.fixture(scope="session")
def tokenizer_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a small sub-word tokenizer on the tiny data and save it as Hugging Face does.

    Words start with the mark of XLM-R's tokenizer, and the special tokens have its ids (<s> 0, <pad> 1, </s> 2,
    <unk> 3).
    """
    from mmner_core.encoders.libraries import prepare_libraries

    prepare_libraries()
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    words = [
        line.split("\t")[0]
        for file in sorted(TINY_DATA.glob("*/train.txt"))
        for line in file.read_text(encoding="utf-8").splitlines()
        if "\t" in line
    ]
    backend = Tokenizer(models.BPE(unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=200, special_tokens=[*SPECIAL_TOKENS.values()], initial_alphabet=[chr(c) for c in range(33, 127)]
    )
    backend.train_from_iterator(words, trainer)
    folder = tmp_path_factory.mktemp("tokenizer")
    PreTrainedTokenizerFast(tokenizer_object=backend, **SPECIAL_TOKENS).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def subwords(tokenizer_folder: Path) -> SubwordEncoder:
    """Return the tiny tokenizer with the tiny model's window."""
    from mmner_core.encoders.tokenizer import load_tokenizer
    from mmner_core.text.encoding import SubwordEncoder

    return SubwordEncoder(load_tokenizer(tokenizer_folder), max_subwords=64, overlap=4)


@pytest.fixture(scope="session")
def tiny_model() -> MMNER:
    """Build preset ``tiny`` with fixed random weights, in eval mode; copy it before changing it."""
    import torch

    from mmner_core.network.model import MMNER
    from mmner_core.presets import tiny

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(19)
        return MMNER.build(tiny()).eval()


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_model: MMNER, tokenizer_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save the tiny model as a checkpoint folder."""
    from mmner_core.checkpoints.folder import save_checkpoint

    return save_checkpoint(
        tmp_path_factory.mktemp("checkpoints") / "tiny",
        tiny_model,
        tokenizer_folder,
        metrics={},
        provenance={"command": "tests/conftest.py"},
        card="# tiny\n\nRandom weights, for tests.\n",
    )


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a random text encoder of preset ``tiny`` as Hugging Face does, to stand for a pretrained one."""
    import torch

    from mmner_core.encoders.libraries import prepare_libraries
    from mmner_core.presets import TINY_BERT

    prepare_libraries()
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("bert")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        BertModel(BertConfig(**TINY_BERT)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_vit(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Make a vision tower of a few thousand weights, in the form of CLIP, known to open_clip; return its name."""
    vision = {"image_size": 32, "layers": 2, "width": 16, "head_width": 8, "patch_size": 16}
    return _add_open_clip_model("tiny-vit", vision, tmp_path_factory.mktemp("open_clip"))


@pytest.fixture(scope="session")
def tiny_siglip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Make a small vision tower in the form of SigLIP 2, one that open_clip takes from timm; return its name."""
    vision = {"image_size": 32, "timm_model_name": "test_vit3", "timm_pool": "map", "timm_proj": "none"}
    return _add_open_clip_model("tiny-siglip", vision, tmp_path_factory.mktemp("open_clip"))


def _add_open_clip_model(name: str, vision: dict[str, object], folder: Path) -> str:
    from mmner_core.encoders.libraries import prepare_libraries

    prepare_libraries()
    import open_clip

    text = {"context_length": 8, "vocab_size": 16, "width": 8, "heads": 2, "layers": 1}
    record = {"embed_dim": 8, "quick_gelu": True, "vision_cfg": vision, "text_cfg": text}
    (folder / f"{name}.json").write_text(json.dumps(record))
    open_clip.add_model_config(folder)
    return name
