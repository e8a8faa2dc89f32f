"""Our mark: a small cell in which one path is taken."""

from __future__ import annotations

from app.widgets.palette import ACCENT, Theme

_MARK = """
<g fill="none" stroke="{quiet}" stroke-width="2.4" stroke-linecap="round">
<path d="M7 24 C13 10 19 7 27 9"/><path d="M27 31 L27 9"/><path d="M27 9 C34 10 38 15 41 24"/></g>
<path d="M7 24 C12 30 19 33 27 31 C34 30 38 28 41 24" fill="none" stroke="{accent}"
 stroke-width="3.6" stroke-linecap="round"/>
<circle cx="27" cy="9" r="4" fill="{ground}" stroke="{quiet}" stroke-width="2.4"/>
<circle cx="7" cy="24" r="5.2" fill="{accent}"/><circle cx="27" cy="31" r="4.6" fill="{accent}"/>
<circle cx="41" cy="24" r="5.2" fill="{accent}"/>
"""
_FONT = "'Source Sans 3','Source Sans',system-ui,'Segoe UI',sans-serif"


def mark(theme: Theme) -> str:
    """Return the mark alone, as SVG text."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 40" width="48" height="40">'
        f"{_MARK.format(**_colours(theme))}</svg>"
    )


def logo(theme: Theme) -> str:
    """Return the mark with the name beside it, as SVG text."""
    ink = "#E4ECF1" if theme == "dark" else "#15212B"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 208 40" width="208" height="40">'
        f"{_MARK.format(**_colours(theme))}"
        f'<text x="58" y="27" font-family="{_FONT}" font-size="21" fill="{ink}" '
        'textLength="144" lengthAdjust="spacingAndGlyphs">'
        '<tspan font-weight="700">NAS</tspan><tspan dx="6">Workbench</tspan></text></svg>'
    )


def favicon() -> str:
    """Return the mark on a filled square, readable at 16 pixels on any browser's bar."""
    colours = {"accent": "#FFFFFF", "quiet": "#7FD3E3", "ground": ACCENT.light}
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -8 56 56">'
        f'<rect x="-4" y="-8" width="56" height="56" rx="12" fill="{ACCENT.light}"/>'
        f"{_MARK.format(**colours)}</svg>"
    )


def _colours(theme: Theme) -> dict[str, str]:
    if theme == "dark":
        return {"accent": ACCENT.dark, "quiet": "#7E909C", "ground": "#131C22"}
    return {"accent": ACCENT.light, "quiet": "#8A9AA6", "ground": "#F2F5F7"}
