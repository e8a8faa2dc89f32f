"""Colours by meaning, for both themes, safe for colour-blind readers.

Every colour has at least 4.5:1 contrast with its theme's background. A colour never stands
alone: lines also differ by dash, points by shape, states by icon and word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from engine.states import State

Theme = Literal["light", "dark"]


@dataclass(frozen=True)
class Colour:
    """One meaning's colour in the two themes."""

    light: str
    dark: str

    def on(self, theme: Theme) -> str:
        """Return the colour for a theme."""
        return self.dark if theme == "dark" else self.light

    @property
    def css(self) -> str:
        """Return a CSS value that follows the page's theme by itself."""
        return f"light-dark({self.light}, {self.dark})"


ACCENT = Colour("#0E7490", "#3CC2DD")
BLUE = Colour("#0072B2", "#6BB5F2")
ORANGE = Colour("#C2500A", "#F08A4B")
GREEN = Colour("#00805D", "#35C79B")
PINK = Colour("#A3558A", "#E29AC6")
OCHRE = Colour("#8F6A00", "#E3B62E")
GREY = Colour("#5B6770", "#A9B4BE")
RED = Colour("#B3261E", "#FF8A80")
VIOLET = Colour("#6D4AB0", "#B9A2F2")
BACKGROUND = Colour("#FFFFFF", "#0F161B")
GRID = Colour("#E3E8EC", "#26323A")

# What a kind of number looks like in every chart.
METRICS: dict[str, tuple[Colour, str, str]] = {
    "sparse_kendall_tau": (ACCENT, "solid", "circle"),
    "kendall_tau": (ORANGE, "dash", "square"),
    "spearman": (VIOLET, "dot", "triangle-up"),
    "sparse_spearman": (PINK, "dashdot", "triangle-down"),
    "super_net_accuracy": (GREEN, "solid", "diamond"),
}
LANDMARK = OCHRE
RING = RED

# One look per algorithm, kept everywhere: no two share both colour and dash.
_ALGORITHMS: dict[str, tuple[Colour, str]] = {
    "spos": (ACCENT, "solid"),
    "rsps": (ORANGE, "dash"),
    "evolution": (ACCENT, "solid"),
    "random": (ORANGE, "dash"),
    "fairnas": (GREEN, "dashdot"),
    "random_a": (OCHRE, "dot"),
    "one_shot": (GREY, "solid"),
    "darts": (VIOLET, "solid"),
    "darts_2nd": (VIOLET, "dash"),
    "darts_plus": (VIOLET, "dot"),
    "pc_darts": (VIOLET, "dashdot"),
    "fair_darts": (VIOLET, "longdash"),
    "gdas": (PINK, "dash"),
    "setn": (PINK, "solid"),
    "bayesnas": (PINK, "dot"),
    "fbnet": (GREEN, "solid"),
    "fbnet_v2": (GREEN, "dash"),
    "proxylessnas": (GREEN, "dot"),
    "enas": (BLUE, "dot"),
    "tunas": (BLUE, "solid"),
    "reinforce_shared": (BLUE, "dash"),
    "nao": (OCHRE, "longdash"),
}
_OTHERS = (BLUE, GREEN, VIOLET, PINK, OCHRE, GREY)
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


def algorithm(name: str) -> tuple[Colour, str]:
    """Return colour and dash of an algorithm or searcher; the same name always gets the same."""
    if name in _ALGORITHMS:
        return _ALGORITHMS[name]
    number = sum((position + 1) * ord(letter) for position, letter in enumerate(name))
    return _OTHERS[number % len(_OTHERS)], _DASHES[number // len(_OTHERS) % len(_DASHES)]


@dataclass(frozen=True)
class Look:
    """How a state of a run is shown."""

    word: str
    icon: str
    colour: Colour
    badge: Literal["gray", "primary", "orange", "green", "red"]


STATES: dict[State, Look] = {
    "queued": Look("Queued", "schedule", GREY, "gray"),
    "running": Look("Running", "play_circle", ACCENT, "primary"),
    "paused": Look("Paused", "pause_circle", ORANGE, "orange"),
    "finished": Look("Finished", "check_circle", GREEN, "green"),
    "failed": Look("Failed", "error", RED, "red"),
    "stopped": Look("Stopped", "stop_circle", GREY, "gray"),
    "interrupted": Look("Interrupted", "power_off", ORANGE, "orange"),
    "deleted": Look("Deleted", "delete", GREY, "gray"),
}

# Operations of a cell by kind: convolutions are strong, connections light, pooling apart.
_OPERATIONS = (
    ("conv_3x3", ACCENT),
    ("conv_1x1", BLUE),
    ("conv", VIOLET),
    ("skip", GREY),
    ("pool", OCHRE),
)


def operation(name: str) -> Colour:
    """Return the colour of an operation in a drawn cell."""
    for part, colour in _OPERATIONS:
        if part in name:
            return colour
    return PINK


def theme() -> Theme:
    """Return the viewer's theme."""
    return "dark" if st.context.theme.type == "dark" else "light"
