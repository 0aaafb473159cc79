"""Build a model of a few thousand random weights with a word-level tokenizer, for the tests of this folder."""

from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from analysis.probe import Probe
from mmner_core.config import FusionConfig, TextConfig
from mmner_core.encoding import SubwordEncoder
from mmner_core.model import MMNER
from mmner_core.presets import preset

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
WORDS = ("Jordan", "runs", "in", "Paris", "and", "Ford", "met", "Ann")


def tiny_probe(*, seed: int = 0, max_subwords: int = 32, overlap: int = 4, **fusion: object) -> Probe:
    """Build a probe; ``fusion`` replaces fields of the fusion's config."""
    architecture = {
        "model_type": "bert",
        "vocab_size": len(SPECIAL) + len(WORDS),
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_position_embeddings": 64,
        "pad_token_id": 1,
    }
    config = preset("tiny")
    text = TextConfig(name="tiny", architecture=architecture, sentence_vector="mean")
    options: dict = {"heads": 2, "null_sink": True} | fusion
    config = replace(config, text=text, fusion=FusionConfig(**options))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = MMNER.build(config)
        for parameter in model.fusion.parameters():  # loud enough for a photo to matter
            parameter.data.add_(torch.randn_like(parameter) * 0.3)
        for parameter in model.classifier.parameters():
            parameter.data.mul_(8)
    vocabulary = {word: i for i, word in enumerate((*SPECIAL, *WORDS))}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, cls_token="<s>", pad_token="<pad>", sep_token="</s>", unk_token="<unk>"
    )
    return Probe(model, SubwordEncoder(tokenizer, max_subwords=max_subwords, overlap=overlap))


def drawn_photo(seed: int = 0, size: tuple[int, int] = (64, 64)) -> Image.Image:
    """Draw coarse random colours."""
    blocks = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize(size, Image.Resampling.NEAREST)
