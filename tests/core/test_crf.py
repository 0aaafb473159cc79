"""The CRF against brute force: every tag sequence of a short sentence, one by one."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mmner_core.labels import LabelSet, may_follow
from mmner_core.network.crf import CRF
from tests.helpers import span_probabilities

LABELS = LabelSet(("PER", "LOC"))
MODES = pytest.mark.parametrize("constrained", [True, False])
SEEDS = st.integers(0, 1000)


def build(seed: int, *, constrained: bool, n_words: int = 4) -> tuple[CRF, Tensor]:
    """Return a CRF with loud random weights and emissions [1, W, L]."""
    generator = torch.Generator().manual_seed(seed)
    crf = CRF(LABELS, constrained=constrained)
    for parameter in crf.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    return crf, 2 * torch.randn(1, n_words, len(LABELS), generator=generator)


def sequences(crf: CRF, emissions: Tensor, *, constrained: bool) -> dict[tuple[int, ...], float]:
    """Score every tag sequence of one sentence, from the definition; illegal ones are left out if constrained."""
    start, end, moves = (p.tolist() for p in (crf.start_transitions, crf.end_transitions, crf.transitions))
    emitted = emissions[0].tolist()
    scores = {}
    for path in itertools.product(range(len(LABELS)), repeat=len(emitted)):
        names = ["O", *LABELS.decode(path)]
        if constrained and not all(may_follow(a, b) for a, b in itertools.pairwise(names)):
            continue
        score = start[path[0]] + sum(emitted[t][tag] for t, tag in enumerate(path)) + end[path[-1]]
        scores[path] = score + sum(moves[a][b] for a, b in itertools.pairwise(path))
    return scores


def words(n: int) -> Tensor:
    """Return a mask of one sentence of n words."""
    return torch.ones(1, n, dtype=torch.bool)


def probability(scores: dict[tuple[int, ...], float], condition: object) -> float:
    """Sum the probability of the sequences for which the condition holds."""
    total = sum(map(math.exp, scores.values()))
    return sum(math.exp(s) for path, s in scores.items() if condition(path)) / total


@MODES
@settings(max_examples=25)
@given(seed=SEEDS, n_words=st.integers(1, 4))
def test_partition_and_likelihood_are_sums_over_all_sequences(constrained: bool, seed: int, n_words: int) -> None:
    """The log partition, and the loss of the best legal sequence, equal those summed one by one."""
    crf, emissions = build(seed, constrained=constrained, n_words=n_words)
    scores = sequences(crf, emissions, constrained=constrained)
    log_partition = math.log(sum(map(math.exp, scores.values())))
    assert crf.log_partition(emissions, words(n_words)).item() == pytest.approx(log_partition, abs=1e-4)
    gold = max(scores, key=scores.__getitem__)
    loss = crf(emissions, torch.tensor([gold]), words(n_words))
    assert loss.item() == pytest.approx(log_partition - scores[gold], abs=1e-4)


@MODES
@settings(max_examples=25)
@given(seed=SEEDS, n_words=st.integers(1, 4))
def test_viterbi_finds_the_best_sequence(constrained: bool, seed: int, n_words: int) -> None:
    """Of all (legal) sequences the one with the highest score comes back."""
    crf, emissions = build(seed, constrained=constrained, n_words=n_words)
    scores = sequences(crf, emissions, constrained=constrained)
    assert tuple(crf.viterbi(emissions, words(n_words))[0]) == max(scores, key=scores.__getitem__)


@MODES
def test_marginals_are_sums_over_sequences(constrained: bool) -> None:
    """Each word's tag probability is the share of the sequences that have that tag there."""
    crf, emissions = build(1, constrained=constrained)
    scores = sequences(crf, emissions, constrained=constrained)
    marginals = crf.marginals(emissions, words(4))[0]
    for t, tag in itertools.product(range(4), range(len(LABELS))):
        want = probability(scores, lambda path, t=t, tag=tag: path[t] == tag)
        assert marginals[t, tag].item() == pytest.approx(want, abs=1e-5)


