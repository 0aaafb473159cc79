"""Linear-chain CRF: likelihood, Viterbi, marginals, and the exact probability of an entity span.

Shapes: B sentences, W words (right-padded), L tags. All sums run in float32, whatever the encoder's precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (the field's name for it)

from mmner_core.labels import OUTSIDE, Entity, LabelSet

IMPOSSIBLE = -1e4  # finite, so that gradients stay finite; exp(-1e4) is 0 in float32


class Messages(NamedTuple):
    """Forward and backward sums, [B, W, L] each: log sums over what may come before and after each tag.

    They say nothing on padding.
    """

    alpha: Tensor
    beta: Tensor


def mask_words(emissions: Tensor, n_words: Sequence[int]) -> Tensor:
    """Return [B, W] bool, true on words, for emissions [B, W, L] of sentences with so many words."""
    lengths = torch.tensor(n_words, device=emissions.device)
    return torch.arange(emissions.shape[1], device=emissions.device) < lengths[:, None]


class CRF(nn.Module):
    """Score of a tag sequence y: start[y_1] + sum emissions[t, y_t] + sum transitions[y_t-1, y_t] + end[y_W]."""

    may_start: Tensor  # [L] bool
    may_follow: Tensor  # [from, to] bool

    def __init__(self, labels: LabelSet, *, constrained: bool = True) -> None:
        super().__init__()
        n = len(labels)
        self.labels = labels
        self.start_transitions = nn.Parameter(torch.empty(n).uniform_(-0.1, 0.1))
        self.end_transitions = nn.Parameter(torch.empty(n).uniform_(-0.1, 0.1))
        self.transitions = nn.Parameter(torch.empty(n, n).uniform_(-0.1, 0.1))  # [from, to]
        may_start = torch.tensor(labels.may_start()) if constrained else torch.ones(n, dtype=torch.bool)
        may_follow = torch.tensor(labels.may_follow()) if constrained else torch.ones(n, n, dtype=torch.bool)
        self.register_buffer("may_start", may_start, persistent=False)
        self.register_buffer("may_follow", may_follow, persistent=False)

    def _scores(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return start [L], transitions [L, L] and end [L], illegal ones at ``IMPOSSIBLE``."""
        start = self.start_transitions.float().masked_fill(~self.may_start, IMPOSSIBLE)
        transitions = self.transitions.float().masked_fill(~self.may_follow, IMPOSSIBLE)
        return start, transitions, self.end_transitions.float()

    def forward(self, emissions: Tensor, tags: Tensor, mask: Tensor, unannotated: Tensor | None = None) -> Tensor:
        """Return the negative log-likelihood of each sentence, [B].

        Args:
            emissions: [B, W, L].
            tags: [B, W] indices; anything where the mask is 0.
            mask: [B, W] bool, true on words; every sentence has at least one.
            unannotated: [B, L] bool, the tags that the annotators of each sentence did not give: a word tagged ``O``
                may have any of them, and the likelihood is that of all such sequences together (a CRF learnt from
                partial labels, Tsuboi et al. 2008). None: the tags are complete.
        """
        emissions = emissions.float()
        if unannotated is None:
            return self.log_partition(emissions, mask) - self.score(emissions, tags, mask)
        given = F.one_hot(tags.masked_fill(~mask, 0), len(self.labels)).bool()  # [B, W, L]
        outside = given[..., self.labels.index[OUTSIDE], None]  # [B, W, 1]
        allowed = given | (outside & unannotated[:, None])
        constrained = emissions.masked_fill(~allowed, IMPOSSIBLE)
        return self.log_partition(emissions, mask) - self.log_partition(constrained, mask)

    def score(self, emissions: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """Return the unnormalised log score of the given tags, [B]."""
        start, transitions, end = self._scores()
        tags = tags.masked_fill(~mask, 0)
        emitted = emissions.float().gather(2, tags[..., None])[..., 0] * mask  # [B, W]
        moved = transitions[tags[:, :-1], tags[:, 1:]] * mask[:, 1:]  # [B, W-1]
        last = tags.gather(1, mask.sum(1, keepdim=True) - 1)[:, 0]  # [B]
        return start[tags[:, 0]] + emitted.sum(1) + moved.sum(1) + end[last]

    def log_partition(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """Return the log of the summed exponentiated scores of all tag sequences, [B]."""
        start, transitions, end = self._scores()
        emissions = emissions.float()
        alpha = _sum_prefixes(start, transitions, emissions) + emissions
        return torch.logsumexp(_last_words(alpha, mask) + end, dim=-1)

    def messages(self, emissions: Tensor, mask: Tensor) -> Messages:
        """Return the sums that marginals and span probabilities are read from, to compute them once for both.

        The backward sums are the forward ones of the sentence read from its end, so both are made in one go.
        """
        start, transitions, end = self._scores()
        emissions = emissions.float()
        places = torch.arange(emissions.shape[1], device=emissions.device)
        backwards = (mask.sum(1, keepdim=True) - 1 - places).clamp(min=0)  # [B, W], its own inverse
        order = backwards[..., None].expand_as(emissions)
        both = torch.stack([emissions, emissions.gather(1, order)])  # [2, B, W, L]
        ends = torch.stack([start, end])[:, None]  # [2, 1, L]
        prefixes, suffixes = _sum_prefixes(ends, torch.stack([transitions, transitions.T])[:, None], both)
        return Messages(prefixes + emissions, suffixes.gather(1, order))

    @torch.no_grad()
    def marginals(self, emissions: Tensor, mask: Tensor, messages: Messages | None = None) -> Tensor:
        """Return p(tag of word t | sentence), [B, W, L]; rows sum to 1 on words and are 0 on padding."""
        alpha, beta = messages or self.messages(emissions, mask)
        return torch.softmax(alpha + beta, dim=-1) * mask[..., None]

    @torch.no_grad()
    def viterbi(self, emissions: Tensor, mask: Tensor) -> list[list[int]]:
        """Return the best tag sequence of each sentence, as indices, one per word."""
        start, transitions, end = self._scores()
        first, *others = emissions.float().unbind(1)  # [B, L] each
        best = [start + first]
        origins: list[Tensor] = []
        for emitted in others:
            top, origin = (best[-1][:, :, None] + transitions).max(dim=1)
            best.append(top + emitted)
            origins.append(origin)
        last = (_last_words(torch.stack(best, dim=1), mask) + end).argmax(dim=1).tolist()
        lengths = mask.sum(1).tolist()
        back = torch.stack(origins, dim=1).tolist() if origins else [[]] * len(last)
        return [_trace(tag, back[b][: lengths[b] - 1]) for b, tag in enumerate(last)]

    def log_span_probability(self, emissions: Tensor, mask: Tensor, entity: Entity) -> Tensor:
        """Return the log of the exact probability of one entity in each of many readings of a sentence, [B].

        Constrained over whole partition function: on the entity's words only its tags are left, on the word after it
        anything but its continuation. As a log it has a gradient where the probability is too small to be told from 0.

        Args:
            emissions: [B, W, L].
            mask: [B, W] bool, true on words.
            entity: the span and its type, the same in all B.
        """
        barred = torch.zeros(emissions.shape[1:], dtype=torch.bool, device=emissions.device)  # [W, L]
        barred[entity.start : entity.end] = True
        barred[entity.start, self.labels.begin(entity.type)] = False
        barred[entity.start + 1 : entity.end, self.labels.inside(entity.type)] = False
        if entity.end < len(barred):
            barred[entity.end, self.labels.inside(entity.type)] = True
        constrained = self.log_partition(emissions.masked_fill(barred, IMPOSSIBLE), mask)
        return constrained - self.log_partition(emissions, mask)

    def span_probabilities(
        self,
        emissions: Tensor,
        mask: Tensor,
        spans: Sequence[tuple[int, int, int]],
        messages: Messages | None = None,
    ) -> Tensor:
        """Return the exact probability that each span of many sentences is an entity of each type.

        That is the partition function over the sequences with y_start = B-T, y = I-T up to ``end``, and no I-T at
        ``end``, divided by the whole partition function: the span, the whole span and nothing but the span.
        Differentiable in the emissions.

        Args:
            emissions: [B, W, L].
            mask: [B, W] bool, true on words.
            spans: (sentence, first word, word after the last).
            messages: what :meth:`messages` returned for these emissions, where that is at hand.

        Returns:
            [len(spans), T] probabilities, types in the order of the label set.
        """
        if not spans:
            return emissions.new_zeros(0, len(self.labels.types))
        _, transitions, end = self._scores()
        emissions = emissions.float()
        alpha, beta = messages or self.messages(emissions, mask)
        log_z = torch.logsumexp(_last_words(alpha, mask) + end, dim=-1)  # [B]
        row, first, stop = torch.tensor(spans, device=emissions.device).T  # [N] each
        columns = [(self.labels.begin(t), self.labels.inside(t)) for t in self.labels.types]
        begin, inside = torch.tensor(columns, device=emissions.device).T  # [T] each
        length = (stop - first)[:, None]  # [N, 1]
        # What the words after the first emit as I-T: a difference of running sums, exact enough in float64 only.
        sums = F.pad(emissions[:, :, inside].double().cumsum(1), (0, 0, 1, 0))  # [B, W + 1, T]
        emitted = (sums[row, stop] - sums[row, first + 1]).float()  # [N, T]
        moved = (length > 1) * transitions[begin, inside] + (length - 2).clamp(min=0) * transitions[inside, inside]
        last = torch.where(length > 1, inside, begin)  # [N, T]
        onward = stop < mask.sum(1)[row]  # [N]
        after = stop.clamp(max=emissions.shape[1] - 1)
        next_scores = (emissions[row, after] + beta[row, after])[:, None] + transitions[last]  # [N, T, L]
        barred = F.one_hot(inside, len(self.labels)).bool()  # [T, L]
        left = torch.logsumexp(next_scores.masked_fill(barred, IMPOSSIBLE), dim=-1)  # [N, T]
        left = torch.where(onward[:, None], left, end[last])
        log_p = alpha[row, first][:, begin] + emitted + moved + left - log_z[row, None]
        return log_p.clamp(max=0).exp()  # rounding must not make a certain span more than certain


def _sum_prefixes(start: Tensor, transitions: Tensor, emissions: Tensor) -> Tensor:
    """Return the log sums over all ways to reach each tag of each word, what the word itself emits left out.

    Args:
        start: [..., L].
        transitions: [..., from, to].
        emissions: [..., W, L].

    Returns:
        [..., W, L].
    """
    *before, last = emissions.unbind(-2)  # [..., L] each
    sums = [start.expand_as(last)]
    for emitted in before:
        sums.append(torch.logsumexp((sums[-1] + emitted)[..., None] + transitions, dim=-2))
    return torch.stack(sums, dim=-2)


def _last_words(states: Tensor, mask: Tensor) -> Tensor:
    """Return the row of each sentence's last word, [B, W, L] -> [B, L]."""
    return states[torch.arange(len(states), device=states.device), mask.sum(1) - 1]


def _trace(last: int, origins: list[list[int]]) -> list[int]:
    """Walk Viterbi's back pointers of one sentence from its last tag."""
    path = [last]
    for origin in reversed(origins):
        path.append(origin[path[-1]])
    return path[::-1]
