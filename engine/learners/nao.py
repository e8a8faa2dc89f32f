"""NAO: rounds of scoring a pool, learning from it, and gradient ascent (000 §5.2.2)."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor

from engine.core.architecture import Architecture
from engine.learners.nao_model import NaoModel
from engine.learners.registry import LEARNERS, Learner, LearnerContext
from engine.learners.tokens import sequences

GRADIENT_CLIP = 5.0


class NaoLearner(Learner):
    """A round every `round_epochs` epochs and after the last (Luo et al. 2018, Algorithm 1).

    The pool is scored with the super-net, the model learns scores and reconstruction, and the
    best of the pool are moved in latent space until they decode to new networks, which take the
    place of the worst. The new ones are scored at once, so that the pool's order is complete.

    Args:
        context: `learned` is a `NaoModel`, the settings are a `NaoSettings`.
    """

    optimiser: torch.optim.Adam

    def __init__(self, context: LearnerContext) -> None:
        super().__init__(context)
        self.model = cast(NaoModel, context.learned)
        settings = context.settings
        self.optimiser = torch.optim.Adam(
            self.model.parameters(),
            lr=settings.coder_learning_rate,
            weight_decay=settings.coder_weight_decay,
        )
        self.reconstructed: float | None = None

    def end_epoch(self, epoch: int) -> None:
        """Do a round if it is time."""
        if epoch % self.context.settings.round_epochs == 0 or epoch == self.context.epochs:
            self._rate(self.model.pool.members)
            self.learn()
            self.renew()

    def _rate(self, architectures: list[Architecture]) -> None:
        self.model.pool.rate(architectures, self.context.score(architectures))

    def learn(self) -> None:
        """Fit the model to the scored pool: trade_off * MSE + (1 - trade_off) * cross-entropy."""
        settings, members = self.context.settings, self.model.pool.members
        tokens = sequences(members, self.context.device)
        targets = self.targets(members).to(self.context.device)
        for _ in range(settings.coder_epochs):
            order = torch.from_numpy(self.context.rng.permutation(len(members)))
            for batch in order.to(tokens.device).split(settings.coder_batch):
                error, surprise = self.model.losses(tokens[batch], targets[batch])
                loss = settings.trade_off * error + (1 - settings.trade_off) * surprise
                self.optimiser.zero_grad(set_to_none=True)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.model.parameters(), GRADIENT_CLIP)
                self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        with torch.no_grad():
            same = self.model.decoded(self.model.encoder(tokens)) == tokens
        self.reconstructed = float(same.all(1).double().mean())

    def targets(self, members: list[Architecture]) -> Tensor:
        """Return the scores scaled to 0 (the worst) ... 1 (the best), (N,); 0.5 if equal."""
        scores = torch.tensor([self.model.pool.scores[one] for one in members])
        low, high = scores.min(), scores.max()
        return (scores - low) / (high - low) if high > low else torch.full_like(scores, 0.5)

    def renew(self) -> None:
        """Let new networks take the place of the worst ones."""
        pool, settings = self.model.pool, self.context.settings
        best = pool.ranked()
        new = self.ascend(best[: settings.seeds], settings.new)
        new += pool.add_random(settings.new_random, self.context.rng)
        pool.drop(best[len(best) - len(new) :])
        if new:
            self._rate(new)

    def ascend(self, seeds: list[Architecture], wanted: int) -> list[Architecture]:
        """Add to the pool what the seeds decode to along their gradient, with growing steps.

        Sequences that a constraint forbids are dropped.

        Args:
            seeds: where ascents start, the best first.
            wanted: when to stop; the largest step is `step_limit` times the first.
        """
        settings, pool, new = self.context.settings, self.model.pool, list[Architecture]()
        with torch.no_grad():
            states = self.model.encoder(sequences(seeds, self.context.device))
        for factor in range(1, settings.step_limit + 1):
            moved = self.model.ascended(states, factor * settings.step_size)
            for row in self.model.decoded(moved).tolist():
                one = Architecture.of(pool.space.name, row)
                if len(new) < wanted and pool.space.is_valid(one) and pool.add(one):
                    new.append(one)
            if len(new) == wanted:
                break
        return new

    def proposals(self, count: int) -> list[Architecture]:
        """Return the best of the pool by super-net accuracy."""
        return self.model.pool.ranked()[:count]

    def report(self) -> dict[str, Any]:
        """Return, too, best and mean score of the pool, and the share it decodes exactly."""
        scores = [one for one in self.model.pool.scores.values() if one is not None]
        return super().report() | {
            "pool_best": max(scores) if scores else None,
            "pool_mean": sum(scores) / len(scores) if scores else None,
            "reconstructed": self.reconstructed,
        }

    def state(self) -> dict[str, Any]:
        """Return the pool, and what is reported."""
        return {"pool": self.model.pool.state(), "reconstructed": self.reconstructed}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from `state`."""
        self.model.pool.load_state(state["pool"])
        self.reconstructed = state["reconstructed"]


LEARNERS.register("nao", NaoLearner)
