"""A table of numbers as colours: one row a choice, one column an option or an epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.widgets import chart
from app.widgets.plot import Figure

ROW_PIXELS = 26
LOW_PIXELS, MANY = 16, 12  # rows without numbers in them can be lower where there are many
MOST_WRITTEN = 300  # cells; beyond, their numbers would be too small to read


def figure(
    rows: Sequence[Sequence[float | None]],
    names: Sequence[str],
    columns: Sequence[Any],
    titles: tuple[str, str, str],
    limits: tuple[float, float],
    stamp: str,
) -> Figure:
    """Draw the table.

    Args:
        rows: one list a row, one number or None a column.
        names: of the rows; the first is drawn on top. A click on a cell tells its row's position.
        columns: names, or numbers on an axis that goes on.
        titles: of the columns, of the rows, and of the numbers with their unit.
        limits: the numbers at the two ends of the colours.
        stamp: keeps the zoom as long as it is the same.
    """
    across, down, value = titles
    named = bool(columns) and isinstance(columns[0], str)
    drawn = chart.base_figure(stamp, across, down, height(len(names), named))
    drawn["layout"]["yaxis"] |= {
        "type": "category", "autorange": "reversed", "showgrid": False, "dtick": 1,
    }  # fmt: skip
    drawn["layout"]["xaxis"] |= {"showgrid": False}
    if named:
        drawn["layout"]["xaxis"] |= {"type": "category", "tickangle": -30}
    low, high = limits
    trace = {
        "type": "heatmap",
        "x": list(columns),
        "y": list(names),
        "z": [list(row) for row in rows],
        "customdata": [[place] * len(columns) for place in range(len(names))],
        "name": value,
        "zmin": low,
        "zmax": high,
        "colorscale": "Cividis",
        "colorbar": {
            "title": {"text": value, "side": "right"}, "thickness": 12, "tickformat": ".3~g",
        },
        "hovertemplate": f"%{{y}}<br>{'' if named else 'epoch '}%{{x}}<br>%{{z:.3f}}"
        "<extra></extra>",
    }  # fmt: skip
    if named and len(names) * len(columns) <= MOST_WRITTEN:
        digits = 2 if high - low > 0.05 else 4
        trace |= {
            "texttemplate": f"%{{z:.{digits}f}}",
            "textfont": {"size": 11},
            "xgap": 1,
            "ygap": 1,
        }
    drawn["data"].append(trace)
    return drawn


def height(rows: int, named: bool) -> int:
    """Return the height of a table in pixels; `named`: its columns are options."""
    each = ROW_PIXELS if named or rows <= MANY else LOW_PIXELS
    return max(220, 100 + each * rows)


def by_option(
    rows: Sequence[Sequence[float]], options: Sequence[Sequence[str]]
) -> tuple[list[str], list[list[float | None]]]:
    """Put numbers of choices with different options into one table.

    Returns:
        All options, in the order in which they are met; and the rows, None where a choice does
        not have the option.
    """
    columns = list(dict.fromkeys(option for own in options for option in own))
    table: list[list[float | None]] = []
    for row, own in zip(rows, options, strict=True):
        known = dict(zip(own, row, strict=True))
        table.append([known.get(option) for option in columns])
    return columns, table
