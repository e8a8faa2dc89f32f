"""Black or white, whichever can be read on a cell that is coloured by its value."""

from __future__ import annotations

from app.widgets.palette import BACKGROUND, Colour, Theme

# Relative luminance at which black and white have the same contrast (WCAG 2: sqrt(1.05 · 0.05) −
# 0.05); the better of the two has at least 4.58:1 on any colour.
EVEN = 0.179


def ink(full: Colour, share: float) -> Colour:
    """Return the text colour on a cell.

    Args:
        full: colour of the strongest cell; the weakest has the page's own.
        share: how far this cell's colour is from the page's to the full one, 0 to 1.
    """
    return Colour(_ink(full, share, "light"), _ink(full, share, "dark"))


def _ink(full: Colour, share: float, theme: Theme) -> str:
    parts = zip(_parts(BACKGROUND.on(theme)), _parts(full.on(theme)), strict=True)
    mixed = [(1 - share) * page + share * own for page, own in parts]
    red, green, blue = (_linear(part / 255) for part in mixed)
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#000000" if light > EVEN else "#FFFFFF"


def _parts(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]


def _linear(part: float) -> float:
    """Return a channel of sRGB as light, 0 to 1 (IEC 61966-2-1)."""
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
