"""Small charts as inline SVG, for a report that stands by itself. No torch here.

Colours are classes of the report's style sheet, so that they follow light, dark and print; series
also differ in dash and symbol. Numbers are shown where a pointer rests on a mark.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 480.0, 280.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 14.0, 10.0, 44.0
MOST_POINTS = 500
DASHES = ("", "7 4", "2 3", "9 3 2 3", "12 4", "4 2")
SYMBOLS = ("circle", "square", "triangle", "diamond")

Number = float | None


@dataclass(frozen=True)
class Series:
    """One line or cloud of points.

    Attributes:
        name: for the legend.
        x, y: the points; where either is None there is none.
        look: number of its colour and dash.
        line: joined by a line; otherwise points.
        symbol: of the points, one of `SYMBOLS`.
        hints: a text per point.
    """

    name: str
    x: Sequence[Number]
    y: Sequence[Number]
    look: int = 0
    line: bool = True
    symbol: str = "circle"
    hints: Sequence[str] = ()

    def points(self) -> list[tuple[float, float, str]]:
        """Return the points that are there; long lines are thinned, first and last stay."""
        hints = self.hints or [""] * len(self.x)
        found = [
            (x, y, hint)
            for x, y, hint in zip(self.x, self.y, hints, strict=True)
            if x is not None and y is not None and math.isfinite(x) and math.isfinite(y)
        ]
        if len(found) <= MOST_POINTS:
            return found
        step = (len(found) - 1) / (MOST_POINTS - 1)
        return [found[round(place * step)] for place in range(MOST_POINTS)]


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round numbers from `low` to `high`: 1, 2 or 5 times a power of ten apart.

    Args:
        low, high: ends of an axis, `low` below `high`.
        most: more than so many are not wanted.
    """
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def chart(series: Sequence[Series], x_title: str, y_title: str, sentence: str) -> str:
    """Return a figure: sentence, axes with titles, lines and points, legend.

    Args:
        series: what is drawn, at least one point altogether.
        x_title, y_title: quantity and unit.
        sentence: what one sees.
    """
    drawn = [(one, one.points()) for one in series]
    every = [point for _, points in drawn for point in points]
    x_range = _range([x for x, _, _ in every])
    y_range = _range([y for _, y, _ in every])
    frame = _Frame(x_range, y_range)
    body = frame.axes(x_title, y_title)
    for one, points in drawn:
        body += _line(one, points, frame) if one.line else _cloud(one, points, frame)
    return _figure("".join(body), sentence, _legend(series) if len(series) > 1 else "")


def disorder(truth: Sequence[float], score: Sequence[float]) -> str:
    """Return a rank-disorder plot: a line an architecture, from its true to its super-net rank.

    Lines that move by more than a quarter of the sample are marked, and counted in the sentence.

    Args:
        truth, score: of each architecture; ranks count from 1, the best on top.
    """
    left, right = _ranks(truth), _ranks(score)
    count, middle = len(left), (HEIGHT - 2 * TOP - 20)
    x1, x2 = WIDTH * 0.24, WIDTH * 0.76

    def y(rank: int) -> float:
        return TOP + 20 + middle * (rank - 1) / max(count - 1, 1)

    body = [
        f'<text x="{x1:.0f}" y="16" text-anchor="middle">stand-alone rank</text>',
        f'<text x="{x2:.0f}" y="16" text-anchor="middle">super-net rank</text>',
    ]
    for a, b in sorted(zip(left, right, strict=True), key=lambda pair: abs(pair[0] - pair[1])):
        far = abs(a - b) > count / 4
        kind = "far" if far else "near"
        body.append(
            f'<line class="{kind}" x1="{x1:.0f}" y1="{y(a):.1f}" x2="{x2:.0f}" y2="{y(b):.1f}">'
            f"<title>from rank {a} to {b}</title></line>"
        )
    for rank in sorted({1, count}):
        body.append(
            f'<text x="{x1 - 10:.0f}" y="{y(rank) + 4:.1f}" text-anchor="end">{rank}</text>'
        )
        body.append(f'<text x="{x2 + 10:.0f}" y="{y(rank) + 4:.1f}">{rank}</text>')
    moved = sum(abs(a - b) > count / 4 for a, b in zip(left, right, strict=True))
    sentence = f"{moved} of {count} architectures are more than a quarter of the ranking off"
    return _figure("".join(body), sentence, "")


