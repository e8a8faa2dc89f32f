"""Comparing finished runs: seeds of one setting form a group (002 Table 1; 000 §5.2.3)."""

from __future__ import annotations

from engine.compare.groups import group_runs
from engine.compare.render import FORMATS, render
from engine.compare.table import ComparisonTable, compare_runs

__all__ = ["FORMATS", "ComparisonTable", "compare_runs", "group_runs", "render"]
