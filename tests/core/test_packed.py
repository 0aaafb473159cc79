"""The encoders' fast forms give what the plain ones give, and never outlive the weights they were made from."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from mmner_core.encoders.bert import Bert, BertShape, Layer
from mmner_core.encoders.efficientnet_lite import NAME, EfficientNetLite0
from mmner_core.encoders.fast.packed import PackedLayers
from mmner_core.encoders.libraries import prepare_libraries
from mmner_core.network.linear import BatchInvariantLinear
from mmner_core.network.precision import multiplies_bfloat16

SHAPE = BertShape(
    vocab_size=50,
    hidden_size=32,
    num_hidden_layers=3,
    num_attention_heads=2,
    intermediate_size=64,
    max_position_embeddings=16,
)
MASK = torch.arange(9) < torch.tensor([9, 4, 1])[:, None]
needs_bfloat16 = pytest.mark.skipif(not multiplies_bfloat16(), reason="this processor has no bfloat16 products")


def draw(network: nn.Module) -> nn.Module:
    """Give a network weights, biases, norms and statistics that all matter."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 2, generator=generator)
            elif tensor.is_floating_point():
                tensor.add_(torch.randn(tensor.shape, generator=generator), alpha=0.1)
    return network.eval()


def bert() -> Bert:
    """Build a small one."""
    network = draw(Bert(SHAPE, pooler=True))
    assert isinstance(network, Bert)
    return network


def read(network: Bert) -> Tensor:
    """Encode the same three sentences, the last two with padding."""
    vectors = torch.randn(3, 9, 32, generator=torch.Generator().manual_seed(3))
    dtype = network.get_input_embeddings().weight.dtype
    return network(inputs_embeds=vectors.to(dtype), attention_mask=MASK.long()).last_hidden_state[MASK].float()


@needs_bfloat16
def test_packed_layers_are_as_near_the_truth_as_plain_ones() -> None:
    """Both round to bfloat16; neither strays further from full precision than that explains."""
    network = bert()
    with torch.no_grad():
        exact = read(network)
        plain = read(network.bfloat16())
        network.pack()
        assert isinstance(network._fast, PackedLayers)
        packed = read(network)
    assert not torch.equal(plain, packed)  # else the plain layers ran twice
    assert (packed - exact).abs().mean() < 1.2 * (plain - exact).abs().mean()


@torch.no_grad()
def test_packed_layers_give_the_states_after_each_layer() -> None:
    """In full precision they are the plain layers' own; without being asked for they are not kept."""
    network = bert()
    vectors = torch.randn(3, 9, 32, generator=torch.Generator().manual_seed(3))
    given = {"inputs_embeds": vectors, "attention_mask": MASK.long()}
    plain = network(**given, output_hidden_states=True).hidden_states
    network._fast = PackedLayers([layer.pack() for layer in network.modules() if isinstance(layer, Layer)])
    packed = network(**given, output_hidden_states=True).hidden_states
    assert len(plain) == len(packed) == SHAPE.num_hidden_layers + 1
    for one, other in zip(plain, packed, strict=True):
        torch.testing.assert_close(one[MASK], other[MASK], atol=1e-5, rtol=1e-4)
    assert network(**given).hidden_states is None


@needs_bfloat16
def test_a_sentence_is_read_the_same_in_any_company() -> None:
    """Alone, and beside shorter and longer ones in either order: the same to the last bit."""
    wide = BertShape(
        hidden_size=128, num_attention_heads=4, intermediate_size=1536, num_hidden_layers=2, max_position_embeddings=256
    )
    network = draw(Bert(wide, pooler=False)).bfloat16()
    assert isinstance(network, Bert)
    network.pack()
    lengths = [3, 200, 17, 16, 3, 40, 15, 250, 33, 241, 256, 249, 243]  # the longest fill more than one group
    sentences = [torch.randn(n, 128, generator=torch.Generator().manual_seed(n)).bfloat16() for n in lengths]

    def read_together(chosen: list[int]) -> list[Tensor]:
        padded = nn.utils.rnn.pad_sequence([sentences[i] for i in chosen], batch_first=True, padding_value=7.0)
        mask = torch.arange(padded.shape[1]) < torch.tensor([lengths[i] for i in chosen])[:, None]
        with torch.no_grad():
            states = network(inputs_embeds=padded, attention_mask=mask.long()).last_hidden_state
        assert not states[~mask].any()
        return [states[row, : lengths[i]] for row, i in enumerate(chosen)]

    everybody = list(range(len(lengths)))
    alone = [read_together([i])[0] for i in everybody]
    for chosen in (everybody, everybody[::-1], [0, 4], [2, 5]):
        for i, states in zip(chosen, read_together(chosen), strict=True):
            assert torch.equal(states, alone[i])


