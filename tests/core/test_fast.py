"""What is there for speed alone can be done without, and says when a library no longer has what it leans on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch

from mmner_core.cli.group import UsageError
from mmner_core.encoders.fast.onednn import FusedPointwiseConvolution, can_fuse
from mmner_core.errors import InputError
from mmner_core.runtime import fast
from mmner_core.runtime.repository import REPOSITORY, SHIPPED
from tests.bench.fast import WORK, bench_fast
from tests.core.test_packed import needs_bfloat16

_TAG = """
import json, sys
from mmner_core.inference.tagger import Tagger
from tests.bench.sentences import SENTENCES, draw_photo
tagger = Tagger.load(sys.argv[1])
found = [tagger.tag(text, draw_photo(1)) for _, text in SENTENCES[:4]]
names = {type(m).__name__ for m in tagger.model.modules()}
print(json.dumps([[list(one.tags) for one in found], sorted(names), any(
    getattr(module, "_fast", None) is not None for module in tagger.model.modules())]))
"""


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Let a test set the environment variable, and forget it after."""
    fast._plain.cache_clear()
    yield monkeypatch
    fast._plain.cache_clear()


def test_each_can_be_left_out_by_name(plain: pytest.MonkeyPatch) -> None:
    """Those named are off and the others on; "all" is every one; another name is told with those there are."""
    plain.setenv(fast.PLAIN, "folded, two_cores")
    assert [name for name in fast.FAST if not fast.is_fast(name)] == ["folded", "two_cores"]
    fast._plain.cache_clear()
    plain.setenv(fast.PLAIN, "all")
    assert not any(map(fast.is_fast, fast.FAST))
    fast._plain.cache_clear()
    plain.setenv(fast.PLAIN, "turbo")
    with pytest.raises(InputError, match=r"turbo.*folded"):
        fast.is_fast("folded")


@pytest.mark.slow
def test_the_shipped_model_answers_alike_without_any_of_them() -> None:
    """The libraries' own networks take the same weights and give the same tags."""
    answers = []
    for names in ("", "all"):
        environment = {**os.environ, fast.PLAIN: names}
        command = [sys.executable, "-c", _TAG, str(SHIPPED)]
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, check=True)
        answers.append(json.loads(done.stdout))
    (tags, own, _), (plain_tags, theirs, packs) = answers
    assert plain_tags == tags and any(tag != "O" for row in tags for tag in row)
    assert {"Bert", "EfficientNetLite0"} <= set(own) and {"BertModel", "EfficientNet"} <= set(theirs) and not packs


@pytest.mark.slow
def test_the_work_is_measured_without_each() -> None:
    """Seconds of every kind of work, of a process with everything and of one that does without."""
    found = bench_fast(SHIPPED, rounds=1, names=("folded",))
    assert set(found) == {"", "folded"} and all(set(seconds) == set(WORK) for seconds in found.values())
    assert all(value > 0 for seconds in found.values() for value in seconds.values())


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN")
def test_torch_has_the_kernels() -> None:
    """They have no public name; without them everything is slower, and nothing else would tell."""
    assert can_fuse(torch.zeros(1))


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN")
@pytest.mark.parametrize("dtype", [torch.float32, pytest.param(torch.bfloat16, marks=needs_bfloat16)])
@pytest.mark.parametrize("cells", [(7, 7), (10, 10), (4, 9)])
def test_a_pointwise_convolution_is_a_linear_layer_for_each_cell(cells: tuple[int, int], dtype: torch.dtype) -> None:
    """It equals torch's own convolution, with ReLU6, without, and with a residual, channels innermost or not."""
    torch.manual_seed(0)
    weight, bias = torch.randn(24, 16, 1, 1), torch.randn(24)
    images, residual = torch.randn(2, 16, *cells), torch.randn(2, 24, *cells)
    expected = torch.nn.functional.conv2d(images, weight, bias)
    near = {"atol": 0.1, "rtol": 0.02} if dtype == torch.bfloat16 else {"atol": 1e-4, "rtol": 1e-4}
    states = images.to(dtype)
    convolve = FusedPointwiseConvolution(weight.to(dtype), bias.to(dtype), relu6=False)
    for layout in (torch.contiguous_format, torch.channels_last):
        result = convolve(states.contiguous(memory_format=layout))
        torch.testing.assert_close(result.float(), expected, **near)
    added = convolve(states, residual.to(dtype))
    torch.testing.assert_close(added.float(), expected + residual, **near)
    active = FusedPointwiseConvolution(weight.to(dtype), bias.to(dtype), relu6=True)(states)
    torch.testing.assert_close(active.float(), expected.clamp(0, 6), **near)


def test_typer_has_the_base_of_usage_errors() -> None:
    """It is exported only through its subclasses."""
    assert UsageError.__name__ == "UsageError"


@pytest.mark.slow
def test_spacy_is_imported_without_its_commands() -> None:
    """The stand-ins are gone after, so that whoever wants the commands gets the real ones."""
    code = (
        "import sys; from mmner_core.text.words import split_words; split_words('Ada', 'en'); "
        "assert 'spacy.cli' not in sys.modules; import spacy.cli; print(spacy.cli.info.__module__)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE, check=True, text=True)
    assert done.stdout.strip().startswith("spacy.cli")
