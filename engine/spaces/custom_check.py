"""What must hold between the fields of a user's space, each fault at its field with a remedy."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

from engine.spaces.custom_definition import (
    MAX_LAYERS,
    MAX_NODES,
    CellDefinition,
    ChainDefinition,
    Definition,
    SizesDefinition,
)
from engine.spaces.operations import NONE, OPERATIONS, REDUCE, SKIP, unknown

Path = tuple[str | int, ...]
Fault = tuple[Path, str]
_NODE = re.compile(r"[A-Za-z0-9_]{1,24}")


def check_definition(definition: Definition) -> list[Fault]:
    """Return every fault of a definition whose fields have the right types.

    Returns:
        (path of the field within the definition, sentence that says what is wrong and what to
        do), in the order of the file; empty for a space that can be built.
    """
    if isinstance(definition, CellDefinition):
        return list(_cell(definition))
    if isinstance(definition, ChainDefinition):
        return list(_chain(definition))
    return list(_sizes(definition))


def ends(edge: str) -> tuple[str, str]:
    """Return source and target of `source->target`; empty texts where one is missing."""
    source, _, target = edge.partition("->")
    return source.strip(), target.strip()


def _nothing_chosen(where: str) -> Fault:
    return (where,), (
        "nothing is chosen in this space: every list has one entry. Give one of them a second."
    )


def _operations(path: Path, names: Sequence[str] | None, fixed_none: bool = True) -> list[Fault]:
    """Check one list of operations; None, for the default list, has nothing to check."""
    faults: list[Fault] = []
    if names is not None and not names:
        faults.append((path, "the list is empty; name at least one operation."))
    for place, name in enumerate(names or ()):
        if name not in OPERATIONS:
            faults.append(((*path, place), unknown(name)))
        elif name in (names or ())[:place]:
            faults.append(((*path, place), f"`{name}` stands here twice; keep one of the two."))
    if names == [NONE] and fixed_none:
        faults.append((path, f"an edge that is always `{NONE}` is no edge; leave it out."))
    return faults


# -- cells -----------------------------------------------------------------------------------
def _cell(cell: CellDefinition) -> Iterator[Fault]:
    faults = [*_nodes(cell.nodes), *_outputs(cell)]
    faults += _operations(("operations",), cell.operations, fixed_none=False)
    for edge, names in cell.edges.items():
        faults += _operations(("edges", edge), names)
        if names is None and cell.operations is None:
            faults.append(
                (
                    ("edges", edge),
                    "name the operations of this edge, or give `operations` for all.",
                )
            )
    found = _edges(cell)
    yield from (*faults, *found)
    if faults or found:
        return
    paths = [ends(edge) for edge in cell.edges]
    loop = _cycle(paths)
    if loop:
        back = next(e for e in cell.edges if ends(e) == (loop[-2], loop[-1]))
        yield ("edges", back), f"this edge closes the cycle {'->'.join(loop)}; turn or remove it."
        return
    yield from _unreachable(cell, paths)
    if all(len(names or cell.operations or ()) == 1 for names in cell.edges.values()):
        yield _nothing_chosen("edges")


def _nodes(nodes: Sequence[str]) -> Iterator[Fault]:
    if not 2 <= len(nodes) <= MAX_NODES:
        yield ("nodes",), f"a cell has 2 to {MAX_NODES} nodes; given were {len(nodes)}."
    for place, name in enumerate(nodes):
        if not _NODE.fullmatch(name):
            yield (
                ("nodes", place),
                f"`{name:.40}` cannot be a node's name; use up to 24 letters, digits and `_`.",
            )
        elif name in nodes[:place]:
            yield ("nodes", place), f"the node `{name}` stands here twice; names must differ."


def _outputs(cell: CellDefinition) -> Iterator[Fault]:
    if cell.output is not None and not cell.output:
        yield ("output",), "name the node whose value leaves the cell."
    for place, name in enumerate(cell.output or ()):
        if name not in cell.nodes:
            yield ("output", place), _no_node(name, cell.nodes)
        elif name == cell.nodes[0]:
            yield ("output", place), f"`{name}` is the cell's input; name a node behind it."
        elif name in (cell.output or ())[:place]:
            yield ("output", place), f"`{name}` stands here twice; keep one of the two."


def _edges(cell: CellDefinition) -> list[Fault]:
    faults: list[Fault] = []
    seen: dict[tuple[str, str], str] = {}
    if not cell.edges:
        faults.append((("edges",), "a cell has at least one edge, such as `in->out`."))
    for edge in cell.edges:
        source, target = ends(edge)
        where = ("edges", edge)
        unknown_nodes = [name for name in (source, target) if name not in cell.nodes]
        if not source or not target or edge.count("->") != 1:
            faults.append((where, f"write an edge as `source->target`; given was `{edge:.60}`."))
        elif unknown_nodes:
            faults.append((where, _no_node(unknown_nodes[0], cell.nodes)))
        elif source == target:
            faults.append(
                (where, f"an edge joins two nodes; this one goes from `{source}` to it.")
            )
        elif target == cell.nodes[0]:
            faults.append(
                (
                    where,
                    f"`{target}` is the cell's input, the first of `nodes`; no edge enters it.",
                )
            )
        elif (source, target) in seen:
            faults.append((where, f"this edge stands here twice, see `{seen[source, target]}`."))
        seen.setdefault((source, target), edge)
    return faults


def _no_node(name: str, nodes: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, nodes, n=1)
    hint = f"Did you mean `{near[0]}`?" if near else "Add it to `nodes`, or name another."
    return f"there is no node `{name:.40}`. {hint} The nodes are {', '.join(nodes)}."


def _cycle(paths: Sequence[tuple[str, str]]) -> list[str]:
    """Return the nodes of a cycle, the first one again at the end; empty: there is none."""
    following: dict[str, list[str]] = {}
    for source, target in paths:
        following.setdefault(source, []).append(target)
    done: set[str] = set()

    def walk(trail: list[str]) -> list[str]:
        for target in following.get(trail[-1], ()):
            if target in trail:
                return [*trail[trail.index(target) :], target]
            if target not in done:
                found = walk([*trail, target])
                if found:
                    return found
        done.add(trail[-1])
        return []

    for start in list(following):
        if start not in done:
            found = walk([start])
            if found:
                return found
    return []


def _unreachable(cell: CellDefinition, paths: Sequence[tuple[str, str]]) -> Iterator[Fault]:
    """Name the nodes that are on no path from the input to an output."""
    outputs = cell.output or cell.nodes[-1:]
    fed, needed = {cell.nodes[0]}, set(outputs)
    for _ in cell.nodes:
        fed |= {target for source, target in paths if source in fed}
        needed |= {source for source, target in paths if target in needed}
    listed = ", ".join(f"`{name}`" for name in outputs)
    for place, name in enumerate(cell.nodes):
        if name not in fed:
            yield (
                ("nodes", place),
                f"no path leads from `{cell.nodes[0]}` to the node `{name}`; give it an edge, or "
                "remove it.",
            )
        elif name not in needed:
            yield (
                ("nodes", place),
                f"the node `{name}` leads to no output ({listed}); give it an edge there, name it "
                "in `output`, or remove it.",
            )


# -- chains ----------------------------------------------------------------------------------
def _chain(chain: ChainDefinition) -> Iterator[Fault]:
    faults = _operations(("operations",), chain.operations, fixed_none=False)
    width = chain.stem
    for place, block in enumerate(chain.blocks):
        path: Path = ("blocks", place)
        own = _operations((*path, "operations"), block.operations)
        names = chain.operations if block.operations is None else block.operations
        if names is None:
            text = "name the operations of this block, or give the chain's `operations`."
            own.append(((*path, "operations"), text))
        before, width = width, block.width or width
        for number, name in enumerate(names or ()):
            if not faults and not own and (problem := _misfit(name, before, width, block.stride)):
                where = path if block.operations is None else (*path, "operations", number)
                own.append((where, f"`{name}` cannot stand here: {problem}."))
                break
        faults += own
    count = sum(block.repeat for block in chain.blocks)
    if count > MAX_LAYERS:
        faults.append((("blocks",), f"a chain has up to {MAX_LAYERS} blocks; these are {count}."))
    yield from faults
    if not faults and all(len(_listed(chain, place)) == 1 for place in range(len(chain.blocks))):
        yield _nothing_chosen("blocks")


def _listed(chain: ChainDefinition, place: int) -> Sequence[str]:
    own = chain.blocks[place].operations
    return (chain.operations or ()) if own is None else own


def _misfit(name: str, before: int, width: int, stride: int) -> str | None:
    """Say why a block cannot have an operation and what to do, or return None."""
    if name == NONE:
        return f"a chain with a gap reaches no class; `{SKIP}` leaves a block out"
    problem = OPERATIONS[name].misfit(before, width, stride)
    if problem is None:
        return None
    if before != width and stride == 2 and name != REDUCE:
        return f"{problem}; `{REDUCE}` is the plain way to a smaller image with other channels"
    remedy = f"`{REDUCE}`" if stride == 2 and width > 1 else "`nor_conv_1x1`"
    return f"{problem}; use {remedy}, or give this block the shape of the one before"


# -- sizes -----------------------------------------------------------------------------------
def _sizes(sizes: SizesDefinition) -> Iterator[Fault]:
    faults: list[Fault] = []
    for place, layer in enumerate(sizes.layers):
        for field in ("widths", "kernels"):
            path, values = ("layers", place, field), getattr(layer, field)
            if not values:
                faults.append((path, "the list is empty; give at least one number."))
            for number, value in enumerate(values):
                if value in values[:number]:
                    text = f"{value} stands here twice; keep one of the two."
                    faults.append(((*path, number), text))
                elif field == "kernels" and value % 2 == 0:
                    text = f"a kernel has an odd side, so that the size stays; given was {value}."
                    faults.append(((*path, number), text))
    yield from faults
    if not faults and all(len(layer.widths) == len(layer.kernels) == 1 for layer in sizes.layers):
        yield _nothing_chosen("layers")
