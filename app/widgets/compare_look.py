"""How compared settings look: one colour an algorithm; dash and marker tell settings apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from app.comparing import Setting
from app.widgets import palette

DASHES = {
    "solid": "solid",
    "dash": "dashed",
    "dot": "dotted",
    "dashdot": "dash-dotted",
    "longdash": "long dashes",
    "longdashdot": "long dash-dots",
}
SYMBOLS = {
    "circle": "●",
    "square": "■",
    "diamond": "◆",
    "triangle-up": "▲",
    "star": "★",
    "triangle-down": "▼",
    "cross": "✚",
}
WRAP = 34


@dataclass(frozen=True)
class Look:
    """Colour, dash and marker of a setting.

    Attributes:
        short: its name without what all settings have in common.
        label: the short name; where several settings share an algorithm, with dash and marker
            in words.
    """

    colour: palette.Colour
    dash: str
    symbol: str
    short: str
    label: str


def looks(settings: Sequence[Setting]) -> dict[str, Look]:
    """Return the look of each setting by its name; no two share colour, dash and marker."""
    shared = Counter(setting.algorithm for setting in settings)
    taken: Counter[palette.Colour] = Counter()
    found = {}
    for setting in settings:
        colour, own = palette.algorithm(setting.algorithm)
        step = taken[colour]
        taken[colour] += 1
        dash = _dash(own, step, {look.dash for look in found.values() if look.colour == colour})
        symbol = list(SYMBOLS)[step % len(SYMBOLS)]
        told = f" ({DASHES[dash]}, {SYMBOLS[symbol]})" if shared[setting.algorithm] > 1 else ""
        found[setting.name] = Look(colour, dash, symbol, setting.short, setting.short + told)
    return found


def _dash(own: str, step: int, used: set[str]) -> str:
    """Return the algorithm's own dash, or where it is taken, the next that is free."""
    names = list(DASHES)
    start = names.index(own)
    order = names[start:] + names[:start]
    free = [name for name in order if name not in used]
    return free[0] if free else order[step % len(order)]


def wrapped(text: str, width: int = WRAP) -> str:
    """Return a text in lines of about `width` letters, as Plotly breaks and escapes them."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return "<br>".join(line.replace("<", "&lt;") for line in lines)
