"""A cell drawn as nodes on a line and operations as arcs, in the colours of the page."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from app.widgets.drawing import drawing
from app.widgets.palette import GREY, operation

if TYPE_CHECKING:
    from app.client import Drawn
    from engine.core.space import CellGraph

STEP, LEVEL, RADIUS, MARGIN, LABEL = 132, 50, 15, 30, 22
_SHORT = {
    "nor_conv_3x3": "conv 3×3",
    "nor_conv_1x1": "conv 1×1",
    "avg_pool_3x3": "avg pool 3×3",
    "skip_connect": "skip",
}


@dataclass(frozen=True)
class Arc:
    """An edge with its place: level 0 is straight, above 0 upwards, below 0 downwards."""

    source: int
    target: int
    operation: str
    alive: bool
    level: int


def arcs(graph: CellGraph) -> list[Arc]:
    """Place every edge so that arcs on one side nest and do not cross where that is possible."""
    number = {name: position for position, name in enumerate(graph.nodes)}
    placed: list[Arc] = []
    edges = [(number[s], number[t], op, alive) for s, t, op, alive in graph.edges]
    for source, target, op, alive in sorted(edges, key=lambda e: (abs(e[1] - e[0]), e[0])):
        level = _level(source, target, placed)
        placed.append(Arc(source, target, op, alive, level))
    return placed


def _level(source: int, target: int, placed: list[Arc]) -> int:
    parallel = any((arc.source, arc.target) == (source, target) for arc in placed)
    if abs(target - source) == 1 and not parallel:
        return 0
    options = []
    for side in (1, -1):
        near = [a for a in placed if a.level * side > 0 and _overlap(a, source, target)]
        crossing = sum(_cross(arc, source, target) for arc in near)
        level = 1 + max((abs(arc.level) for arc in near), default=0)
        options.append((crossing, level, -side))
    crossing, level, side = min(options)
    return level * -side


def _overlap(arc: Arc, source: int, target: int) -> bool:
    return arc.source < target and source < arc.target


def _cross(arc: Arc, source: int, target: int) -> bool:
    return arc.source < source < arc.target < target or source < arc.source < target < arc.target


def svg(graph: CellGraph, title: str) -> str:
    """Return the drawing as SVG text; it takes its ink from the surrounding text."""
    placed = arcs(graph)
    up = max([arc.level for arc in placed if arc.level > 0], default=0)
    down = max([-arc.level for arc in placed if arc.level < 0], default=0)
    width = 2 * MARGIN + STEP * (len(graph.nodes) - 1)
    middle = up * LEVEL + MARGIN
    height = middle + down * LEVEL + MARGIN
    # Lines first, so that every label and node stands on top of them.
    parts = [_line(arc, middle) for arc in placed]
    parts += [_node(i, name, len(graph.nodes), middle) for i, name in enumerate(graph.nodes)]
    parts += [_label(arc, middle) for arc in placed]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(title)}" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-size="14">{"".join(parts)}</svg>'
    )


def _ends(arc: Arc) -> tuple[float, float]:
    return MARGIN + STEP * arc.source, MARGIN + STEP * arc.target


def _line(arc: Arc, middle: float) -> str:
    start, end = _ends(arc)
    if arc.level == 0:
        path = f"M{start} {middle} L{end} {middle}"
    else:
        top = middle - arc.level * LEVEL
        bend = min(STEP * 0.55, (end - start) / 2)
        path = (
            f"M{start} {middle} C{start + bend * 0.35:.0f} {top} {start + bend * 0.6:.0f} {top} "
            f"{start + bend:.0f} {top} L{end - bend:.0f} {top} C{end - bend * 0.6:.0f} {top} "
            f"{end - bend * 0.35:.0f} {top} {end} {middle}"
        )
    colour = operation(arc.operation) if arc.alive else GREY
    dead = "" if arc.alive else 'stroke-dasharray="4 5" opacity="0.6" '
    return f'<path d="{path}" fill="none" style="stroke:{colour.css}" {dead}stroke-width="2.4"/>'


def _node(position: int, name: str, count: int, middle: float) -> str:
    x = MARGIN + STEP * position
    word = "in" if position == 0 else "out" if position == count - 1 else name
    return (
        f'<circle cx="{x}" cy="{middle}" r="{RADIUS}" '
        'style="fill:light-dark(#FFFFFF,#0F161B);stroke:currentColor" stroke-width="1.6"/>'
        f'<text x="{x}" y="{middle + 4.5}" text-anchor="middle" font-size="13" '
        f'fill="currentColor">{escape(word)}</text>'
    )


def _label(arc: Arc, middle: float) -> str:
    start, end = _ends(arc)
    x, y = (start + end) / 2, middle - arc.level * LEVEL
    text = _SHORT.get(arc.operation, arc.operation.replace("_", " "))
    width = 12 + 7.0 * len(text)
    colour = operation(arc.operation) if arc.alive else GREY
    note = "" if arc.alive else "<title>This operation does not reach the output</title>"
    return (
        f'<g>{note}<rect x="{x - width / 2:.1f}" y="{y - LABEL / 2}" width="{width:.1f}" '
        f'height="{LABEL}" rx="6" style="fill:light-dark(#FFFFFF,#0F161B);stroke:{colour.css}" '
        'stroke-width="1.4"/>'
        f'<text x="{x}" y="{y + 4.6}" text-anchor="middle" style="fill:{colour.css}" '
        f'font-weight="600">{escape(text)}</text></g>'
    )


def show(drawn: Drawn) -> None:
    """Draw every cell of an architecture and write its text below."""
    for name, graph in drawn.graphs.items():
        if len(drawn.graphs) > 1:
            st.caption(name)
        drawing(f'<div class="nw-cell">{svg(graph, f"Cell of {drawn.text}")}</div>')
    if any(not alive for g in drawn.graphs.values() for *_, alive in g.edges):
        st.caption("Dashed operations do not reach the output and are never computed.")
    st.html(f'<div class="nw-text nw-quiet">{escape(drawn.text)}</div>')
