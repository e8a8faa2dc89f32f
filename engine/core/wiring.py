"""The canonical form of a small graph of operations whose results are added up.

A *value* is a sum: the sorted tuple of its atoms. An atom is an operation on a value (numbered 0
and up) or an input (negative). Skip connections are no atoms: they hand values on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations, product

Value = tuple[int, ...]


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
    """Return the smallest text over all orders of atoms that look alike.

    Args:
        labels: per atom, its operation; without `;`, `|`, `(` and `)`.
        sources: per atom, the value it is applied to; earlier atoms and inputs only.
        outputs: the values that leave the graph. Their order does not matter, equal ones count
            as often as they stand there; all atoms lead to one of them.
    """
    alike: dict[str, list[int]] = {}
    trees: dict[int, str] = {}
    for atom in sorted(labels):
        trees[atom] = _tree(labels[atom], sources[atom], trees)
        alike.setdefault(trees[atom], []).append(atom)
    groups = [alike[tree] for tree in sorted(alike)]
    best: CanonicalForm | None = None
    for orders in product(*(permutations(group) for group in groups)):
        found = _named([atom for order in orders for atom in order], labels, sources, outputs)
        if best is None or found.text < best.text:
            best = found
    assert best is not None, "the empty graph has one order"
    return best


def _tree(label: str, source: Value, trees: Mapping[int, str]) -> str:
    """Write an atom with everything it depends on, sharing forgotten."""
    parts = sorted(str(atom) if atom < 0 else trees[atom] for atom in source)
    return f"{label}({'+'.join(parts)})"


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
