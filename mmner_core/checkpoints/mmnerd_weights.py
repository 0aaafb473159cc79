"""Load checkpoints trained with the authors' script (github.com/wangdsh/MMNERD) into this model.

Names and facts were read off their code; where the two models differ in form, a line says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from mmner_core.config import ModelConfig
from mmner_core.encoders.text import resolve_text
from mmner_core.errors import InputError
from mmner_core.labels import LabelSet
from mmner_core.network.model import MMNER
from mmner_core.presets import paper_code

_EMBEDDINGS = "emb.embeddings.word_embeddings.weight"
_TEMPERATURE = "contrastive_loss.temperature"
_ENCODERS = ("text_encoder.", "vit_encoder.", "cnn_encoder.")

# Their module -> ours; None: their forward pass never reads it. The first entry that a name starts with decides.
_MODULES: dict[str, str | None] = {
    "text_dense_cl.": "text_projection.0.",
    "text_output_cl.": "text_projection.2.",
    "image_dense_cl.": "image_projections.vit.0.",
    "image_output_cl.": "image_projections.vit.2.",
    "image_dense_cl_resnet.": "image_projections.cnn.0.",
    "image_output_cl_resnet.": "image_projections.cnn.2.",
    "dense_resnet.": "to_width.cnn.",
    "bert_att_vit.self.": "fusion.blocks.vit.",
    "bert_att_vit.output.dense.": "fusion.blocks.vit.dense.",
    "bert_att_vit.output.LayerNorm.": "fusion.blocks.vit.norm.",
    "bert_att_resnet.self.": "fusion.blocks.cnn.",
    "bert_att_resnet.output.dense.": "fusion.blocks.cnn.dense.",
    "bert_att_resnet.output.LayerNorm.": "fusion.blocks.cnn.norm.",
    "dense_cat.": "fusion.dense.",
    "classifier.": "classifier.",
    "crf.": "crf.",
    "w_txt.": None,
    "w_img.": None,
    "emb.embeddings.position_ids": None,  # a constant that older transformers stored
    "emb.": "text_encoder.model.",
    "my_resnet.resnet.fc.": None,
    "my_resnet.resnet.": "cnn_encoder.model.",
}

# Within Hugging Face's CLIPVisionModel -> within open_clip's vision tower.
_VIT_MODULES: dict[str, str | None] = {
    "embeddings.position_ids": None,
    "embeddings.class_embedding": "class_embedding",
    "embeddings.patch_embedding.": "conv1.",
    "embeddings.position_embedding.weight": "positional_embedding",
    "pre_layrnorm.": "ln_pre.",
    "post_layernorm.": None,  # feeds the pooled output only; the model reads the tokens before it
}
_VIT_LAYER_MODULES = {
    "self_attn.q_proj.": "attn.in_proj.q.",
    "self_attn.k_proj.": "attn.in_proj.k.",
    "self_attn.v_proj.": "attn.in_proj.v.",
    "self_attn.out_proj.": "attn.out_proj.",
    "layer_norm1.": "ln_1.",
    "layer_norm2.": "ln_2.",
    "mlp.fc1.": "mlp.c_fc.",
    "mlp.fc2.": "mlp.c_proj.",
}
_VIT_NAME = re.compile(r"vit\.(?:vision_model\.)?(?P<rest>.+)")
_VIT_LAYER = re.compile(r"encoder\.layers\.(?P<layer>\d+)\.(?P<rest>.+)")


def author_config(
    state_dict: Mapping[str, Tensor], *, tags: Sequence[str] | None = None, base: ModelConfig | None = None
) -> ModelConfig:
    """Describe the model that a checkpoint of theirs needs.

    That is ``paper_code`` with the types of their tags and as many sub-words as their embedding table has rows (their
    script adds special tokens to the vocabulary), without images where it was trained without.

    Args:
        state_dict: their checkpoint, by their names.
        tags: their tags in the order of their indices; None: the types of ``base``.
        base: the config to start from, for instance one whose ``text.name`` is a local folder.

    Raises:
        InputError: if the text encoder's architecture is not to be had.
    """
    config = base if base is not None else paper_code()
    text = resolve_text(config.text)
    if _EMBEDDINGS in state_dict and text.architecture is not None:
        text = replace(text, architecture={**text.architecture, "vocab_size": len(state_dict[_EMBEDDINGS])})
    types = config.types if tags is None else LabelSet.from_tags(tags).types
    config = replace(config, text=text, types=types)
    if "dense_cat.weight" in state_dict:
        return config
    no_streams = replace(config.fusion, streams=()), replace(config.alignment, streams=())
    return replace(config, vit=None, cnn=None, fusion=no_streams[0], alignment=no_streams[1])


def map_author_weights(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename their tensors to ours, dropping those that their forward pass never reads.

    Their query weights are kept though unused: ours are unused as well while query and key share weights.

    Args:
        state_dict: their checkpoint, by their names; the encoders (``emb``, ``vit``, ``my_resnet``) may be absent.

    Raises:
        InputError: if a tensor is none of theirs, or an attention layer of their ViT is incomplete.
    """
    renamed: dict[str, Tensor] = {}
    unknown = []
    for name, value in state_dict.items():
        if name == _TEMPERATURE:
            renamed["contrastive.log_inverse_temperature"] = -torch.log(value.float())
            continue
        found, ours = _our_name(name)
        if not found:
            unknown.append(name)
        elif ours is not None:
            renamed[ours] = value
    if unknown:
        raise InputError(
            f"The checkpoint holds {len(unknown)} tensors that the authors' model does not have, such as "
            f"{_some(unknown)}; give the state dict of their MMNER with its CLIP vision tower."
        )
    return _join_attention_inputs(renamed)


