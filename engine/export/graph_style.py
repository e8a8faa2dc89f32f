"""How operations look in drawings: colour, dash and shape, so that none carries meaning alone.

The colours follow Okabe and Ito ("Color Universal Design", 2008), darkened where needed: each has
a contrast of at least 3:1 both with white and with a dark page, since a file cannot know what it
will be put on. They differ in lightness, too, which is what remains for a colour-blind reader.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from engine.core.space import CellGraph

BLUE, GREEN, OCHRE = "#0068B0", "#14A37F", "#B07800"
VERMILLION, PURPLE, TEAL, GREY = "#D55E00", "#C46FA0", "#2B8C9E", "#667078"
NODE, NOTE = "#5F6B77", "#757C84"

Shape = Literal["pill", "box", "hexagon"]


@dataclass(frozen=True)
class Look:
    """How an operation is drawn.

    Attributes:
        colour: of its line and label.
        dash: SVG dash pattern of its line, empty for a solid one.
        shape: of its label; convolutions are pills, pooling a box, the rest hexagons.
    """

    colour: str
    dash: str
    shape: Shape


_SKIP = Look(GREY, "", "hexagon")
_KNOWN = {
    "none": Look(NOTE, "2 5", "hexagon"),
    "skip_connect": _SKIP,
    "identity": _SKIP,
    "nor_conv_3x3": Look(BLUE, "", "pill"),
    "nor_conv_1x1": Look(GREEN, "11 4", "pill"),
    "avg_pool_3x3": Look(OCHRE, "6 3", "box"),
    "max_pool_3x3": Look(VERMILLION, "9 3 2 3", "box"),
    "sep_conv_3x3": Look(BLUE, "", "pill"),
    "sep_conv_5x5": Look(TEAL, "14 4", "pill"),
    "dil_conv_3x3": Look(PURPLE, "9 3 2 3", "pill"),
    "dil_conv_5x5": Look(GREEN, "11 4", "pill"),
    "conv3x3-bn-relu": Look(BLUE, "", "pill"),
    "conv1x1-bn-relu": Look(GREEN, "11 4", "pill"),
    "maxpool3x3": Look(VERMILLION, "9 3 2 3", "box"),
}
_OTHERS = tuple(
    Look(colour, dash, "hexagon")
    for dash in ("14 3 3 3", "4 3", "")
    for colour in (PURPLE, TEAL, VERMILLION, OCHRE, GREEN, BLUE)
)
_LABELS = {
    "skip_connect": "skip",
    "conv3x3-bn-relu": "conv 3×3",
    "conv1x1-bn-relu": "conv 1×1",
    "maxpool3x3": "max pool 3×3",
}


def styles(graphs: Mapping[str, CellGraph]) -> dict[str, Look]:
    """Return the look of every operation in some cells, in order of appearance.

    A known operation looks the same in every drawing, unless one that looks like it (of another
    family) stands before it; that one and unknown ones take what is free.
    """
    names = dict.fromkeys(edge[2] for graph in graphs.values() for edge in graph.edges)
    names.pop("", None)
    found: dict[str, Look] = {}
    for name in names:
        if name in _KNOWN and _KNOWN[name] not in found.values():
            found[name] = _KNOWN[name]
    for place, name in enumerate(name for name in names if name not in found):
        spare = _spare(list(found.values()), place)
        found[name] = replace(spare, shape=_KNOWN[name].shape) if name in _KNOWN else spare
    return {name: found[name] for name in names}


def _spare(taken: Sequence[Look], place: int) -> Look:
    """Return a look of a colour that is free, else one that is free, else any."""
    colours = {look.colour for look in taken}
    free = [look for look in _OTHERS if look not in taken]
    fresh = [look for look in free if look.colour not in colours]
    return (fresh or free or _OTHERS[place % len(_OTHERS) :])[0]


def label(operation: str) -> str:
    """Return a short readable name: `nor_conv_3x3` is `conv 3×3`."""
    if operation in _LABELS:
        return _LABELS[operation]
    words = operation.removeprefix("nor_").replace("_", " ")
    return re.sub(r"(\d)x(\d)", r"\1×\2", words)


def ink_on(colour: str) -> str:
    """Return black or white, whichever is easier to read on a colour."""
    return "#FFFFFF" if contrast(colour, "#FFFFFF") >= 4.5 else "#000000"


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two `#RRGGBB` colours, 1 to 21 (WCAG 2.1)."""
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
