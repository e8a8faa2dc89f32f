"""The only currency between parts: which option was taken at every choice of a space."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from engine.spec.errors import ArchitectureError


@dataclass(frozen=True, order=True)
class Architecture:
    """One point of a search space.

    Attributes:
        space: registered name of the space.
        indices: option index per choice, in the order of `Space.choices`.
    """

    space: str
    indices: tuple[int, ...]

    @classmethod
    def of(cls, space: str, indices: Iterable[int]) -> Architecture:
        """Build from any iterable of integers (numpy integers too)."""
        return cls(space, tuple(int(index) for index in indices))

    def to_json(self) -> dict[str, Any]:
        """Return `{"space": ..., "indices": [...]}`, the form used in files and messages."""
        return {"space": self.space, "indices": list(self.indices)}

    @classmethod
    def from_json(cls, value: Any) -> Architecture:
        """Read what `to_json` wrote.

        Raises:
            ArchitectureError: the value is not of that form.
        """
        try:
            space, indices = value["space"], value["indices"]
        except (TypeError, KeyError, IndexError):
            raise ArchitectureError(
                "An architecture is an object with the keys `space` and `indices`; "
                f"given was {value!r:.80}."
            ) from None
        whole = isinstance(indices, list) and all(type(index) is int for index in indices)
        if not isinstance(space, str) or not whole:
            raise ArchitectureError(
                "In an architecture, `space` is a text and `indices` a list of whole numbers; "
                f"given was {value!r:.80}."
            )
        return cls(space, tuple(indices))

    def __str__(self) -> str:
        return f"{self.space}:{'.'.join(map(str, self.indices))}"
