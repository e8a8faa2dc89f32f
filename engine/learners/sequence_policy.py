"""Distributions over architectures that decide one choice after another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.learners.tokens import sequences

# Draws for one architecture before a space's constraint is met by a uniform one instead.
ATTEMPTS = 1_000
# Draws behind `probabilities`: a share of one half then has a standard error of 0.02.
REPORTED_DRAWS = 512
# Widths of the beam per architecture wanted, tried in turn until enough networks are found.
BEAMS = (4, 16, 64)


class SequencePolicy(nn.Module):
    """p(architecture) as a product of p(option | options before it) over `Space.choices`.

    A sub-class implements `start` and `advance`. Where a space has a constraint, invalid draws
    are thrown away, but log-probabilities stay those of the sequence: they sum to one over all
    index tuples, valid or not.

    Args:
        space: the search space.
    """

    def __init__(self, space: Space) -> None:
        super().__init__()
        self.space = space
        self.length = len(space.choices)

    def start(self, rows: int) -> list[Tensor]:
        """Return the state of `rows` empty sequences: tensors with `rows` first elements."""
        raise NotImplementedError

    def advance(
        self, position: int, before: Tensor | None, state: list[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """Return logits (rows, options) of the choice at `position`, and the next state.

        Args:
            position: number of the choice.
            before: int64 (rows,), options taken at the choice before; None at the first.
            state: of the sequences so far.
        """
        raise NotImplementedError

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device

    def log_probs(self, architectures: Sequence[Architecture]) -> tuple[Tensor, Tensor]:
        """Return log p, and the sum of the entropies met along the sequence, (N,) each, in nats.

        The expectation of the second over drawn sequences is the entropy of the policy.
        """
        taken = sequences(architectures, self.device)
        state, before = self.start(len(taken)), None
        found, entropies = [], []
        for position in range(self.length):
            logits, state = self.advance(position, before, state)
            logs = torch.log_softmax(logits, 1)
            before = taken[:, position]
            found.append(logs.gather(1, before[:, None])[:, 0])
            entropies.append(-(logs.exp() * logs).sum(1))
        return torch.stack(found).sum(0), torch.stack(entropies).sum(0)

    @torch.no_grad()
    def walk(self, uniform: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Turn numbers between 0 and 1, (rows, choices), into sequences.

        Returns:
            Option indices (rows, choices), and per choice the probabilities (rows, options)
            given the options before it.
        """
        uniform = uniform.to(self.device)
        state, before = self.start(len(uniform)), None
        taken, chances = [], []
        for position in range(self.length):
            logits, state = self.advance(position, before, state)
            chance = torch.softmax(logits.double(), 1)
            passed = uniform[:, position, None] >= chance.cumsum(1)
            before = passed.sum(1).clamp_max(chance.shape[1] - 1)
            taken.append(before)
            chances.append(chance)
        return torch.stack(taken, 1), chances

    def draws(self, rng: np.random.Generator, count: int) -> list[Architecture]:
        """Draw valid architectures; uniform ones once `ATTEMPTS` rounds gave too few."""
        found: list[Architecture] = []
        for _ in range(ATTEMPTS):
            numbers = rng.random((count - len(found), self.length))
            rows = self.walk(torch.from_numpy(numbers))[0].tolist()
            found += self._valid(rows)
            if len(found) == count:
                return found
        return found + [self.space.sample(rng) for _ in range(count - len(found))]

    def draw(self, rng: np.random.Generator) -> Architecture:
        """Draw a valid architecture."""
        return self.draws(rng, 1)[0]

    def probabilities(self) -> list[Tensor]:
        """Estimate, per choice of `Space.mixture`, the chance of each option, (options,).

        Exact marginals would need all architectures. This is a mean over `REPORTED_DRAWS`
        sequences from random numbers of its own, always the same: of the probabilities given
        the options before, which is exact where choices are independent; and of the options
        taken where a space's mixture has other choices. No gradients.
        """
        taken, chances = self._usual_draws()
        if self.space.mixture == self.space.choices:
            return [chance.mean(0) for chance in chances]
        return shares(self.space, self._valid(taken.tolist()))

    def _usual_draws(self) -> tuple[Tensor, list[Tensor]]:
        """Walk along random numbers that are the same in every call."""
        generator = torch.Generator().manual_seed(0)
        shape = (REPORTED_DRAWS, self.length)
        return self.walk(torch.rand(shape, generator=generator, dtype=torch.float64))

    def _valid(self, rows: list[list[int]]) -> list[Architecture]:
        found = [Architecture.of(self.space.name, row) for row in rows]
        return [one for one in found if self.space.is_valid(one)]

    def likeliest(self, count: int) -> list[Architecture]:
        """Return up to `count` different networks of high probability, best first.

        By beam search: exact where the beam holds all sequences, or choices are independent.
        Where a constraint leaves too few of the beam, draws are ranked along with it.
        """
        found: dict[str, Architecture] = {}
        for factor in BEAMS:
            found = self._networks(self._valid(self._beam(factor * count)))
            if len(found) >= count:
                return list(found.values())[:count]
        drawn = self._valid(self._usual_draws()[0].tolist())
        rest = list(self._networks([*found.values(), *drawn]).values())
        if not rest:
            return []
        with torch.no_grad():
            logs = self.log_probs(rest)[0]
        order = logs.sort(descending=True, stable=True).indices.tolist()
        return [rest[i] for i in order[:count]]

    def _networks(self, architectures: Sequence[Architecture]) -> dict[str, Architecture]:
        """Return the first architecture of every canonical form."""
        found: dict[str, Architecture] = {}
        for one in architectures:
            found.setdefault(self.space.canonical(one), one)
        return found

    @torch.no_grad()
    def _beam(self, width: int) -> list[list[int]]:
        """Return up to `width` index tuples, the likeliest first."""
        state, before = self.start(1), None
        scores = torch.zeros(1, 1, dtype=torch.float64, device=self.device)
        rows = torch.zeros(1, 0, dtype=torch.int64, device=self.device)
        for position in range(self.length):
            logits, state = self.advance(position, before, state)
            each = scores + torch.log_softmax(logits.double(), 1)
            scores, order = each.flatten().sort(descending=True, stable=True)
            order = order[:width]
            scores = scores[:width, None]
            parents, before = order // each.shape[1], order % each.shape[1]
            rows = torch.cat([rows[parents], before[:, None]], 1)
            state = [one[parents] for one in state]
        return rows.tolist()


def shares(space: Space, architectures: Sequence[Architecture]) -> list[Tensor]:
    """Return per choice of `Space.mixture` the share of architectures that take each option.

    Uniform where there are no architectures.
    """
    found = [torch.zeros(len(choice.options), dtype=torch.float64) for choice in space.mixture]
    for architecture in architectures:
        for counts, option in zip(found, space.mixture_of(architecture), strict=True):
            counts[option] += 1 / len(architectures)
    return found if architectures else [one + 1 / len(one) for one in found]
