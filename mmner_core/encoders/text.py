"""The multilingual text encoder: any Hugging Face encoder, with an optional annotation-convention input.

Shapes: B sentences, S sub-words, D width.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from mmner_core.config import TextConfig
from mmner_core.encoders.bert import Bert, BertShape
from mmner_core.encoders.libraries import WEIGHTS_FOLDER, prepare_libraries
from mmner_core.encoders.weights import find_text
from mmner_core.errors import InputError


class TextStates(NamedTuple):
    """The outputs of the text encoder.

    Attributes:
        tokens: [B, S, D] last hidden states.
        sentence: [B, D] sentence vectors.
        early: [B, S, D] hidden states after ``TextConfig.early_layer``; None where none is asked for.
    """

    tokens: Tensor
    sentence: Tensor
    early: Tensor | None = None


class TextEncoder(nn.Module):
    """A Hugging Face encoder; word embeddings and convention vector are summed before its first layer.

    The convention vector enters like BERT's segment embedding, so that every layer can read the same sentence by
    the rules of one annotation guideline or the other; added only behind the encoder, it could do no more than
    shift the tag scores.
    """

    def __init__(self, config: TextConfig, n_conventions: int) -> None:
        super().__init__()
        if config.architecture is None:
            raise InputError("The text encoder's architecture is not known yet; call resolve_text first.")
        self.config = config
        self.model, self.width, self.max_subwords = _build(config, config.architecture)
        self.convention = nn.Embedding(n_conventions, self.width) if n_conventions else None
        if self.convention is not None:
            nn.init.zeros_(self.convention.weight)  # start as the pretrained encoder
        if config.freeze_embeddings:
            self.model.get_input_embeddings().requires_grad_(False)

    def use_attention(self, implementation: str) -> None:
        """Choose "sdpa" (faster forward) or "eager" (on a CPU its backward pass is the faster one)."""
        self.model.set_attn_implementation(implementation)

    def checkpoint_activations(self) -> None:
        """Forget the activations inside each layer and compute them again for the backward pass."""
        self.model.activation_checkpointing_enable()

    def pack(self) -> None:
        """Lay the weights out for inference, where the architecture and this machine allow it."""
        if isinstance(self.model, Bert):
            self.model.pack()

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
        layer = self.config.early_layer
        output = self.model(
            inputs_embeds=embedded, attention_mask=attention_mask, output_hidden_states=layer is not None
        )
        tokens = output.last_hidden_state
        early = None if layer is None else output.hidden_states[layer]
        if self.config.sentence_vector == "pooler":
            return TextStates(tokens, output.pooler_output, early)
        weight = attention_mask[..., None].to(tokens.dtype)
        return TextStates(tokens, (tokens * weight).sum(1) / weight.sum(1), early)


def _build(config: TextConfig, architecture: dict[str, Any]) -> tuple[Any, int, int]:
    """Return the network with random weights, its width, and the longest input that it takes."""
    dropout = {"hidden_dropout_prob": config.dropout, "attention_probs_dropout_prob": config.attention_dropout}
    architecture = {**architecture, **dropout}
    pooler = config.sentence_vector == "pooler"  # else nobody reads it
    shape = BertShape.from_architecture(architecture)
    if shape is not None:
        return Bert(shape, pooler=pooler), shape.hidden_size, shape.max_position_embeddings
    prepare_libraries()
    from transformers import AutoConfig, AutoModel

    hf_config = AutoConfig.for_model(architecture.pop("model_type"), **architecture)
    model = AutoModel.from_config(hf_config, trust_remote_code=False)
    if not pooler and hasattr(model, "pooler"):
        model.pooler = None
    # RoBERTa's family counts positions from behind the padding index, so its table serves two sub-words fewer.
    unused = getattr(getattr(model, "embeddings", None), "padding_idx", -1) + 1
    return model, hf_config.hidden_size, hf_config.max_position_embeddings - unused


def resolve_text(config: TextConfig) -> TextConfig:
    """Fill in the architecture of the named encoder, from a local folder or the hub.

    Raises:
        InputError: if it is neither a folder with a config.json nor to be had from the hub.
    """
    if config.architecture is not None:
        return config
    prepare_libraries()
    from transformers import AutoConfig

    try:
        hf_config = AutoConfig.from_pretrained(find_text(config.name))
    except (OSError, ValueError) as error:
        raise InputError(_not_found(config.name)) from error
    architecture = hf_config.to_diff_dict()
    keep = {key: value for key, value in architecture.items() if not key.startswith(("_", "transformers_version"))}
    keep.setdefault("model_type", hf_config.model_type)
    for key in ("dtype", "torch_dtype", "architectures"):
        keep.pop(key, None)
    return replace(config, architecture=keep)


def load_pretrained_text(encoder: TextEncoder) -> None:
    """Load the weights that the encoder's config names, checking that none is missing.

    Raises:
        InputError: if they are not to be had or do not fit.
    """
    prepare_libraries()
    from transformers import AutoModel

    name = encoder.config.name
    try:
        pretrained = AutoModel.from_pretrained(find_text(name), dtype=torch.float32)
    except (OSError, ValueError) as error:
        raise InputError(_not_found(name)) from error
    result = encoder.model.load_state_dict(pretrained.state_dict(), strict=False)
    misfits = [key for key in result.missing_keys + result.unexpected_keys if not key.startswith("pooler.")]
    if misfits:
        raise InputError(f"{name}: weights do not fit the encoder: {misfits[:3]}.")


def _not_found(name: str) -> str:
    where = os.environ.get(WEIGHTS_FOLDER)
    return (
        f"The text encoder {name!r} is neither a local folder "
        + (f"nor in {where} ({WEIGHTS_FOLDER}) " if where else "")
        + "nor to be had from the Hugging Face hub; give the path of a local copy"
        + ("." if where else f", or set {WEIGHTS_FOLDER} to the folder that holds it.")
    )
