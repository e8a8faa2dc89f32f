"""The text of a DARTS genotype, read by a parser of its own; nothing is ever evaluated.

    Genotype(normal=[('sep_conv_3x3', 1), ...], normal_concat=range(2, 6),
             reduce=[...], reduce_concat=range(2, 6))

Strings may stand in single or double quotes, sequences in brackets or parentheses; `range(a, b)`
is a sequence of numbers. Blanks and line ends may stand between all parts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from engine.spec.errors import ArchitectureError

FIELDS = ("normal", "normal_concat", "reduce", "reduce_concat")
LONGEST = 10_000
_TOKEN = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_]\w{0,40})|(?P<number>[0-9]{1,3})(?!\w)"
    r"|'(?P<single>[^'\\\n]{0,60})'|\"(?P<double>[^\"\\\n]{0,60})\"|(?P<mark>[()\[\],=]))",
    re.ASCII,
)
_CLOSING = {"(": ")", "[": "]"}

Edge = tuple[str, int]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Genotype:
    """What the text says, not yet checked against a space.

    Attributes:
        normal: (operation, source node) per edge of the normal cell, node after node.
        normal_concat: nodes whose values leave the cell.
        reduce: the same for the reduction cell.
        reduce_concat: its output nodes.
    """

    normal: tuple[Edge, ...]
    normal_concat: tuple[int, ...]
    reduce: tuple[Edge, ...]
    reduce_concat: tuple[int, ...]

    def __str__(self) -> str:
        """Write it as DARTS prints it (consecutive output nodes as a range)."""
        parts = []
        for cell in ("normal", "reduce"):
            edges = ", ".join(f"('{name}', {source})" for name, source in getattr(self, cell))
            nodes = list(getattr(self, f"{cell}_concat"))
            first, last = (nodes[0], nodes[-1] + 1) if nodes else (0, 0)
            whole = nodes == list(range(first, last))
            concat = f"range({first}, {last})" if whole else str(nodes)
            parts.append(f"{cell}=[{edges}], {cell}_concat={concat}")
        return f"Genotype({', '.join(parts)})"


def read_genotype(text: str) -> Genotype:
    """Read the text of a genotype.

    Raises:
        ArchitectureError: it is none; the message says where reading stopped.
    """
    if len(text) > LONGEST:
        raise ArchitectureError(
            f"A genotype has at most {LONGEST:,} characters; given were {len(text):,}."
        )
    return _Reader(text).genotype()


class _Reader:
    """Reads token after token; every method consumes what it returns."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0

    def genotype(self) -> Genotype:
        self._expect("Genotype", "(")
        found: dict[str, tuple[Edge, ...] | tuple[int, ...]] = {}
        while not self._try(")"):
            name = self._field(found)
            self._expect("=")
            found[name] = self._nodes() if name.endswith("_concat") else self._edges()
            if not self._try(","):
                self._expect(")")
                break
        if self.text[self.place :].strip():
            raise self._fault("the end")
        missing = [name for name in FIELDS if name not in found]
        if missing:
            raise ArchitectureError(f"The genotype lacks `{missing[0]}`: `{self.text:.200}`.")
        return Genotype(**found)  # type: ignore[arg-type]

    def _field(self, found: dict[str, object]) -> str:
        kind, name = self._next()
        if kind != "name" or name not in FIELDS:
            raise ArchitectureError(
                f"A genotype has the fields {', '.join(FIELDS)}; given was `{name:.40}`."
            )
        if name in found:
            raise ArchitectureError(f"The genotype gives `{name}` twice.")
        return name

    def _edges(self) -> tuple[Edge, ...]:
        return tuple(self._sequence(self._edge))

    def _edge(self) -> Edge:
        self._expect("(")
        kind, name = self._next()
        if kind not in ("single", "double"):
            raise self._fault("the name of an operation in quotes", name)
        self._expect(",")
        source = self._number()
        self._expect(")")
        return name, source

    def _nodes(self) -> tuple[int, ...]:
        if not self._try("range"):
            return tuple(self._sequence(self._number))
        self._expect("(")
        first = self._number()
        self._expect(",")
        last = self._number()
        self._expect(")")
        return tuple(range(first, last))

    def _sequence(self, item: Callable[[], Item]) -> list[Item]:
        """Read items between brackets or parentheses; a last comma is allowed."""
        _, mark = self._next()
        if mark not in _CLOSING:
            raise self._fault("`[`", mark)
        items = []
        while not self._try(_CLOSING[mark]):
            items.append(item())
            if not self._try(","):
                self._expect(_CLOSING[mark])
                break
        return items

    def _number(self) -> int:
        kind, text = self._next()
        if kind != "number":
            raise self._fault("a node's number", text)
        return int(text)

    def _next(self) -> tuple[str, str]:
        match = _TOKEN.match(self.text, self.place)
        if match is None:
            raise self._fault("a name, a number, a quoted text or one of ( ) [ ] , =")
        self.place = match.end()
        kind = str(match.lastgroup)
        return kind, match[kind]

    def _try(self, wanted: str) -> bool:
        match = _TOKEN.match(self.text, self.place)
        found = match is not None and wanted in (match["name"], match["mark"])
        if match is not None and found:
            self.place = match.end()
        return found

    def _expect(self, *wanted: str) -> None:
        for part in wanted:
            if not self._try(part):
                raise self._fault(f"`{part}`")

    def _fault(self, wanted: str, given: str | None = None) -> ArchitectureError:
        rest = self.text[self.place :].strip() if given is None else given
        shown = f"`{rest:.40}`" if rest else "the end of the text"
        return ArchitectureError(
            f"A genotype looks like `Genotype(normal=[('skip_connect', 0), ...], "
            f"normal_concat=range(2, 6), reduce=[...], reduce_concat=range(2, 6))`; "
            f"expected was {wanted}, given was {shown}."
        )
