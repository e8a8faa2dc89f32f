"""The settings that are compared: how each is drawn, and how far its runs are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape

from app.comparing import Setting
from app.widgets.compare_look import SYMBOLS, Look
from app.widgets.palette import STATES
from engine.states import State

_STROKES = {
    "solid": "",
    "dash": "6 4",
    "dot": "2 3",
    "dashdot": "6 3 2 3",
    "longdash": "10 4",
    "longdashdot": "10 3 2 3",
}


def html(
    settings: Sequence[Setting], looks: Mapping[str, Look], states: Mapping[str, State]
) -> str:
    """Return the list as HTML; `states` is by run id."""
    lines = "".join(_line(one, looks[one.name], states) for one in settings)
    return f'<ul class="nw-roster">{lines}</ul>'


def _line(setting: Setting, look: Look, states: Mapping[str, State]) -> str:
    count = Counter(STATES[states[run_id]].word.lower() for run_id in setting.runs)
    told = ", ".join(f"{number} {word}" for word, number in count.items())
    return (
        f"<li>{swatch(look)}<span>{escape(setting.short)} "
        f'<span class="nw-quiet nw-small">{escape(told)}</span></span></li>'
    )


def swatch(look: Look) -> str:
    """Return a line with the look's colour, dash and marker, as inline SVG."""
    colour = look.colour.css
    return (
        '<svg width="44" height="16" viewBox="0 0 44 16" aria-hidden="true">'
        f'<line x1="0" y1="8" x2="44" y2="8" style="stroke:{colour}" stroke-width="2.4" '
        f'stroke-dasharray="{_STROKES[look.dash]}"/>'
        f'<text x="22" y="13" text-anchor="middle" font-size="14" style="fill:{colour}">'
        f"{SYMBOLS[look.symbol]}</text></svg>"
    )
