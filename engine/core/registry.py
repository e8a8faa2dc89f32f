"""Named parts. A name used twice is an error; an unknown name lists the known ones."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Generic, TypeVar

from engine.spec.errors import SpecError

T = TypeVar("T")


class Registry(Generic[T]):
    """A mapping from registered name to part that refuses duplicates.

    Args:
        noun: what is registered, in the singular, for messages ("search space").
        field: the field of an experiment file that names such a part.
    """

    def __init__(self, noun: str, field: str) -> None:
        self.noun = noun
        self.field = field
        self._parts: dict[str, T] = {}

    def register(self, name: str, part: T) -> T:
        """Add a part and return it.

        Raises:
            ValueError: the name is taken.
        """
        if name in self._parts:
            raise ValueError(f"the {self.noun} {name!r} is registered twice")
        self._parts[name] = part
        return part

    def __getitem__(self, name: str) -> T:
        """Return the part.

        Raises:
            SpecError: no such name; the message lists what there is.
        """
        try:
            return self._parts[name]
        except KeyError:
            near = difflib.get_close_matches(name, self._parts, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise SpecError(
                self.field,
                f"there is no {self.noun} `{name}`; known are {', '.join(self.names())}.{hint}",
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._parts

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def names(self) -> list[str]:
        """Return the registered names in alphabetical order."""
        return sorted(self._parts)

    def values(self) -> Iterator[T]:
        """Iterate over the parts in the order of their names."""
        return (part for _, part in self.items())

    def items(self) -> Iterator[tuple[str, T]]:
        """Iterate over (name, part) in alphabetical order."""
        return iter(sorted(self._parts.items(), key=lambda item: item[0]))