def load_author_weights(
    model: MMNER, state_dict: Mapping[str, Tensor], *, tags: Sequence[str] | None = None
) -> tuple[str, ...]:
    """Load their weights into a model built from :func:`author_config`.

    Args:
        model: two image streams, or none for a checkpoint trained without images.
        state_dict: their checkpoint, by their names; without the encoders only what is behind them is loaded.
        tags: their tags in the order of their indices (their script numbers tags as they first appear in the
            training file); None: in the order of the model's label set.

    Returns:
        the model's tensors of which the checkpoint says nothing, and which keep their values: encoders that it does
        not hold, and what their model does not have (the learnt "no image" keys).

    Raises:
        InputError: if a tensor is unknown, missing, or of another shape, or the tags are not the model's.
    """
    _check_options(model)
    mapped = map_author_weights(state_dict)
    if tags is not None:
        mapped = _reorder_tags(mapped, tags, model.labels)
    ours = model.state_dict()
    if surplus := sorted(mapped.keys() - ours.keys()):
        raise InputError(f"The model has no place for {_some(surplus)} of the checkpoint; build it by author_config.")
    kept = tuple(name for name in ours if name not in mapped)
    if missing := [name for name in kept if _is_expected(name, mapped)]:
        raise InputError(f"The checkpoint lacks {len(missing)} of the model's tensors, such as {_some(missing)}.")
    for name, value in mapped.items():
        if value.shape != ours[name].shape:
            raise InputError(
                f"{name} is {list(value.shape)} in the checkpoint and {list(ours[name].shape)} in the model; "
                "build the model by author_config."
            )
    model.load_state_dict(mapped, strict=False)
    return kept


def _our_name(name: str) -> tuple[bool, str | None]:
    """Return whether the name is one of theirs, and our name for it (None: dropped on purpose)."""
    if not (vit := _VIT_NAME.fullmatch(name)):
        return _translate(name, _MODULES)
    if not (layer := _VIT_LAYER.fullmatch(vit["rest"])):
        found, ours = _translate(vit["rest"], _VIT_MODULES)
        return found, ours and f"vit_encoder.tower.{ours}"
    found, ours = _translate(layer["rest"], _VIT_LAYER_MODULES)
    return found, f"vit_encoder.tower.transformer.resblocks.{layer['layer']}.{ours}"


def _translate(name: str, modules: Mapping[str, str | None]) -> tuple[bool, str | None]:
    for theirs, ours in modules.items():
        if name.startswith(theirs):
            return True, None if ours is None else ours + name.removeprefix(theirs)
    return False, None


def _join_attention_inputs(renamed: dict[str, Tensor]) -> dict[str, Tensor]:
    """Stack the ViT's query, key and value projections, which open_clip holds as one, in that order.

    Raises:
        InputError: if one of the three is missing.
    """
    joined = {name: value for name, value in renamed.items() if ".in_proj." not in name}
    places = {re.sub(r"in_proj\.[qkv]\.", "in_proj.{}.", name) for name in renamed.keys() - joined.keys()}
    for place in sorted(places):
        parts = [place.format(part) for part in "qkv"]
        if missing := [part for part in parts if part not in renamed]:
            raise InputError(f"The checkpoint's ViT lacks {_some(missing)}.")
        joined[place.replace("in_proj.{}.", "in_proj_")] = torch.cat([renamed[part] for part in parts])
    return joined


def _reorder_tags(mapped: dict[str, Tensor], tags: Sequence[str], labels: LabelSet) -> dict[str, Tensor]:
    """Bring classifier and CRF from their tag order to ours.

    Raises:
        InputError: if the tags are not exactly the label set's, or not as many as the checkpoint has.
    """
    if sorted(tags) != sorted(labels.tags):
        raise InputError(f"The tags given, {', '.join(tags)}, are not the model's: {', '.join(labels.tags)}.")
    order = torch.tensor([tags.index(tag) for tag in labels.tags])
    reordered = dict(mapped)
    for name in ("classifier.weight", "classifier.bias", "crf.start_transitions", "crf.end_transitions"):
        if name in mapped and len(mapped[name]) == len(order):
            reordered[name] = mapped[name][order]
    if "crf.transitions" in mapped and mapped["crf.transitions"].shape == (len(order), len(order)):
        reordered["crf.transitions"] = mapped["crf.transitions"][order][:, order]
    return reordered


def _check_options(model: MMNER) -> None:
    """Refuse a model that their weights would fit, but in which they would mean something else.

    Raises:
        InputError: naming the option.
    """
    fusion = model.config.fusion
    if fusion.streams not in ((), ("vit", "cnn")):
        raise InputError(f"Their weights are for the streams vit and cnn, in this order, not {list(fusion.streams)}.")
    if fusion.streams and fusion.query != "tied_to_key":
        raise InputError("Their query weights were never trained; build the model with fusion.query='tied_to_key'.")


def _is_expected(name: str, mapped: Mapping[str, Tensor]) -> bool:
    """Say whether a checkpoint that holds ``mapped`` should hold ``name`` too: encoders whole or not at all."""
    for encoder in _ENCODERS:
        if name.startswith(encoder):
            present = any(other.startswith(encoder) for other in mapped)
            return present and not name.startswith("text_encoder.convention.")
    if name.startswith("contrastive."):
        return any(other.startswith("text_projection.") for other in mapped)
    return not name.startswith("fusion.null_keys.")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3])