@needs_bfloat16
@pytest.mark.parametrize(("width", "out"), [(1280, 384), (1536, 384), (384, 9)])
def test_a_row_is_multiplied_the_same_in_any_company(width: int, out: int) -> None:
    """A single row, one of many, and one that stands for many without being copied."""
    generator = torch.Generator().manual_seed(4)
    layer = BatchInvariantLinear(width, out)
    rows = torch.randn(200, width, generator=generator).bfloat16()
    with torch.no_grad():
        for parameter in layer.bfloat16().parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 32)
        together = layer(rows)
        assert torch.equal(torch.stack([layer(row) for row in rows]), together)
        assert torch.equal(layer(rows[5].expand(3, 1, -1)), together[5].expand(3, 1, -1))
        assert layer(rows[:0]).shape == (0, out)


@needs_bfloat16
def test_gradients_take_the_plain_layers() -> None:
    """A packed encoder still says where its answer came from."""
    network = bert().bfloat16()
    network.pack()
    read(network).sum().backward()
    assert network.encoder["layer"][0].intermediate["dense"].weight.grad.any()


@needs_bfloat16
@pytest.mark.parametrize(
    "change",
    [
        lambda network: network.load_state_dict(bert().state_dict()),
        lambda network: network.float(),
        lambda network: network.train(),
        copy.deepcopy,
    ],
)
def test_packing_ends_with_the_weights(change: object) -> None:
    """New weights, another format, training or a copy: nothing old is used."""
    network = bert().bfloat16()
    network.pack()
    changed = change(network)  # type: ignore[operator]
    assert (changed if isinstance(changed, Bert) else network)._fast is None


def test_full_precision_is_not_packed() -> None:
    """Where bfloat16 is no gain, the plain layers serve."""
    network = bert()
    network.pack()
    assert network._fast is None


@pytest.fixture(scope="module")
def lite() -> EfficientNetLite0:
    """Build the network with drawn weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = draw(EfficientNetLite0())
    assert isinstance(network, EfficientNetLite0)
    return network


PIXELS = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(2)) * 2 - 1


@pytest.mark.parametrize("pixels", [PIXELS, PIXELS[:1, :, :49, :75]])
def test_the_network_is_that_of_timm(lite: EfficientNetLite0, pixels: Tensor) -> None:
    """The same weights under the same names give the same map, for even sizes and odd ones."""
    prepare_libraries()
    import timm

    theirs = timm.create_model(NAME, pretrained=False, num_classes=0, global_pool="").eval()
    theirs.load_state_dict(lite.state_dict())
    assert (theirs.num_features, theirs.feature_info[-1]["reduction"]) == (lite.num_features, lite.reduction)
    with torch.no_grad():
        torch.testing.assert_close(lite.forward_features(pixels), theirs.forward_features(pixels))


@pytest.mark.slow
def test_it_learns_as_timms_does(lite: EfficientNetLite0) -> None:
    """Gradients and running statistics after a step in training mode, activations kept or forgotten."""
    prepare_libraries()
    import timm

    theirs = timm.create_model(NAME, pretrained=False, num_classes=0, global_pool="")
    theirs.load_state_dict(lite.state_dict())
    for forget in (False, True):
        ours = copy.deepcopy(lite).train()
        ours.set_grad_checkpointing(forget)
        for network in (ours, theirs.train()):
            network.zero_grad()
            network.forward_features(PIXELS).square().mean().backward()
        torch.testing.assert_close(ours.conv_stem.weight.grad, theirs.conv_stem.weight.grad, rtol=1e-3, atol=1e-5)


def test_folding_changes_nothing_in_full_precision(lite: EfficientNetLite0) -> None:
    """Norms and activations within the convolutions: the same map up to rounding, and undone by new weights."""
    network = copy.deepcopy(lite)
    with torch.no_grad():
        plain = network.forward_features(PIXELS)
        network.use(network.fold(torch.float32))
        if network._fast is None:
            pytest.skip("this torch has no fused convolutions")
        torch.testing.assert_close(network.forward_features(PIXELS), plain, rtol=1e-3, atol=1e-4)
        network.load_state_dict({name: tensor * 1.01 for name, tensor in lite.state_dict().items()})
        assert network._fast is None
        assert not torch.allclose(network.forward_features(PIXELS), plain)
    assert copy.deepcopy(network)._fast is None


@needs_bfloat16
def test_a_photo_is_read_the_same_in_any_company(lite: EfficientNetLite0) -> None:
    """Alone, and among so many that they go through every stage of the network in parts: the same to the last bit."""
    network = copy.deepcopy(lite)
    folded = network.fold(torch.bfloat16)
    network = network.bfloat16()
    network.use(folded)
    if network._fast is None:
        pytest.skip("this torch has no fused convolutions")
    pixels = torch.rand(19, 3, 224, 224, generator=torch.Generator().manual_seed(6)).bfloat16() * 2 - 1
    with torch.no_grad():
        together = network.forward_features(pixels)
        assert together.shape == (19, 1280, 7, 7)
        for row in (0, 7, 18):
            assert torch.equal(network.forward_features(pixels[row : row + 1])[0], together[row])
