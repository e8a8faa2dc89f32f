"""Comparing finished runs: seeds of one setting form a group (002 Table 1; 000 §5.2.3)."""

from __future__ import annotations

from engine.compare.groups import group_runs
from engine.compare.landmark_table import LandmarkRow, landmark_rows, render_landmark
from engine.compare.render import FORMATS, render
from engine.compare.table import ComparisonTable, compare_runs, tabulate

__all__ = [
    "FORMATS",
    "ComparisonTable",
    "LandmarkRow",
    "compare_runs",
    "group_runs",
    "landmark_rows",
    "render",
    "render_landmark",
    "tabulate",
]
