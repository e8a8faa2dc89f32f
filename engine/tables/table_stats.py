"""What a table looks like: ranges, best architectures, and how alike its accuracies rank."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from engine.metrics import spearman
from engine.tables.columns import PERCENT
from engine.tables.store import Table


def table_stats(table: Table, names: Sequence[str] = ()) -> dict[str, Any]:
    """Describe columns, and every pair of accuracy columns.

    Args:
        table: the table.
        names: columns to describe; empty: all.

    Returns:
        `name`, `space` and `rows` of the table. `columns`: per name unit, n, min, mean and max,
        and for accuracies the text of the `best` architecture (the first of equals). `spearman`:
        per pair its two names, Spearman's rho over the architectures that have both (None where
        undefined), and their number.

    Raises:
        TableError: there is no such column.
    """
    columns: dict[str, dict[str, Any]] = {}
    chosen = [table.header.column(name) for name in names] or table.header.columns
    for column in chosen:
        values = table.values(column.name)
        known = values[~np.isnan(values)]
        columns[column.name] = {
            "unit": column.unit,
            "n": len(known),
            "min": float(known.min()),
            "mean": float(known.mean()),
            "max": float(known.max()),
        }
        if column.unit == PERCENT:
            columns[column.name]["best"] = table.texts[int(np.nanargmax(values))]
    accuracies = [column.name for column in chosen if column.unit == PERCENT]
    return {
        "name": table.header.name,
        "space": table.header.space,
        "rows": table.header.rows,
        "columns": columns,
        "spearman": [_alike(table, *pair) for pair in combinations(accuracies, 2)],
    }


def _alike(table: Table, first: str, second: str) -> dict[str, Any]:
    pair = np.stack([table.values(first), table.values(second)])
    pair = pair[:, ~np.isnan(pair).any(axis=0)]
    rho = spearman(pair[0], pair[1]) if pair.shape[1] else None
    return {"columns": [first, second], "spearman": rho, "n": pair.shape[1]}
