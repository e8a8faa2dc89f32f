"""A single decision of a search space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["op", "input", "width", "depth", "kernel", "hyperparameter"]


@dataclass(frozen=True)
class Choice:
    """A named decision between a fixed list of options.

    Attributes:
        name: unique within the space, such as `0->1` for an edge.
        kind: what is decided.
        options: names of the options, in the order that indices refer to.
        parent: `(choice name, option)` under which this choice exists; None: always.
    """

    name: str
    kind: Kind
    options: tuple[str, ...]
    parent: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        if not self.options:
            raise ValueError(f"choice {self.name!r} has no options")
        if len(set(self.options)) != len(self.options):
            raise ValueError(f"choice {self.name!r} names an option twice: {self.options}")
