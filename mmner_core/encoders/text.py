"""The multilingual text encoder: any Hugging Face encoder, with an optional annotation-convention input.

Shapes: B sentences, S sub-words, D width.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mmner_core.config import TextConfig
from mmner_core.encoders.torchvision_shim import make_torchvision_importable
from mmner_core.errors import InputError


class TextStates(NamedTuple):
    """What the text encoder says.

    Attributes:
        tokens: [B, S, D] last hidden states.
        sentence: [B, D] sentence vectors.
    """

    tokens: Tensor
    sentence: Tensor


class TextEncoder(nn.Module):
    """A Hugging Face encoder; word embeddings and convention vector are summed before its first layer.

    The convention vector enters like BERT's segment embedding, so that every layer can read the same sentence by
    the rules of one annotation guideline or the other; added only behind the encoder, it could do no more than
    shift the tag scores.
    """

    def __init__(self, config: TextConfig, n_conventions: int) -> None:
        super().__init__()
        make_torchvision_importable()
        from transformers import AutoConfig, AutoModel

        if config.architecture is None:
            raise InputError("The text encoder's architecture is not known yet; call resolve_text first.")
        architecture = dict(config.architecture)
        hf_config = AutoConfig.for_model(architecture.pop("model_type"), **architecture)
        hf_config.hidden_dropout_prob = config.dropout
        hf_config.attention_probs_dropout_prob = config.attention_dropout
        self.config = config
        self.model = AutoModel.from_config(hf_config)
        if config.sentence_vector == "mean" and hasattr(self.model, "pooler"):
            self.model.pooler = None  # nobody reads it
        self.width: int = hf_config.hidden_size
        self.max_subwords: int = hf_config.max_position_embeddings
        self.convention = nn.Embedding(n_conventions, self.width) if n_conventions else None
        if self.convention is not None:
            nn.init.zeros_(self.convention.weight)  # start as the pretrained encoder
        if config.freeze_embeddings:
            self.model.get_input_embeddings().requires_grad_(False)

    def use_attention(self, implementation: str) -> None:
        """Choose "sdpa" (faster forward) or "eager" (on a CPU its backward pass is the faster one)."""
        self.model.set_attn_implementation(implementation)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, convention: Tensor | None = None) -> TextStates:
        """Encode sub-words.

        Args:
            input_ids: [B, S].
            attention_mask: [B, S], 1 on sub-words, 0 on padding.
            convention: [B] index of each sentence's annotation convention; ignored by a model with only one.
        """
        embedded = self.model.get_input_embeddings()(input_ids)  # [B, S, D]
        if self.convention is not None and convention is not None:
            embedded = embedded + self.convention(convention)[:, None]
        output = self.model(inputs_embeds=embedded, attention_mask=attention_mask)
        tokens = output.last_hidden_state
        if self.config.sentence_vector == "pooler":
            return TextStates(tokens, output.pooler_output)
        weight = attention_mask[..., None].to(tokens.dtype)
        return TextStates(tokens, (tokens * weight).sum(1) / weight.sum(1))


def resolve_text(config: TextConfig) -> TextConfig:
    """Fill in the architecture of the named encoder, from a local folder or the hub.

    Raises:
        InputError: if it is neither a folder with a config.json nor to be had from the hub.
    """
    if config.architecture is not None:
        return config
    from transformers import AutoConfig

    try:
        architecture = AutoConfig.from_pretrained(config.name).to_diff_dict()
    except (OSError, ValueError) as error:
        raise InputError(_not_found("text encoder", config.name)) from error
    keep = {key: value for key, value in architecture.items() if not key.startswith(("_", "transformers_version"))}
    keep.setdefault("model_type", AutoConfig.from_pretrained(config.name).model_type)
    for key in ("dtype", "torch_dtype", "architectures"):
        keep.pop(key, None)
    return replace(config, architecture=keep)


def load_pretrained_text(encoder: TextEncoder) -> None:
    """Load the weights that the encoder's config names, checking that none is missing.

    Raises:
        InputError: if they are not to be had or do not fit.
    """
    make_torchvision_importable()
    from transformers import AutoModel

    name = encoder.config.name
    try:
        pretrained = AutoModel.from_pretrained(name, dtype=torch.float32)
    except (OSError, ValueError) as error:
        raise InputError(_not_found("text encoder", name)) from error
    result = encoder.model.load_state_dict(pretrained.state_dict(), strict=False)
    missing = [key for key in result.missing_keys if not key.startswith("pooler.")]
    if missing or result.unexpected_keys:
        raise InputError(f"{name}: weights do not fit the encoder: {(missing + result.unexpected_keys)[:3]}.")


def load_tokenizer(folder: str | Path) -> object:
    """Load the fast tokenizer of a checkpoint folder or hub name.

    Raises:
        InputError: if there is none.
    """
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise InputError(_not_found("tokenizer", str(folder))) from error


def _not_found(what: str, name: str) -> str:
    return (
        f"The {what} {name!r} is neither a local folder nor to be had from the Hugging Face hub; "
        "give the path of a local copy."
    )
