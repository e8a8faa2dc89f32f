"""Expected parameters or FLOPs as a differentiable function of what every option counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from engine.core.architecture import Architecture
from engine.core.space import Cost, Space
from engine.spec.errors import SpecError

# Surroundings in which the options of a choice are compared.
CONTEXTS = 16
# Draws of surroundings, of which some may not allow every option of a choice.
ATTEMPTS = 50 * CONTEXTS


class ExpectedCost:
    """A price per option, added up over the choices of `Space.mixture`.

    `Space.cost` counts whole networks and has no gradient. The price of an option is what it
    costs more than the cheapest option of its choice, the rest of the network being the same:
    the mean of these differences over random surroundings. That is exact where the options of
    different choices do not influence each other's costs (`nb201`); elsewhere it is the best sum
    of prices over uniformly drawn architectures. Where an architecture has fewer choices than
    the mixture (`darts` keeps 16 of 28 edges), the sum is that of all of them, since the
    mixture runs them all.

    Args:
        space: the search space.
        cost: of one architecture in the run's skeleton.
        unit: `params` or `flops`.
        device: where the prices go.

    Raises:
        SpecError: the options of a choice are never all allowed in the same surroundings.
    """

    def __init__(
        self,
        space: Space,
        cost: Callable[[Architecture], Cost],
        unit: str,
        device: torch.device,
    ) -> None:
        self.space = space
        self._cost = cost
        self._unit = unit
        rng = np.random.default_rng(0)  # the same table in every run
        found = [self._prices(choice, rng) for choice in range(len(space.mixture))]
        cheapest = space.from_mixture([(one == 0).astype(float).tolist() for one in found])
        self.base = self._count(cheapest)
        self.prices = [torch.from_numpy(one).to(device) for one in found]

    def __call__(self, weights: Sequence[Tensor]) -> Tensor:
        """Return the expected cost in parameters or multiply-adds, a float64 scalar.

        Args:
            weights: per choice of the mixture, (options,), adding up to 1.
        """
        pairs = zip(weights, self.prices, strict=True)
        return self.base + torch.stack([(w.double() * p).sum() for w, p in pairs]).sum()

    def _count(self, architecture: Architecture) -> float:
        return float(getattr(self._cost(architecture), self._unit))

    def _prices(self, choice: int, rng: np.random.Generator) -> np.ndarray:
        """Return what each option of a choice costs more than the cheapest, (options,)."""
        total, seen = np.zeros(len(self.space.mixture[choice].options)), 0
        for _ in range(ATTEMPTS):
            tried = self._variants(choice, rng)
            if all(self.space.is_valid(one) for one in tried):
                total += [self._count(one) for one in tried]
                seen += 1
            if seen == CONTEXTS:
                return (total - total.min()) / seen
        raise SpecError(
            "settings.cost",
            f"in `{self.space.name}` the options of `{self.space.mixture[choice].name}` cannot "
            "be compared by themselves; use `none`.",
        )

    def _variants(self, choice: int, rng: np.random.Generator) -> list[Architecture]:
        """Return one architecture per option of a choice, in the same random surroundings.

        Of the other edges into its node only one counts. Otherwise a space that keeps the
        strongest edges would put another one in the place of an option that does nothing.
        """
        space, group = self.space, self.space.mixture_groups
        around = [rng.random(len(one.options)).tolist() for one in space.mixture]
        others = [i for i, one in enumerate(group) if one == group[choice] and i != choice]
        kept = rng.choice(others) if others else choice
        for other in others:
            if other != kept:
                around[other] = [0.0] * len(around[other])
        found = []
        for option in range(len(around[choice])):
            # Stronger than everything else, so that this choice is never left out.
            around[choice] = [2.0 * (one == option) for one in range(len(around[choice]))]
            found.append(space.from_mixture(around))
        return found
