"""Cells as text for Graphviz. No torch here."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.space import CellGraph
from engine.export.graph_style import GREY, label, styles


def dot_source(graphs: Mapping[str, CellGraph], title: str = "") -> str:
    """Return a directed graph in the DOT language, one cluster per cell.

    Operations differ by colour and dash; edges that reach no output are dotted and grey.

    Args:
        graphs: cells by name, as `Space.graphs` gives them.
        title: written below the drawing.
    """
    looks = styles(graphs)
    lines = ["digraph architecture {", "  rankdir=LR;", '  node [shape=circle, style="bold"];']
    if title:
        lines.append(f"  label={_quoted(title)};")
    for number, (name, graph) in enumerate(graphs.items()):
        lines.append(f"  subgraph cluster_{number} {{")
        if len(graphs) > 1:
            lines.append(f"    label={_quoted(name)};")
        places = {node: f"n{number}_{place}" for place, node in enumerate(graph.nodes)}
        for node, place in places.items():
            lines.append(f"    {place} [label={_quoted(node)}];")
        for source, target, operation, alive in graph.edges:
            look = looks.get(operation)
            colour = look.colour if look is not None and alive else GREY
            kind = ("dashed" if look is not None and look.dash else "solid") if alive else "dotted"
            lines.append(
                f"    {places[source]} -> {places[target]} [label={_quoted(label(operation))}, "
                f'color="{colour}", style={kind}];'
            )
        lines.append("  }")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    """Quote a text; backslashes would start an escape sequence of DOT."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + " ".join(escaped.split()) + '"'
