"""Our BERT computes what transformers' does."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmner_core.encoders.bert import Bert, BertShape
from mmner_core.encoders.libraries import prepare_libraries
from mmner_core.encoders.tokenizer import FastTokenizer, load_tokenizer
from mmner_core.errors import InputError
from tests.told import refused

SHAPE = {
    "vocab_size": 50,
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 40,
    "max_position_embeddings": 16,
}


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
@pytest.mark.parametrize("lengths", [(9, 9), (9, 4), (1, 9)])
def test_states_equal_those_of_transformers(implementation: str, lengths: tuple[int, int]) -> None:
    """The same weights under the same names give the same states and pooled vector, with padding and without."""
    prepare_libraries()
    from transformers import BertConfig, BertModel

    torch.manual_seed(3)
    theirs = BertModel(BertConfig(**SHAPE)).eval()
    for weight in theirs.parameters():
        weight.data += 0.1 * torch.randn_like(weight)  # biases and norms too, which start as zeros and ones
    shape = BertShape.from_architecture({"model_type": "bert", **SHAPE})
    assert shape is not None
    ours = Bert(shape, pooler=True).eval()
    ours.load_state_dict(theirs.state_dict())
    ours.set_attn_implementation(implementation)
    mask = torch.arange(9) < torch.tensor(lengths)[:, None]
    embedded = ours.get_input_embeddings()(torch.randint(0, 50, (2, 9)))
    expected = theirs(inputs_embeds=embedded, attention_mask=mask.long())
    output = ours(inputs_embeds=embedded, attention_mask=mask.long())
    torch.testing.assert_close(output.last_hidden_state[mask], expected.last_hidden_state[mask])
    torch.testing.assert_close(output.pooler_output, expected.pooler_output)


@pytest.mark.parametrize(
    "field", [{"model_type": "roberta"}, {"hidden_act": "relu"}, {"is_decoder": True}, {"model_type": None}]
)
def test_other_networks_are_left_to_transformers(field: dict[str, object]) -> None:
    """Whatever is not a plain BERT encoder is not taken for one."""
    assert BertShape.from_architecture({"model_type": "bert", **SHAPE, **field}) is None


def test_heads_must_divide_the_width() -> None:
    """A shape that cannot be built says so at once."""
    with refused("5 heads", "width 24", by=ValueError):
        BertShape.from_architecture({"model_type": "bert", **SHAPE, "num_attention_heads": 5})


@given(st.lists(st.text(min_size=1, max_size=12).filter(lambda w: not any("\ud800" <= c <= "\udfff" for c in w))))
def test_the_tokenizer_equals_that_of_transformers(tokenizers: tuple, words: list[str]) -> None:
    """Read straight from tokenizer.json, words give the same pieces as through transformers."""
    ours, theirs = (
        t.backend_tokenizer.encode_batch([words], is_pretokenized=True, add_special_tokens=False)[0] for t in tokenizers
    )
    assert (ours.ids, ours.word_ids) == (theirs.ids, theirs.word_ids)


def test_special_tokens_equal_those_of_transformers(tokenizers: tuple) -> None:
    """Both name the same ids."""
    ours, theirs = tokenizers
    assert isinstance(ours, FastTokenizer)
    for name in ("cls_token_id", "sep_token_id", "pad_token_id", "unk_token_id"):
        assert getattr(ours, name) == getattr(theirs, name)


def test_a_damaged_tokenizer_is_named(tmp_path: Path) -> None:
    """The sentence names the file."""
    (tmp_path / "tokenizer.json").write_text('{"model": {')
    with pytest.raises(InputError, match=r"tokenizer\.json is damaged"):
        load_tokenizer(tmp_path)


@pytest.fixture(scope="module")
def tokenizers(tokenizer_folder: Path) -> tuple:
    """Load the tiny tokenizer both ways."""
    prepare_libraries()
    from transformers import AutoTokenizer

    return load_tokenizer(tokenizer_folder), AutoTokenizer.from_pretrained(tokenizer_folder)