def _ranks(values: Sequence[float]) -> list[int]:
    order = sorted(range(len(values)), key=lambda place: -values[place])
    ranks = [0] * len(values)
    for position, place in enumerate(order, start=1):
        ranks[place] = position
    return ranks


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    if low == high:
        return low - (abs(low) or 1) * 0.1, high + (abs(high) or 1) * 0.1
    room = (high - low) * 0.04
    return low - room, high + room


class _Frame:
    """From numbers to places in the picture."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        self._x, self._y = x, y

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point lies."""
        across = (x - self._x[0]) / (self._x[1] - self._x[0])
        up = (y - self._y[0]) / (self._y[1] - self._y[0])
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (
            HEIGHT - TOP - BOTTOM
        )

    def axes(self, x_title: str, y_title: str) -> list[str]:
        """Return grid, numbers and titles."""
        bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
        body = []
        for value in ticks(*self._y):
            y = self.at(self._x[0], value)[1]
            body.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>')
            body.append(
                f'<text x="{LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{value:.6g}</text>'
            )
        for value in ticks(*self._x, most=7):
            x = self.at(value, self._y[0])[0]
            body.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}"/>')
            body.append(
                f'<text x="{x:.1f}" y="{bottom + 17}" text-anchor="middle">{value:.6g}</text>'
            )
        middle = (LEFT + right) / 2
        body.append(
            f'<text class="title" x="{middle:.0f}" y="{HEIGHT - 6}" text-anchor="middle">'
            f"{escape(x_title)}</text>"
        )
        height = (TOP + bottom) / 2
        body.append(
            f'<text class="title" x="13" y="{height:.0f}" text-anchor="middle" '
            f'transform="rotate(-90 13 {height:.0f})">{escape(y_title)}</text>'
        )
        return body


def _line(one: Series, points: Sequence[tuple[float, float, str]], frame: _Frame) -> list[str]:
    places = [frame.at(x, y) for x, y, _ in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dash = DASHES[one.look % len(DASHES)]
    drawn = [f'<polyline class="s{one.look}" points="{path}" stroke-dasharray="{dash}"/>']
    if len(points) <= 60:
        drawn += [_mark(one, place, point) for place, point in zip(places, points, strict=True)]
    return drawn


def _cloud(one: Series, points: Sequence[tuple[float, float, str]], frame: _Frame) -> list[str]:
    return [_mark(one, frame.at(point[0], point[1]), point) for point in points]


def _mark(one: Series, place: tuple[float, float], point: tuple[float, float, str]) -> str:
    x, y = place
    hint = f"{point[2]} " if point[2] else ""
    told = f"<title>{escape(hint)}({point[0]:.6g}, {point[1]:.6g})</title>"
    return f'<path class="m{one.look}" d="{_shape(one.symbol, x, y)}">{told}</path>'


def _shape(symbol: str, x: float, y: float, r: float = 3.2) -> str:
    if symbol == "square":
        return f"M{x - r:.1f} {y - r:.1f}h{2 * r}v{2 * r}h{-2 * r}z"
    if symbol == "triangle":
        return f"M{x:.1f} {y - r - 1:.1f}l{r + 1} {2 * r}h{-2 * r - 2}z"
    if symbol == "diamond":
        return f"M{x:.1f} {y - r - 2:.1f}l{r + 2} {r + 2}l{-r - 2} {r + 2}l{-r - 2} {-r - 2}z"
    return f"M{x - r:.1f} {y:.1f}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0z"


def _legend(series: Sequence[Series]) -> str:
    entries = []
    for one in series:
        line = f'<line class="s{one.look}" x1="0" y1="7" x2="26" y2="7" '
        line += f'stroke-dasharray="{DASHES[one.look % len(DASHES)]}"/>'
        mark = f'<path class="m{one.look}" d="{_shape(one.symbol, 13, 7)}"/>'
        entries.append(
            f'<span><svg class="key" width="26" height="14" aria-hidden="true">'
            f"{line if one.line else ''}{mark}</svg>{escape(one.name)}</span>"
        )
    return f'<div class="legend">{"".join(entries)}</div>'


def _figure(body: str, sentence: str, legend: str) -> str:
    said = escape(sentence)
    return (
        f"<figure><figcaption>{said}</figcaption>"
        f'<svg class="chart" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" '
        f'aria-label="{escape(sentence, quote=True)}">{body}</svg>{legend}</figure>'
    )
