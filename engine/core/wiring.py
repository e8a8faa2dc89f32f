"""The canonical form of a small graph of operations whose results are added up.

A *value* is a sum: the sorted tuple of its atoms. An atom is an operation on a value (numbered 0
and up) or an input (negative). Skip connections are no atoms: they hand values on.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Value = tuple[int, ...]
# Per atom, then per output: a number that is equal for what has not been told apart yet.
_Colours = tuple[int, ...]


@dataclass(frozen=True)
class CanonicalForm:
    """A graph written independently of the order of its nodes.

    Attributes:
        text: equal exactly for graphs that differ by names of atoms and order of outputs only.
        atoms: atoms in canonical order; equal places of equal texts play the same part.
        outputs: positions of the given outputs, in canonical order.
    """

    text: str
    atoms: tuple[int, ...]
    outputs: tuple[int, ...]


def canonical_form(
    labels: Mapping[int, str], sources: Mapping[int, Value], outputs: Sequence[Value]
) -> CanonicalForm:
    """Return the smallest text over the orders in which atoms cannot be told apart.

    Atoms are told apart by what they are, what they read and who reads them, again and again
    (colour refinement). Where some stay alike, each of them is put first in turn; one of which
    the first order found gives a known text is an image of another under a symmetry of the
    graph and is not looked at further (McKay, "Practical graph isomorphism", 1981, §2).

    Args:
        labels: per atom, its operation; without `;`, `|`, `(` and `)`.
        sources: per atom, the value it is applied to; earlier atoms and inputs only.
        outputs: the values that leave the graph. Their order does not matter, equal ones count
            as often as they stand there; all atoms lead to one of them.
    """
    return _Search(labels, sources, outputs).smallest()


class _Search:
    """The graph with its atoms numbered from 0, and the search for the smallest text."""

    def __init__(
        self, labels: Mapping[int, str], sources: Mapping[int, Value], outputs: Sequence[Value]
    ) -> None:
        self.labels, self.sources, self.outputs = labels, sources, outputs
        self.atoms = sorted(labels)
        place = {atom: number for number, atom in enumerate(self.atoms)}
        # Inputs stay negative numbers. Outputs are vertices behind the atoms.
        values = [*(sources[atom] for atom in self.atoms), *outputs]
        self.reads = [[place.get(atom, atom) for atom in value] for value in values]
        self.readers: list[list[int]] = [[] for _ in values]
        for vertex, read in enumerate(self.reads):
            for atom in read:
                if atom >= 0:
                    self.readers[atom].append(vertex)

    def smallest(self) -> CanonicalForm:
        names = [*(f"{self.labels[atom]}" for atom in self.atoms), *("" for _ in self.outputs)]
        kinds = [(vertex >= len(self.atoms), name) for vertex, name in enumerate(names)]
        return min(self._forms(self._refined(_ranked(kinds))), key=lambda form: form.text)

    def _refined(self, colours: _Colours) -> _Colours:
        while True:
            signs = [
                (
                    colours[vertex],
                    sorted(a if a < 0 else colours[a] for a in self.reads[vertex]),
                    sorted(colours[reader] for reader in self.readers[vertex]),
                )
                for vertex in range(len(colours))
            ]
            finer = _ranked([(c, tuple(r), tuple(u)) for c, r, u in signs])
            if len(set(finer)) == len(set(colours)):
                return finer
            colours = finer

    def _forms(self, colours: _Colours) -> Iterator[CanonicalForm]:
        """Yield the forms of all orders that agree with the colours, symmetric ones once."""
        alike = self._alike(colours)
        if not alike:
            yield self._written(colours)
            return
        known: set[str] = set()
        for atom in alike:
            finer = self._with_first(colours, atom)
            if self._first(finer).text in known:
                continue
            for form in self._forms(finer):
                known.add(form.text)
                yield form

    def _first(self, colours: _Colours) -> CanonicalForm:
        alike = self._alike(colours)
        while alike:
            colours = self._with_first(colours, alike[0])
            alike = self._alike(colours)
        return self._written(colours)

    def _alike(self, colours: _Colours) -> list[int]:
        """Return the first group of atoms that share a colour; empty where none do."""
        groups: dict[int, list[int]] = {}
        for atom in range(len(self.atoms)):
            groups.setdefault(colours[atom], []).append(atom)
        return next((groups[c] for c in sorted(groups) if len(groups[c]) > 1), [])

    def _with_first(self, colours: _Colours, atom: int) -> _Colours:
        """Put one atom before those it is alike to."""
        return self._refined(_ranked([(c, v != atom) for v, c in enumerate(colours)]))

    def _written(self, colours: _Colours) -> CanonicalForm:
        order = sorted(range(len(self.atoms)), key=colours.__getitem__)
        return _named([self.atoms[v] for v in order], self.labels, self.sources, self.outputs)


def _ranked(keys: Sequence[Any]) -> _Colours:
    """Number the different keys in their order."""
    places: dict[Hashable, int] = {key: place for place, key in enumerate(sorted(set(keys)))}
    return tuple(places[key] for key in keys)


def _named(
    order: Sequence[int],
    labels: Mapping[int, str],
    sources: Mapping[int, Value],
    outputs: Sequence[Value],
) -> CanonicalForm:
    names = {atom: name for name, atom in enumerate(order)}

    def named(value: Value) -> Value:
        return tuple(sorted(names.get(atom, atom) for atom in value))

    values = [named(value) for value in outputs]
    places = tuple(sorted(range(len(values)), key=values.__getitem__))
    lines = ["|".join(".".join(map(str, values[place])) for place in places)]
    lines += [f"{labels[atom]}({'.'.join(map(str, named(sources[atom])))})" for atom in order]
    return CanonicalForm(";".join(lines), tuple(order), places)
