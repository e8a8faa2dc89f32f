"""A cell drawn as nodes on a line and operations as arcs, in the colours of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from app.widgets.drawing import drawing
from app.widgets.palette import BACKGROUND as PAPER
from app.widgets.palette import GREY, Colour, operation

if TYPE_CHECKING:
    from app.client import Drawn
    from app.widgets.cell_marks import Marks
    from engine.core.space import CellGraph

STEP, LEVEL, RADIUS, MARGIN, LABEL = 132, 50, 15, 30, 22
# What a letter needs, in nodes and in labels.
NODE_LETTER, LETTER = 7.4, 7.0
SMALLEST = 0.72  # a wide cell is scrolled instead of being shrunk further
FADED = 0.6
_SHORT = {
    "nor_conv_3x3": "conv 3×3",
    "nor_conv_1x1": "conv 1×1",
    "avg_pool_3x3": "avg pool 3×3",
    "skip_connect": "skip",
}


@dataclass(frozen=True)
class Arc:
    """An edge with its place: level 0 is straight, above 0 upwards, below 0 downwards.

    `edge` is its position in `CellGraph.edges`.
    """

    source: int
    target: int
    operation: str
    alive: bool
    level: int
    edge: int = -1


def arcs(graph: CellGraph) -> list[Arc]:
    """Place every edge so that arcs on one side nest and do not cross where that is possible."""
    number = {name: position for position, name in enumerate(graph.nodes)}
    placed: list[Arc] = []
    edges = [
        (number[source], number[target], op, alive, place)
        for place, (source, target, op, alive) in enumerate(graph.edges)
    ]
    for source, target, op, alive, place in sorted(edges, key=lambda e: (abs(e[1] - e[0]), e[0])):
        level = _level(source, target, placed)
        placed.append(Arc(source, target, op, alive, level, place))
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


def svg(graph: CellGraph, title: str, marks: Marks | None = None) -> str:
    """Return the drawing as SVG text; it takes its ink from the surrounding text.

    Args:
        graph: the cell.
        title: for screen readers.
        marks: what is drawn bold, all else being faded; None: nothing is either.
    """
    placed, words = arcs(graph), _words(graph)
    up = max([arc.level for arc in placed if arc.level > 0], default=0)
    down = max([-arc.level for arc in placed if arc.level < 0], default=0)
    x = _places(words, placed)
    width = _width(words, x)
    middle = up * LEVEL + MARGIN
    height = middle + down * LEVEL + MARGIN
    edges = {arc: _weight(marks.edges if marks else None, arc.edge) for arc in placed}
    nodes = [_weight(marks.nodes if marks else None, place) for place in range(len(words))]
    # Lines first, so that every label and node stands on top of them.
    parts = [_line(arc, x, middle, edges[arc]) for arc in placed]
    parts += [_node(word, x[i], middle, nodes[i]) for i, word in enumerate(words)]
    parts += [_label(arc, x, middle, edges[arc]) for arc in placed if arc.operation]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(title)}" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'style="min-width:{SMALLEST * width:.0f}px" '
        f'font-size="14">{"".join(parts)}</svg>'
    )


def natural_width(graph: CellGraph) -> int:
    """Return the width of the drawing in pixels where it is not shrunk."""
    words = _words(graph)
    return _width(words, _places(words, arcs(graph)))


def _width(words: list[str], x: list[float]) -> int:
    return round(x[-1] + _node_width(words[-1]) / 2 + MARGIN - RADIUS)


def _words(graph: CellGraph) -> list[str]:
    return [_word(graph, place) for place in range(len(graph.nodes))]


def _word(graph: CellGraph, place: int) -> str:
    """Return what stands in a node; numbers at the ends are called in and out."""
    name = graph.nodes[place]
    if name.isdecimal() or name in ("input", "output"):
        return "in" if place == 0 else "out" if place == len(graph.nodes) - 1 else name
    return name.replace("{", "").replace("}", "").replace("-", "−") if "_{" in name else name


def _node_width(word: str) -> float:
    return max(2 * RADIUS, 16 + NODE_LETTER * len(word))


def _places(words: list[str], placed: list[Arc]) -> list[float]:
    """Return the middle of every node: far enough apart for the labels between neighbours."""
    widths = [_node_width(word) for word in words]
    found = [MARGIN - RADIUS + widths[0] / 2]
    labelled = any(arc.operation for arc in placed)
    for place in range(1, len(words)):
        straight = [a for a in placed if a.level == 0 and a.target == place]
        label = max((_label_width(_text(arc)) for arc in straight), default=0.0)
        gap = max(STEP - 2 * RADIUS if labelled else STEP / 3, label + 16)
        found.append(found[-1] + widths[place - 1] / 2 + gap + widths[place] / 2)
    return found


def _weight(marked: frozenset[int] | None, place: int) -> bool | None:
    """Return True for bold, False for faded, None for neither."""
    return None if marked is None else place in marked


def _line(arc: Arc, x: list[float], middle: float, bold: bool | None) -> str:
    start, end = x[arc.source], x[arc.target]
    if arc.level == 0:
        path = f"M{start:.0f} {middle} L{end:.0f} {middle}"
    else:
        top = middle - arc.level * LEVEL
        bend = min(STEP * 0.55, (end - start) / 2)
        path = (
            f"M{start:.0f} {middle} "
            f"C{start + bend * 0.35:.0f} {top} {start + bend * 0.6:.0f} {top} "
            f"{start + bend:.0f} {top} L{end - bend:.0f} {top} C{end - bend * 0.6:.0f} {top} "
            f"{end - bend * 0.35:.0f} {top} {end:.0f} {middle}"
        )
    dashes = "" if arc.alive else 'stroke-dasharray="4 5" '
    faint = FADED if bold is False or not arc.alive else 1
    return (
        f'<path d="{path}" fill="none" style="stroke:{_colour(arc).css}" {dashes}'
        f'opacity="{faint}" stroke-width="{4.6 if bold else 2.4}"/>'
    )


def _colour(arc: Arc) -> Colour:
    return operation(arc.operation) if arc.alive and arc.operation else GREY


def _node(word: str, x: float, middle: float, bold: bool | None) -> str:
    width = _node_width(word)
    return (
        f'<rect x="{x - width / 2:.1f}" y="{middle - RADIUS}" width="{width:.1f}" '
        f'height="{2 * RADIUS}" rx="{RADIUS}" style="fill:{PAPER.css};stroke:currentColor" '
        f'stroke-width="{3.4 if bold else 1.6}"{_faint(bold, "stroke")}/>'
        f'<text x="{x:.1f}" y="{middle + 4.5}" text-anchor="middle" font-size="13" '
        f'fill="currentColor"{_faint(bold, "fill")}>{_lowered(word)}</text>'
    )


def _lowered(word: str) -> str:
    """Return a node's word as SVG, what follows an underscore as an index: `c_k−1`."""
    base, mark, index = escape(word).partition("_")
    return f'{base}<tspan dy="3" font-size="11">{index}</tspan>' if mark else base