@MODES
@settings(max_examples=8)
@given(seed=SEEDS)
def test_span_probabilities_are_sums_over_sequences(constrained: bool, seed: int) -> None:
    """For every span, also one that ends the sentence: B-T, I-T up to its end, and no I-T after it."""
    crf, emissions = build(seed, constrained=constrained)
    scores = sequences(crf, emissions, constrained=constrained)
    spans = [(a, b) for a in range(4) for b in range(a + 1, 5)]
    found = span_probabilities(crf, emissions[0], spans)
    for (first, stop), row in zip(spans, found.tolist(), strict=True):
        for entity_type, value in zip(LABELS.types, row, strict=True):
            begin, inside = LABELS.begin(entity_type), LABELS.inside(entity_type)
            want = probability(
                scores,
                lambda path, a=first, b=stop, begin=begin, inside=inside: (
                    path[a:b] == (begin, *[inside] * (b - a - 1)) and (b == len(path) or path[b] != inside)
                ),
            )
            assert value == pytest.approx(want, abs=1e-5)


def test_span_probabilities_carry_gradients() -> None:
    """A span's probability rises with the emission of its own tag."""
    crf, emissions = build(3, constrained=True)
    emissions.requires_grad_()
    span_probabilities(crf, emissions[0], [(1, 3)])[0, 0].backward()
    assert emissions.grad is not None
    assert emissions.grad[0, 1, LABELS.begin("PER")] > 0
    assert emissions.grad[0, 2, LABELS.inside("PER")] > 0
    assert torch.isfinite(emissions.grad).all()


def test_no_spans_give_no_rows() -> None:
    """A sentence without names asks for nothing and gets an empty table."""
    crf, emissions = build(0, constrained=True)
    assert span_probabilities(crf, emissions[0], []).shape == (0, 2)


@MODES
def test_padding_changes_nothing(constrained: bool) -> None:
    """A sentence padded with garbage beside a longer one is scored as alone."""
    crf, long = build(5, constrained=constrained, n_words=4)
    short = long[:, :2]
    padded = torch.cat([short, torch.full((1, 2, len(LABELS)), 9.0)], dim=1)
    both, mask = torch.cat([padded, long]), torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1]]).bool()
    tags = torch.tensor([[1, 2, -100, -100], [0, 1, 2, 0]])
    torch.testing.assert_close(crf(both, tags, mask)[:1], crf(short, tags[:1, :2], words(2)))
    assert crf.viterbi(both, mask)[0] == crf.viterbi(short, words(2))[0]
    marginals = crf.marginals(both, mask)
    torch.testing.assert_close(marginals[:1, :2], crf.marginals(short, words(2)))
    assert not marginals[0, 2:].any()
    spans = crf.span_probabilities(both, mask, [(0, 0, 2), (1, 1, 3)])
    torch.testing.assert_close(spans[:1], span_probabilities(crf, short[0], [(0, 2)]))


def test_an_illegal_sequence_is_impossible_only_when_constrained() -> None:
    """An orphan I- costs about 1e4 nats under the constraint; the authors' CRF merely finds it unusual."""
    emissions, orphan = torch.zeros(1, 2, len(LABELS)), torch.tensor([[0, LABELS.inside("PER")]])
    assert CRF(LABELS, constrained=True)(emissions, orphan, words(2)).item() > 1000
    assert CRF(LABELS, constrained=False)(emissions, orphan, words(2)).item() < 10


@MODES
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_partial_labels_sum_over_what_was_not_annotated(constrained: bool, seed: int) -> None:
    """Where a type was not annotated, the likelihood is that of all sequences that fill it in where the gold says O."""
    crf, emissions = build(seed, constrained=constrained)
    gold = LABELS.encode(["B-PER", "O", "O", "O"])
    hidden = torch.tensor([[tag.endswith("LOC") for tag in LABELS.tags]])
    mask = torch.ones(1, 4, dtype=torch.bool)
    scores = sequences(crf, emissions, constrained=constrained)
    allowed = {0, LABELS.begin("LOC"), LABELS.inside("LOC")}
    fitting = [s for path, s in scores.items() if path[0] == gold[0] and allowed.issuperset(path[1:])]
    expected = math.log(sum(map(math.exp, scores.values()))) - math.log(sum(map(math.exp, fitting)))
    nll = crf(emissions, torch.tensor([gold]), mask, hidden)
    assert nll.item() == pytest.approx(expected, abs=1e-3)
    complete = crf(emissions, torch.tensor([gold]), mask, torch.zeros_like(hidden))
    assert complete.item() == pytest.approx(crf(emissions, torch.tensor([gold]), mask).item(), abs=1e-3)
