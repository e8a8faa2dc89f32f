"""The super-net: all architectures of a space in one set of weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn

from engine.networks.dag_cell import DagCell
from engine.networks.drop_path import DropPath
from engine.networks.norm import NormPolicy
from engine.networks.route import Route
from engine.networks.stack import Stack


class Trunk(Protocol):
    """The searched part between stem and head."""

    def __call__(self, x: Tensor, route: Route) -> Tensor:
        """Compute one route's features."""
        ...

    def forward_many(self, stack: Stack, routes: Sequence[Route]) -> Stack:
        """Compute many hard routes' features."""
        ...


class SuperNet(nn.Module):
    """Stem, trunk and head. It knows no algorithm and holds no architecture parameters.

    A stand-alone network is the same class with a single architecture's operations built.

    Args:
        stem: (B, C_in, H, W) to (B, C, H, W).
        trunk: the searched part, see `Trunk`.
        head: (groups*B, C', H', W') to (groups*B, classes), called as head(x, groups).
        policy: the normalisation policy that all parts share.

    Attributes:
        drop_path: of networks that offer drop-path: shared by all cells; None elsewhere.
        auxiliary: a second classifier within the trunk, or None; part of training only.
    """

    drop_path: DropPath | None
    auxiliary: nn.Module | None

    def __init__(
        self, stem: nn.Module, trunk: nn.Module, head: nn.Module, policy: NormPolicy
    ) -> None:
        super().__init__()
        self.stem = stem
        self.trunk = trunk
        self.head = head
        self.policy = policy
        # Not class attributes: these would hide a sub-module of the same name.
        self.drop_path = None
        self.auxiliary = None

    def forward(self, x: Tensor, route: Route) -> Tensor:
        """Return logits (B, classes) of images (B, C_in, H, W) along one route."""
        return self.head(self.trunk(self.stem(x), route), 1)

    def forward_with_auxiliary(self, x: Tensor, route: Route) -> tuple[Tensor, Tensor]:
        """Return (logits, logits of the auxiliary classifier), (B, classes) each.

        Raises:
            ValueError: the network was built without one.
        """
        raise ValueError("this network was built without an auxiliary head")

    def discard_auxiliary(self, route: Route) -> None:
        """Remove what only the auxiliary classifier of a stand-alone network needs.

        Args:
            route: the hard path of its architecture.
        """
        self.auxiliary = None

    def forward_many(self, x: Tensor, routes: Sequence[Route]) -> Tensor:
        """Return logits (R, B, classes) of the same images along R hard routes.

        Equal to one call of `forward` per route, batch statistics included. That is what happens
        where dropout acts, as each route then has masks of its own.

        Raises:
            ValueError: a route has weights, which would be left out of the sums.
        """
        if any(route.weighted for route in routes):
            raise ValueError("many routes at once are sums without weights; use `forward`")
        if len(routes) == 1 or self.policy.draws:
            return torch.stack([self(x, route) for route in routes])
        stack = Stack.shared(self.stem(x), len(routes))
        stack = self.trunk.forward_many(stack, routes)
        return stack.with_values(self.head(stack.values, stack.blocks)).unstack()

    def recompute(self, wanted: bool) -> None:
        """Compute deep operations anew in backward passes, to keep less (see `DagCell`)."""
        for module in self.modules():
            if isinstance(module, DagCell):
                module.recompute = wanted

    @contextmanager
    def probing(self) -> Iterator[None]:
        """Evaluate without gradients and without touching any buffer."""
        with torch.no_grad(), self.policy.moving(self.policy.keeps_buffers):
            yield
