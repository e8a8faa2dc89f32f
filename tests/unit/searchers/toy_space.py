"""A space of 42 tuples and 25 networks, small enough to be used up."""

from __future__ import annotations

from engine.core.architecture import Architecture
from engine.core.choice import Choice
from engine.core.space import CellGraph, Cost, Space
from engine.spec.errors import ArchitectureError
from engine.spec.network import NetworkSpec


class ToySpace(Space):
    """Two alike choices of four, whose order makes no network; another of three; one left out."""

    name = "toy"
    title = "Toy"
    source = "none"
    help = "For tests."
    provides = frozenset()
    choices = (
        Choice("first", "op", ("a", "b", "c", "d")),
        Choice("second", "op", ("a", "b", "c", "d")),
        Choice("third", "width", ("1", "2", "3")),
    )

    def constraint(self, architecture: Architecture) -> str | None:
        """Refuse the two first and the last option together, and d, d."""
        first, second, third = architecture.indices
        if third == 2 and first + second < 2 or first == second == 3:
            return "This combination is left out."
        return None

    def to_text(self, architecture: Architecture) -> str:
        return ".".join(map(str, self.check(architecture).indices))

    def parse(self, text: str) -> Architecture:
        try:
            return self.check(Architecture.of(self.name, map(int, text.split("."))))
        except ValueError:
            raise ArchitectureError(f"`{text}` is no toy.") from None

    def canonical(self, architecture: Architecture) -> str:
        first, second, third = self.check(architecture).indices
        return f"{min(first, second)}.{max(first, second)}.{third}"

    def cost(self, architecture: Architecture, network: NetworkSpec) -> Cost:
        return Cost(1 + sum(self.check(architecture).indices), 1)

    def graphs(self, architecture: Architecture) -> dict[str, CellGraph]:
        return {}


TOY = ToySpace()
TUPLES = list(TOY.enumerate())
NETWORKS = {TOY.canonical(one) for one in TUPLES}
