"""Cells as SVG: readable on light and dark pages, in colour and without it. No torch here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from engine.core.space import CellGraph
from engine.export.graph_layout import Layout, Point, Wire, lay_out
from engine.export.graph_net import Size, inputs_of
from engine.export.graph_style import GREY, NODE, NOTE, Look, ink_on, label, styles

MARGIN = 14.0
LABEL_HEIGHT = 24.0
ROW = 30.0
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
DEAD_DASH = "0.1 6"

# Advance of a letter at 13 pixels in the widest of the fonts above.
_LETTER = 8.0
_ARROW = 9.0


def svg(graphs: Mapping[str, CellGraph], title: str, description: str | None = None) -> str:
    """Return a drawing of the cells of an architecture, one above the other, with a legend.

    The background is transparent, all colours are readable on white and on dark. The drawing has
    a view box and shrinks to the width of its place. Nothing in it refers to other files.

    Args:
        graphs: cells by name, as `Space.graphs` gives them; names are shown where there are
            several.
        title: shown as a hint by browsers and read out by screen readers.
        description: for screen readers; None: the edges in words.

    Raises:
        ExportError: a cell cannot be drawn (see `graph_layout`).
    """
    looks = styles(graphs)
    layouts = {name: lay_out(graph, _node_width, _label_size) for name, graph in graphs.items()}
    inner = max([layout.width for layout in layouts.values()], default=0.0)
    inner = max(inner, *(_legend_width(name) for name in looks), 160.0)
    parts: list[str] = []
    y = MARGIN
    for name, layout in layouts.items():
        if len(graphs) > 1:
            parts.append(_text((MARGIN, y + 12), name, NOTE, "start", "font-weight='600'"))
            y += ROW
        shift = (MARGIN + (inner - layout.width) / 2, y - layout.top)
        parts.append(f"<g transform='translate({_n(shift[0])} {_n(shift[1])})'>")
        parts += _cell(graphs[name], layout, looks)
        parts.append("</g>")
        y += layout.bottom - layout.top + ROW
        if not any(alive for *_, alive in graphs[name].edges):
            parts.append(_text((MARGIN, y - 8), "The output is zero.", NOTE, "start", ""))
            y += ROW / 2
    dead = any(not alive for graph in graphs.values() for *_, alive in graph.edges)
    legend, y = _legend(looks, dead, inner, y)
    words = _words(graphs) if description is None else description
    return _frame([*parts, *legend], inner + 2 * MARGIN, y + MARGIN / 2, title, words)


def _frame(parts: Sequence[str], width: float, height: float, title: str, description: str) -> str:
    content = "\n".join(parts)
    # Ids must differ between drawings that stand in one page.
    code = hashlib.sha256(f"{title}\0{description}\0{content}".encode()).hexdigest()[:12]
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_n(width)} {_n(height)}' "
        f"width='{_n(width)}' height='{_n(height)}' style='max-width:100%;height:auto' "
        f"role='img' aria-labelledby='title-{code}' aria-describedby='words-{code}' "
        f"font-family={quoteattr(FONT)} font-size='13'>\n"
        f"<title id='title-{code}'>{_safe(title)}</title>\n"
        f"<desc id='words-{code}'>{_safe(description)}</desc>\n{content}\n</svg>\n"
    )


def _words(graphs: Mapping[str, CellGraph]) -> str:
    sentences = []
    for name, graph in graphs.items():
        edges = [
            f"{source} to {target}: {operation or 'edge'}"
            + ("" if alive else " (reaches no output)")
            for source, target, operation, alive in graph.edges
        ]
        sentences.append(f"{name}: {'; '.join(edges) or 'no edges, the output is zero'}.")
    return " ".join(sentences)


# -- one cell --------------------------------------------------------------------------------
def _cell(graph: CellGraph, layout: Layout, looks: Mapping[str, Look]) -> list[str]:
    """Draw dead edges below live ones, and nodes and labels on top of all lines."""
    numbers = sorted(range(len(graph.edges)), key=lambda number: graph.edges[number][3])
    lines = [_line(layout.wires[n], graph.edges[n][3], _look(graph, n, looks)) for n in numbers]
    labels = [_label(graph, layout.wires[n], n, looks) for n in numbers if graph.edges[n][2]]
    return lines + _nodes(graph, layout) + labels


def _look(graph: CellGraph, number: int, looks: Mapping[str, Look]) -> Look:
    return looks.get(graph.edges[number][2], Look(GREY, "", "pill"))


def _line(wire: Wire, alive: bool, look: Look) -> str:
    """Draw an edge; a dead one leaves out the place of its label, which has no filling."""
    *inner, (x, y) = wire.after
    after = [*inner, (x - _ARROW, y)]
    whole = [[*wire.before, *after]] if alive else [wire.before, after]
    path = " ".join(_curve(points) for points in whole)
    colour, dash, width = (look.colour, look.dash, "2.5") if alive else (NOTE, DEAD_DASH, "2")
    pattern = f" stroke-dasharray='{dash}'" if dash else ""
    faint = "" if alive else " stroke-linecap='round' opacity='0.75'"
    head = f"M{_n(x)} {_n(y)}l{_n(-_ARROW - 1)} -4.5v9z"
    return (
        f"<path d='{path}' fill='none' stroke='{colour}' stroke-width='{width}'"
        f"{pattern}{faint}/><path d='{head}' fill='{colour}'{'' if alive else faint}/>"
    )


def _curve(points: Sequence[Point]) -> str:
    """Join points by curves that are level at every point."""
    (x, y), *rest = points
    path = [f"M{_n(x)} {_n(y)}"]
    for right, level in rest:
        if abs(level - y) < 0.05:
            path.append(f"H{_n(right)}")
        else:
            middle = _n((x + right) / 2)
            path.append(f"C{middle} {_n(y)} {middle} {_n(level)} {_n(right)} {_n(level)}")
        x, y = right, level
    return "".join(path)


def _nodes(graph: CellGraph, layout: Layout) -> list[str]:
    inputs, last = inputs_of(graph), len(graph.nodes) - 1
    live = {name for s, t, _, alive in graph.edges if alive for name in (s, t)}
    parts = []
    for place, name in enumerate(graph.nodes):
        role = "output" if place == last else "input" if place in inputs else ""
        used = name in live or bool(role)
        parts.append(_node(layout.nodes[place], layout.sizes[place], name, role, used))
    return parts


def _node(centre: Point, size: Size, name: str, role: str, used: bool) -> str:
    (x, y), (width, height) = centre, size
    fill = f"fill='{NODE}'" if used else f"fill='none' stroke-dasharray='{DEAD_DASH}'"
    ink = "#FFFFFF" if used else NOTE
    rim = f"stroke='{NODE if used else NOTE}' stroke-width='2' stroke-linecap='round'"
    box = (
        f"<rect x='{_n(x - width / 2)}' y='{_n(y - height / 2)}' width='{_n(width)}' "
        f"height='{_n(height)}' rx='12' {fill} {rim}/>"
    )
    lift = -3.0 if role else 4.5
    texts = _text((x, y + lift), name, ink, "middle", "font-weight='700'")
    if role:
        texts += _text((x, y + 11), role, ink, "middle", "font-size='10.5'")
    hint = name if used else f"{name} is on no path to the output"
    return f"<g><title>{_safe(hint)}</title>{box}{texts}</g>"


def _label(graph: CellGraph, wire: Wire, number: int, looks: Mapping[str, Look]) -> str:
    source, target, operation, alive = graph.edges[number]
    hint = f"{source} → {target}: {operation}" + ("" if alive else ", reaches no output")
    return f"<g><title>{_safe(hint)}</title>{_badge(wire.label, operation, looks, alive)}</g>"


def _badge(
    centre: Point, operation: str, looks: Mapping[str, Look], alive: bool, text: str | None = None
) -> str:
    look, (x, y) = looks[operation], centre
    shown = label(operation) if text is None else text
    width = _width(shown)
    colour = look.colour if alive else NOTE
    fill = f"fill='{colour}'" if alive else "fill='none'"
    rim = f"stroke='{colour}' stroke-width='1.5'"
    if not alive:
        rim += f" stroke-dasharray='{DEAD_DASH}' stroke-linecap='round'"
    ink = ink_on(colour) if alive else NOTE
    weight = "font-weight='600'" if alive else "font-style='italic'"
    shape = _shape(x, y, width, look.shape)
    return f"<path d='{shape}' {fill} {rim}/>" + _text((x, y + 4.5), shown, ink, "middle", weight)


def _shape(x: float, y: float, width: float, kind: str) -> str:
    left, top, height = x - width / 2, y - LABEL_HEIGHT / 2, LABEL_HEIGHT
    if kind == "box":
        return f"M{_n(left)} {_n(top)}h{_n(width)}v{_n(height)}h{_n(-width)}z"
    if kind == "hexagon":
        side, half = width - 16, height / 2
        return (
            f"M{_n(left + 8)} {_n(top)}h{_n(side)}l8 {_n(half)}l-8 {_n(half)}h{_n(-side)}"
            f"l-8 {_n(-half)}z"
        )
    radius, side = height / 2, width - height
    arc = f"a{_n(radius)} {_n(radius)} 0 0 1 0"
    return f"M{_n(left + radius)} {_n(top)}h{_n(side)}{arc} {_n(height)}h{_n(-side)}{arc} " + (
        f"{_n(-height)}z"
    )


# -- legend ----------------------------------------------------------------------------------
def _legend(
    looks: Mapping[str, Look], dead: bool, inner: float, y: float
) -> tuple[list[str], float]:
    """Return the parts of the legend and the y below it: a line and a label per operation."""
    parts: list[str] = []
    if not looks:
        return parts, y - ROW / 2
    x = 0.0
    y += ROW / 2 - 6
    for operation, look in looks.items():
        width = _legend_width(operation)
        if x and x + width > inner:
            x, y = 0.0, y + ROW
        dash = f" stroke-dasharray='{look.dash}'" if look.dash else ""
        parts.append(
            f"<path d='M{_n(MARGIN + x)} {_n(y)}h36' stroke='{look.colour}' stroke-width='2.5'"
            f"{dash}/>"
        )
        centre = (MARGIN + x + 40 + _width(operation) / 2, y)
        parts.append(_badge(centre, operation, looks, True, operation))
        x += width + 16
    y += ROW - 4
    if dead:
        parts.append(
            f"<path d='M{_n(MARGIN)} {_n(y)}h36' stroke='{NOTE}' stroke-width='2' "
            f"stroke-dasharray='{DEAD_DASH}' stroke-linecap='round'/>"
            + _text((MARGIN + 44, y + 4.5), "reaches no output", NOTE, "start", "")
        )
        y += ROW - 8
    return parts, y - 6


def _legend_width(operation: str) -> float:
    return 40 + _width(operation)


# -- text ------------------------------------------------------------------------------------
def _width(text: str) -> float:
    return _LETTER * len(text) + 18


def _label_size(operation: str) -> Size:
    return (_width(label(operation)), LABEL_HEIGHT) if operation else (16.0, 8.0)


def _node_width(name: str) -> float:
    return max(50.0, _LETTER * len(name) + 20)


def _text(at: Point, text: str, colour: str, anchor: str, more: str) -> str:
    return (
        f"<text x='{_n(at[0])}' y='{_n(at[1])}' text-anchor='{anchor}' fill='{colour}' {more}>"
        f"{_safe(text)}</text>"
    )


def _safe(text: str) -> str:
    """Escape for XML; characters that XML does not allow become the replacement character."""
    return escape("".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text))


def _n(value: float) -> str:
    """Write a coordinate with at most one decimal."""
    text = f"{value:.1f}"
    return text.removesuffix(".0") if text != "-0.0" else "0"
