"""One architecture in a super-net: as a hard path, or as weights on all options."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.networks.route import Route
from engine.networks.supernet import SuperNet

Encode = Callable[[Architecture], Route]


class SoftOneHot:
    """The soft one-hot encoding of continuous super-nets (000 §7.4.5, Figure 7.7 b).

    Every choice has uniform weights 1/n, plus D on the option that the architecture takes and
    minus D/(n-1) on the others, so that they sum to one.

    Args:
        space: the search space; its `mixture` has the choices.
        surplus: D.
        device: where the super-net is.
    """

    def __init__(self, space: Space, surplus: float, device: torch.device) -> None:
        self.space = space
        self.active = tuple(tuple(range(len(choice.options))) for choice in space.mixture)
        self.tables = {
            count: self._table(count, surplus).to(device) for count in set(map(len, self.active))
        }

    @staticmethod
    def _table(count: int, surplus: float) -> Tensor:
        """Return the weights for every chosen option, (count, count)."""
        chosen = torch.eye(count)
        others = surplus / max(count - 1, 1)
        return 1 / count + surplus * chosen - others * (1 - chosen)

    def __call__(self, architecture: Architecture) -> Route:
        """Return the route of an architecture."""
        taken = self.space.mixture_of(architecture)
        pairs = zip(self.active, taken, strict=True)
        return Route(self.active, tuple(self.tables[len(all_)][one] for all_, one in pairs))


def forward_each(net: SuperNet, images: Tensor, routes: Sequence[Route]) -> Tensor:
    """Return logits (R, B, classes) of the same images along any routes.

    Hard routes run in one pass; routes with weights have nothing in common and run one by one.
    """
    if any(route.weighted for route in routes):
        return torch.stack([net(images, route) for route in routes])
    return net.forward_many(images, routes)
