"""Which options of every choice a forward pass uses, and with which weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.architecture import Architecture

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Route:
    """The active options of every choice point.

    A hard path has one active option per choice; DARTS has all of them with weights; GDAS one
    with a straight-through weight; ProxylessNAS two; path dropout a random subset.

    Attributes:
        active: per choice, the active option indices in ascending order.
        weights: per choice, a tensor of shape (number of active options,), or None for plain
            sums; None as a whole where no choice has weights.
        passing: per choice, the factor (shape ()) of the channels that pass by its operations
            where a super-net has partial channels; None: 1.
    """

    active: tuple[tuple[int, ...], ...]
    weights: tuple[Tensor | None, ...] | None = None
    passing: tuple[Tensor, ...] | None = None

    @classmethod
    def of(cls, architecture: Architecture) -> Route:
        """Return the hard path of an architecture."""
        return cls(tuple((index,) for index in architecture.indices))

    @classmethod
    def many(cls, architectures: Sequence[Architecture]) -> list[Route]:
        """Return the hard path of each architecture."""
        return [cls.of(architecture) for architecture in architectures]

    @property
    def weighted(self) -> bool:
        """Whether it is more than a plain sum of its active options."""
        return self.weights is not None or self.passing is not None

    def weight(self, choice: int, position: int) -> Tensor | None:
        """Return the weight of the option at `position` within `active[choice]`, or None."""
        if self.weights is None or self.weights[choice] is None:
            return None
        return self.weights[choice][position]  # type: ignore[index]
