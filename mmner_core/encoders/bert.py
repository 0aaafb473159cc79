"""BERT in plain PyTorch: what `transformers.BertModel` computes, under the same names of weights.

BERT is the paper's text encoder and the shipped one. Importing transformers' model code takes longer than all else
that tagging a sentence from the shell needs, so the one architecture used every day is spelt out here; every other
encoder comes from transformers, and a test holds the two equal.

Shapes: B sentences, S sub-words, H heads, D width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (the field's name for it)

from mmner_core.encoders.fast.fast_form import WithFastForm
from mmner_core.encoders.fast.packed import PackedLayer, PackedLayers, can_pack, pack_linear
from mmner_core.runtime.fast import is_fast


class BertOutput(NamedTuple):
    """What transformers' models return.

    Attributes:
        last_hidden_state: [B, S, D].
        pooler_output: [B, D]; None without a pooler.
        hidden_states: [B, S, D] each, of the embeddings and after each layer; None unless they were asked for.
    """

    last_hidden_state: Tensor
    pooler_output: Tensor | None
    hidden_states: tuple[Tensor, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BertShape:
    """The fields of a Hugging Face BERT config that describe the network; defaults as there."""

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1

    def __post_init__(self) -> None:
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(f"{self.num_attention_heads} heads do not divide width {self.hidden_size}.")

    @classmethod
    def from_architecture(cls, architecture: dict[str, Any]) -> BertShape | None:
        """Read a Hugging Face config; None where it is not a plain BERT encoder, or transformers is to build it."""
        plain = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
        if any(architecture.get(key, value) != value for key, value in plain.items()):
            return None
        if not is_fast("networks") or "model_type" not in architecture or architecture.get("is_decoder"):
            return None
        return cls(**{f.name: architecture[f.name] for f in fields(cls) if f.name in architecture})


class _Embeddings(nn.Module):
    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        width = shape.hidden_size
        self.word_embeddings = nn.Embedding(shape.vocab_size, width)
        self.position_embeddings = nn.Embedding(shape.max_position_embeddings, width)
        self.token_type_embeddings = nn.Embedding(shape.type_vocab_size, width)
        self.LayerNorm = nn.LayerNorm(width, eps=shape.layer_norm_eps)
        self.dropout = nn.Dropout(shape.hidden_dropout_prob)

    def forward(self, embedded: Tensor) -> Tensor:
        # Every sub-word is of segment 0: there is one sentence at a time.
        place = self.position_embeddings.weight[: embedded.shape[1]] + self.token_type_embeddings.weight[0]  # [S, D]
        return self.dropout(self.LayerNorm(embedded + place))


class _SelfAttention(nn.Module):
    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        width = shape.hidden_size
        self.heads = shape.num_attention_heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.dropout = nn.Dropout(shape.attention_probs_dropout_prob)
        self.eager = False

    def forward(self, states: Tensor, allowed: Tensor | None) -> Tensor:
        q, k, v = (self._split(part(states)) for part in (self.query, self.key, self.value))  # [B, H, S, D/H]
        if self.eager:
            scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5  # [B, H, S, S]
            if allowed is not None:
                scores = scores.masked_fill(~allowed, torch.finfo(scores.dtype).min)
            context = self.dropout(scores.softmax(-1)).to(v.dtype) @ v
        else:
            drop = self.dropout.p if self.training else 0.0
            context = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed, dropout_p=drop)
        return context.transpose(1, 2).flatten(2)  # [B, S, D]

    def _split(self, states: Tensor) -> Tensor:
        """[B, S, D] -> [B, H, S, D/H]."""
        return states.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class _Output(nn.Module):
    """Dense, dropout, residual, LayerNorm: the end of both halves of a layer."""

    def __init__(self, inner: int, shape: BertShape) -> None:
        super().__init__()
        self.dense = nn.Linear(inner, shape.hidden_size)
        self.LayerNorm = nn.LayerNorm(shape.hidden_size, eps=shape.layer_norm_eps)
        self.dropout = nn.Dropout(shape.hidden_dropout_prob)

    def forward(self, states: Tensor, residual: Tensor) -> Tensor:
        return self.LayerNorm(self.dropout(self.dense(states)) + residual)


class Layer(nn.Module):
    """One layer of the encoder."""

    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        width, inner = shape.hidden_size, shape.intermediate_size
        self.attention = nn.ModuleDict({"self": _SelfAttention(shape), "output": _Output(width, shape)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, inner)})
        self.output = _Output(inner, shape)

    def forward(self, states: Tensor, allowed: Tensor | None) -> Tensor:
        """[B, S, D] -> [B, S, D]; ``allowed`` [B, 1, 1, S] bool says what may be looked at, None: all."""
        states = self.attention["output"](self.attention["self"](states, allowed), states)
        return self.output(F.gelu(self.intermediate["dense"](states)), states)

    def pack(self) -> PackedLayer:
        """Return the layer laid out for inference."""
        attention: Any = self.attention["self"]
        attended: Any = self.attention["output"]
        up: Any = self.intermediate["dense"]
        return PackedLayer(
            heads=attention.heads,
            qkv=pack_linear(attention.query, attention.key, attention.value),
            attended=pack_linear(attended.dense),
            norm=attended.LayerNorm,
            up=pack_linear(up),
            down=pack_linear(self.output.dense),
            last_norm=self.output.LayerNorm,
        )


class Bert(WithFastForm[PackedLayers]):
    """A BERT encoder without a head.

    Args:
        shape: its sizes.
        pooler: with the dense layer that reads the first sub-word.
    """

    def __init__(self, shape: BertShape, *, pooler: bool) -> None:
        super().__init__()
        self.checkpoint: Callable[..., Tensor] | None = None
        self.embeddings = _Embeddings(shape)
        layers = nn.ModuleList(Layer(shape) for _ in range(shape.num_hidden_layers))
        self.encoder = nn.ModuleDict({"layer": layers})
        self.pooler = nn.ModuleDict({"dense": nn.Linear(shape.hidden_size, shape.hidden_size)}) if pooler else None
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=shape.initializer_range)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def get_input_embeddings(self) -> nn.Embedding:
        """Return the word embeddings, as transformers' models do."""
        return self.embeddings.word_embeddings

    def set_attn_implementation(self, implementation: str) -> None:
        """Choose "sdpa" or "eager", as transformers' models do."""
        for module in self.modules():
            if isinstance(module, _SelfAttention):
                module.eager = implementation == "eager"

    def activation_checkpointing_enable(self) -> None:
        """Forget each layer's activations until the backward pass, under the name that transformers' models have."""
        from torch.utils.checkpoint import checkpoint

        self.checkpoint = checkpoint

    def pack(self) -> None:
        """Lay the layers out for inference where this machine has kernels for it, until something drops it."""
        layers = [layer for layer in self.modules() if isinstance(layer, Layer)]
        packs = can_pack(self.get_input_embeddings().weight)
        self._fast = PackedLayers([layer.pack() for layer in layers]) if packs else None

    def forward(
        self, *, inputs_embeds: Tensor, attention_mask: Tensor, output_hidden_states: bool = False
    ) -> BertOutput:
        """Encode word embeddings [B, S, D] under a mask [B, S], 1 on sub-words."""
        allowed = attention_mask.bool()  # [B, S]
        hidden = [self.embeddings(inputs_embeds)]  # [B, S, D]
        if (packed := self.fast) is not None:
            hidden += packed(hidden[0], allowed, every_layer=output_hidden_states)
        else:
            mask = None if bool(allowed.all()) else allowed[:, None, None, :]  # [B, 1, 1, S]
            for layer in self.encoder["layer"].children():
                if self.checkpoint is not None and self.training:
                    hidden.append(self.checkpoint(layer, hidden[-1], mask, use_reentrant=False))
                else:
                    hidden.append(layer(hidden[-1], mask))
                if not output_hidden_states:
                    del hidden[:-1]
        last = hidden[-1]
        pooled = None if self.pooler is None else torch.tanh(self.pooler["dense"](last[:, 0]))
        return BertOutput(last, pooled, tuple(hidden) if output_hidden_states else None)