def _faint(bold: bool | None, what: str) -> str:
    """Return the attribute that fades ink; the paper below stays, or lines would show through."""
    return f' {what}-opacity="{FADED}"' if bold is False else ""


def _text(arc: Arc) -> str:
    return _SHORT.get(arc.operation, arc.operation.replace("_", " "))


def _label_width(text: str) -> float:
    return 12 + LETTER * len(text) if text else 0.0


def _label(arc: Arc, x: list[float], middle: float, bold: bool | None) -> str:
    centre, y = (x[arc.source] + x[arc.target]) / 2, middle - arc.level * LEVEL
    text, colour = _text(arc), _colour(arc)
    width = _label_width(text)
    note = "" if arc.alive else "<title>This operation does not reach the output</title>"
    fill, letters = (colour, PAPER) if bold else (PAPER, colour)
    return (
        f"<g>{note}"
        f'<rect x="{centre - width / 2:.1f}" y="{y - LABEL / 2}" width="{width:.1f}" '
        f'height="{LABEL}" rx="6" style="fill:{fill.css};stroke:{colour.css}" '
        f'stroke-width="1.4"{_faint(bold, "stroke")}/>'
        f'<text x="{centre:.1f}" y="{y + 4.6}" text-anchor="middle" style="fill:{letters.css}" '
        f'font-weight="600"{_faint(bold, "fill")}>{escape(text)}</text></g>'
    )


def show(drawn: Drawn, marked: Mapping[str, Marks] | None = None, text: bool = True) -> None:
    """Draw every cell of an architecture.

    Args:
        drawn: the architecture.
        marked: what to draw bold, by the name of the cell.
        text: write its text below.
    """
    for name, graph in drawn.graphs.items():
        if len(drawn.graphs) > 1:
            st.caption(name)
        title = f"Cell of {drawn.text}" if len(drawn.graphs) == 1 else f"{name} of {drawn.text}"
        found = (marked or {}).get(name)
        drawing(f'<div class="nw-cell">{svg(graph, title, found)}</div>')
    if any(not alive for g in drawn.graphs.values() for *_, alive in g.edges):
        st.caption("Dashed operations do not reach the output and are never computed.")
    if text:
        st.html(f'<div class="nw-text nw-quiet">{escape(drawn.text)}</div>')
