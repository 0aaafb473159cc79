"""Span probabilities of a whole batch are those of each sentence alone, and those of summing over all sequences."""

from itertools import product

import pytest
import torch

from mmner_core.labels import Entity, LabelSet, tags_to_entities
from mmner_core.network.crf import CRF
from tests.helpers import span_probabilities

LABELS = LabelSet(("PER", "LOC"))
LENGTHS = (3, 1, 2)
SPANS = [(0, 0, 1), (0, 0, 2), (0, 0, 3), (0, 1, 3), (0, 2, 3), (1, 0, 1), (2, 1, 2), (2, 0, 2)]


@pytest.fixture
def crf() -> CRF:
    """A CRF with loud transitions."""
    torch.manual_seed(3)
    crf = CRF(LABELS)
    for parameter in crf.parameters():
        parameter.data.normal_()
    return crf


@pytest.fixture
def emissions() -> torch.Tensor:
    """[3, 3, 5] of which the padding is not zero."""
    return torch.randn(3, 3, len(LABELS), generator=torch.Generator().manual_seed(1)) * 2


def by_enumeration(crf: CRF, emissions: torch.Tensor, start: int, stop: int) -> list[float]:
    """Sum the probabilities of all tag sequences that hold the very entity."""
    n = len(emissions)
    mask = torch.ones(1, n, dtype=torch.bool)
    log_z = crf.log_partition(emissions[None], mask)
    totals = dict.fromkeys(LABELS.types, 0.0)
    for tags in product(range(len(LABELS)), repeat=n):
        score = crf.score(emissions[None], torch.tensor([tags]), mask)
        p = (score - log_z).exp().item()
        if p > 1e-12:  # legal sequences only
            for entity in tags_to_entities(LABELS.decode(tags)):
                if (entity.start, entity.end) == (start, stop):
                    totals[entity.type] += p
    return list(totals.values())


def test_batched_spans_equal_enumeration(crf: CRF, emissions: torch.Tensor) -> None:
    """Spans of one to three words, at the start, in the middle and at the end of sentences of three lengths."""
    mask = torch.arange(3) < torch.tensor(LENGTHS)[:, None]
    got = crf.span_probabilities(emissions, mask, SPANS)
    for row, (sentence, start, stop) in zip(got.tolist(), SPANS, strict=True):
        expected = by_enumeration(crf, emissions[sentence, : LENGTHS[sentence]], start, stop)
        assert row == pytest.approx(expected, abs=1e-5)
    alone = span_probabilities(crf, emissions[0], [(s, e) for sentence, s, e in SPANS if sentence == 0])
    torch.testing.assert_close(got[:5], alone)


@pytest.mark.parametrize(("start", "stop"), [(s, e) for sentence, s, e in SPANS if sentence == 0])
def test_one_span_in_many_readings_equals_enumeration(crf: CRF, emissions: torch.Tensor, start: int, stop: int) -> None:
    """As a log, for each reading of the sentence, and with a gradient."""
    emissions.requires_grad_()
    mask = torch.ones(3, 3, dtype=torch.bool)
    for place, kind in enumerate(LABELS.types):
        got = crf.log_span_probability(emissions, mask, Entity(start, stop, kind))
        expected = [by_enumeration(crf, reading, start, stop)[place] for reading in emissions.detach()]
        assert got.exp().tolist() == pytest.approx(expected, abs=1e-5)
        got.sum().backward()
    assert emissions.grad is not None and emissions.grad.abs().sum() > 0


def test_long_sentences_keep_their_digits(crf: CRF) -> None:
    """In a thousand words a span's probability is that of the same span read without the far words."""
    emissions = torch.randn(1, 1000, len(LABELS), generator=torch.Generator().manual_seed(2))
    emissions[0, 980, 0] = 60.0  # certainly outside: what stands before and after it does not interact
    late = span_probabilities(crf, emissions[0], [(981, 985)])
    near = span_probabilities(crf, emissions[0, 980:], [(1, 5)])
    torch.testing.assert_close(late, near, rtol=2e-3, atol=0)


def test_no_span_no_row(crf: CRF, emissions: torch.Tensor) -> None:
    """A batch without entities asks for nothing and gets nothing."""
    assert crf.span_probabilities(emissions, torch.ones(3, 3, dtype=torch.bool), []).shape == (0, 2)
