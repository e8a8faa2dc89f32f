"""Texts of NAS-Bench-101 cells: ours, and the forms in which the benchmark and its users write.

Ours names every vertex's operation and, in brackets, the vertices it reads, vertex 0 being the
input: `conv3x3(0);conv1x1(0,1);output(1,2)`. It says nothing of how many vertices a cell may
have, so that all sub-spaces write the same. Also read are

- the benchmark's constructor, `ModelSpec(matrix=[[0, 1], [0, 0]], ops=['input', 'output'])`;
- JSON with the keys of its records, `module_adjacency` and `module_operations` (or `matrix` and
  `ops`);
- the adjacency matrix as digits, row by row, and the operations as names joined by commas or as
  letters (I, 3, 1, P, O): `0110001000010000 I31O`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from engine.spaces.nb101_cells import OPERATIONS, Cell
from engine.spec.errors import ArchitectureError

INPUT, OUTPUT = "input", "output"
_SHORT = tuple(name.removesuffix("-bn-relu") for name in OPERATIONS)
_LETTERS = {"I": INPUT, "3": OPERATIONS[0], "1": OPERATIONS[1], "P": OPERATIONS[2], "O": OUTPUT}
_TERM = re.compile(r"([a-z0-9-]+)\(([0-9]{1,2}(?:,[0-9]{1,2})*)?\)")
_CALL = re.compile(r"(?:api\.)?ModelSpec\(\s*matrix\s*=\s*(\[.*\])\s*,\s*ops\s*=\s*(\[.*\])\s*\)")
_DIGITS = re.compile(r"([01]+)[\s,;:|]+([A-Za-z0-9,-]+)")
_KEYS = (("module_adjacency", "module_operations"), ("matrix", "ops"))
_LONGEST = 4_000


def write_cell(cell: Cell) -> str:
    """Write a cell in our form; last inner vertices without edges and with operation 0 are not
    written."""
    inner = list(cell.inner)
    used = {vertex for edge in cell.edges for vertex in edge}
    while inner and inner[-1] not in used and cell.operations[inner[-1] - 1] == 0:
        inner.pop()
    names = [*(_SHORT[cell.operations[vertex - 1]] for vertex in inner), OUTPUT]
    read = [cell.sources[vertex] for vertex in (*inner, cell.vertices - 1)]
    return ";".join(
        f"{name}({','.join(map(str, sources))})" for name, sources in zip(names, read, strict=True)
    )


def read_cell(text: str) -> Cell:
    """Read any of the forms.

    Raises:
        ArchitectureError: the text is none of them, or not a directed acyclic graph in order.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        raise ArchitectureError(f"No cell of NAS-Bench-101 takes {len(text)} characters.")
    call, digits = _CALL.fullmatch(text), _DIGITS.fullmatch(text)
    if call is not None:
        return cell_of_matrix(_json(call[1], text), _json(call[2].replace("'", '"'), text))
    if digits is not None:
        return _read_digits(*digits.groups())
    if text.startswith("{"):
        return _read_record(_json(text, text))
    return _read_terms(text)


def cell_of_matrix(matrix: Any, operations: Any) -> Cell:
    """Return a cell from an adjacency matrix and names of operations.

    Args:
        matrix: V rows of V zeros and ones, the rows being sources.
        operations: V names, `input` first and `output` last; the others with or without
            `-bn-relu`.

    Raises:
        ArchitectureError: sizes differ, an operation is unknown, or an edge does not lead to a
            later vertex.
    """
    names = _names(operations)
    number = len(names)
    square = isinstance(matrix, Sequence) and all(isinstance(row, Sequence) for row in matrix)
    if not square or [len(row) for row in matrix] != [number] * number:
        raise ArchitectureError(
            f"The adjacency matrix of {number} operations has {number} rows of {number} numbers."
        )
    if any(value not in (0, 1) for row in matrix for value in row):
        raise ArchitectureError("An adjacency matrix consists of the numbers 0 and 1.")
    backward = [(s, t) for s in range(number) for t in range(s + 1) if matrix[s][t]]
    if backward:
        source, target = backward[0]
        raise ArchitectureError(
            f"The edge {source}->{target} leads backward: in NAS-Bench-101 edges lead to later "
            "vertices, the matrix is upper triangular."
        )
    sources = tuple(tuple(s for s in range(t) if matrix[s][t]) for t in range(number))
    return Cell(sources, tuple(_index(name) for name in names[1:-1]))


def _names(operations: Any) -> list[str]:
    """Return the names of all vertices' operations after a first check."""
    listed = isinstance(operations, Sequence) and not isinstance(operations, str)
    if not listed or not all(isinstance(name, str) for name in operations):
        raise ArchitectureError("The operations of a cell are a list of names.")
    names = list(operations)
    if len(names) < 2 or names[0] != INPUT or names[-1] != OUTPUT:
        raise ArchitectureError(
            f"The operations of a cell start with `{INPUT}` and end with `{OUTPUT}`; "
            f"given was {', '.join(names):.80}."
        )
    return names


def _index(name: str) -> int:
    for names in (OPERATIONS, _SHORT):
        if name in names:
            return names.index(name)
    raise ArchitectureError(
        f"`{name:.40}` is no operation of NAS-Bench-101; it has {', '.join(OPERATIONS)}."
    )


def _read_terms(text: str) -> Cell:
    """Read our own form."""
    sources: list[tuple[int, ...]] = [()]
    names = []
    for vertex, part in enumerate(text.split(";"), start=1):
        term = _TERM.fullmatch(part.strip())
        if term is None:
            raise ArchitectureError(
                "A cell of NAS-Bench-101 looks like `conv3x3(0);conv1x1(0,1);output(1,2)`, every "
                f"vertex with those it reads; `{part.strip():.40}` is no such vertex."
            )
        read = [int(number) for number in (term[2] or "").split(",") if number]
        if sorted(set(read)) != read or (read and read[-1] >= vertex):
            raise ArchitectureError(
                f"Vertex {vertex} reads each of the vertices 0 to {vertex - 1} at most once, in "
                f"ascending order; given was `{term[0]:.40}`."
            )
        names.append(term[1])
        sources.append(tuple(read))
    if names[-1] != OUTPUT:
        raise ArchitectureError(f"The last vertex of a cell is `{OUTPUT}(...)`.")
    return Cell(tuple(sources), tuple(_index(name) for name in names[:-1]))


def _read_digits(bits: str, operations: str) -> Cell:
    """Read a matrix written as digits, with letters or names."""
    if "," in operations:
        names = operations.split(",")
    else:
        names = [_LETTERS.get(letter, letter) for letter in operations]
    number = len(names)
    if len(bits) != number * number:
        raise ArchitectureError(
            f"The adjacency matrix of {number} operations has {number * number} digits; "
            f"given were {len(bits)}."
        )
    rows = [bits[start : start + number] for start in range(0, len(bits), number)]
    return cell_of_matrix([[int(digit) for digit in row] for row in rows], names)


def _read_record(record: Any) -> Cell:
    for matrix, operations in _KEYS:
        if matrix in record and operations in record:
            return cell_of_matrix(record[matrix], record[operations])
    wanted = " or ".join(f"`{matrix}` and `{operations}`" for matrix, operations in _KEYS)
    raise ArchitectureError(f"A record of a cell has the keys {wanted}.")


def _json(part: str, text: str) -> Any:
    try:
        return json.loads(part)
    except (ValueError, RecursionError):
        raise ArchitectureError(f"`{text:.80}` cannot be read as lists of a cell.") from None
