"""Independent logits for every choice: the architecture parameters alpha of DARTS and others."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from pydantic import BaseModel
from torch import Tensor, nn

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.learners.registry import LEARNED

# DARTS starts from 1e-3 times a normal draw, so that all options count almost the same.
INITIAL_SCALE = 1e-3


class Logits(nn.Module):
    """One logit per option of every choice of `Space.mixture`.

    Args:
        space: the search space.
        generator: source of the initial values.
        gates: options of a choice do not compete: a sigmoid each instead of a softmax.
        edge_weights: learn, too, how much each edge into a node counts (PC-DARTS, eq. 5).
    """

    def __init__(
        self,
        space: Space,
        generator: torch.Generator,
        gates: bool = False,
        edge_weights: bool = False,
    ) -> None:
        super().__init__()
        self.space = space
        self.gates = gates
        self.alphas = nn.ParameterList(
            [_initial(len(choice.options), generator) for choice in space.mixture]
        )
        self.betas = _initial(len(space.mixture), generator) if edge_weights else None

    def probabilities(self) -> list[Tensor]:
        """Return softmax or sigmoid of every choice's logits, (options,) each.

        With `edge_weights`, each is multiplied by the softmax over the edges into its node.
        """
        if self.gates:
            found = [torch.sigmoid(alpha) for alpha in self.alphas]
        else:
            found = [torch.softmax(alpha, 0) for alpha in self.alphas]
        shares = self.edge_weights()
        if shares is None:
            return found
        return [one * share for one, share in zip(found, shares, strict=True)]

    def edge_weights(self) -> list[Tensor] | None:
        """Return the softmax over the edges into each node, shape () per edge, if it is learned.

        PC-DARTS multiplies all that an edge carries by it (eq. 5), channels that pass its
        operations by included.
        """
        if self.betas is None:
            return None
        groups = self.space.mixture_groups
        shares: list[Tensor] = [self.betas[:0]] * len(groups)
        for group in sorted(set(groups)):
            members = [i for i, one in enumerate(groups) if one == group]
            for member, share in zip(members, torch.softmax(self.betas[members], 0), strict=True):
                shares[member] = share
        return shares

    def draw(self, rng: np.random.Generator) -> Architecture:
        """Draw every choice from its softmax; where a space mixes more choice points than its
        architectures have, these are derived from the drawn ones.
        """
        weights = []
        for alpha in self.alphas:
            chances = torch.softmax(alpha.detach().double(), 0).cpu().numpy()
            drawn = rng.choice(len(chances), p=chances / chances.sum())
            # The small part breaks ties between edges at random, where a space keeps some only.
            count = 1.0 + 1e-3 * rng.random()
            weights.append([count if o == drawn else 0.0 for o in range(len(chances))])
        return self.space.from_mixture(weights)


def _initial(count: int, generator: torch.Generator) -> nn.Parameter:
    return nn.Parameter(INITIAL_SCALE * torch.randn(count, generator=generator))


def _make(
    space: Space,
    settings: BaseModel,
    generator: torch.Generator,
    gates: bool = False,
    edge_weights: bool = False,
) -> nn.Module:
    return Logits(space, generator, gates, edge_weights)


LEARNED.register("logits", _make)
LEARNED.register("gates", partial(_make, gates=True))
LEARNED.register("edge_logits", partial(_make, edge_weights=True))
