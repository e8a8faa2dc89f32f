"""The registry of Python source writers, one a space."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from engine.core.architecture import Architecture
from engine.core.registry import Registry
from engine.core.space import Cost, Space
from engine.spaces import get_space
from engine.spec.errors import ExportError
from engine.spec.network import NetworkSpec


class Source(Protocol):
    """Writes the network of an architecture as Python that a person could have written.

    `tests/unit/export` holds every registered source against the stand-alone network of its
    space: equal logits, equal gradients, equal moving averages, equal sizes.
    """

    def body(self, architecture: Architecture, network: NetworkSpec) -> str:
        """Return the class definitions, the last one `Network(nn.Module)` without arguments.

        `torch`, `nn`, `F` (`torch.nn.functional`) and `Tensor` are imported by the header.
        """
        ...

    def uses_functional(self, architecture: Architecture) -> bool:
        """Tell whether the body uses `F`."""
        ...

    def cost(self, architecture: Architecture, network: NetworkSpec) -> Cost:
        """Count what the body builds: live operations only."""
        ...

    def renaming(
        self, architecture: Architecture, trained_as: Architecture | None = None
    ) -> Callable[[str], str]:
        """Return the map from names of our stand-alone network's state to `Network`'s.

        Args:
            architecture: whose `Network`.
            trained_as: an identical network (equal canonical form) whose state it is, written
                with other indices; None: the architecture itself.

        Raises:
            ExportError: the two are not identical networks.
        """
        ...


@runtime_checkable
class Translates(Protocol):
    """A source whose identical networks can differ by the order of channels, not names alone."""

    def translated(
        self,
        state: dict[str, np.ndarray],
        architecture: Architecture,
        trained_as: Architecture,
        network: NetworkSpec,
    ) -> dict[str, np.ndarray]:
        """Bring the state of `trained_as`, under our names, into the order of `architecture`.

        Raises:
            ExportError: the two are not identical networks.
        """
        ...


@runtime_checkable
class Selects(Protocol):
    """A source that cannot move weights between all architectures of equal canonical form."""

    def fits(
        self, architecture: Architecture, trained_as: Architecture, network: NetworkSpec
    ) -> bool:
        """Tell whether the state of `trained_as` can be brought into the order of `architecture`.

        Raises:
            ExportError: the two are not identical networks.
        """
        ...


SOURCES: Registry[Callable[[Space], Source]] = Registry(
    "Python source of the search space", "space"
)


def get_source(space: Space | str) -> Source:
    """Return the writer of a space; a name stands for its default settings.

    Raises:
        ExportError: there is none.
    """
    name = space if isinstance(space, str) else space.name
    if name not in SOURCES:
        raise ExportError(
            f"Architectures of the space `{name}` cannot be written as Python; possible are "
            f"those of {', '.join(SOURCES.names())}. Export `json` instead."
        )
    return SOURCES[name](get_space(space) if isinstance(space, str) else space)
