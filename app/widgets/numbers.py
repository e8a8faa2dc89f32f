"""How numbers and times are written, the same on every page.

A missing number is always an en dash.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

NONE = "–"
_PERCENT = ("super_net_accuracy", "final_accuracy", "regret")
_TAU = ("kendall_tau", "sparse_kendall_tau", "spearman", "sparse_spearman")


def _missing(value: float | None) -> bool:
    return value is None or not math.isfinite(value)


def correlation(value: float | None) -> str:
    """Write a rank correlation with three digits, with a true minus sign."""
    return NONE if _missing(value) else f"{value:.3f}".replace("-", "−")


def searcher(name: str) -> str:
    """Return how a searcher is called on pages."""
    known = {"derived": "The learner's choice", "drawn": "Draws of the learner"}
    return known.get(name, name.capitalize())


def accuracy(value: float | None) -> str:
    """Write an accuracy that is given in percent."""
    return NONE if _missing(value) else f"{value:.2f} %"


def count(value: float | None) -> str:
    """Write a whole number with thousands separated."""
    return NONE if _missing(value) else f"{round(value):,}"


def params(value: float | None) -> str:
    """Write a number of parameters in millions, or thousands where it is very small."""
    if _missing(value):
        return NONE
    return f"{value / 1e3:.1f} k" if value < 1e5 else f"{value / 1e6:.2f} M"


def flops(value: float | None) -> str:
    """Write multiply-adds in M, or G from a thousand million on."""
    if _missing(value):
        return NONE
    if value >= 1e9:
        return f"{value / 1e9:.2f} G"
    return f"{value / 1e6:.1f} M" if value >= 1e7 else f"{value / 1e6:.2f} M"


def milliseconds(value: float | None) -> str:
    """Write a short time with three digits."""
    if _missing(value):
        return NONE
    return f"{value:.0f} ms" if value >= 100 else f"{value:#.3g} ms"


def metric(name: str, value: float | None) -> str:
    """Write a metric of the catalogue by its kind."""
    if name in _TAU:
        return correlation(value)
    if name in _PERCENT:
        return accuracy(value)
    if name in ("best_rank", "sample_size"):
        return count(value)
    return NONE if _missing(value) else f"{value:.3g}"


def duration(seconds: float | None) -> str:
    """Write a length of time in the two largest units."""
    if _missing(seconds) or seconds < 0:
        return NONE
    whole = round(seconds)
    if whole < 1:
        return "under 1 s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def speed(value: float | None, unit: str | None) -> str:
    """Write a speed with its unit; empty where there is none."""
    if _missing(value) or not value or not unit:
        return ""
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def share(value: float) -> str:
    """Write a share of 1 as a whole percentage."""
    return f"{100 * min(max(value, 0.0), 1.0):.0f} %"


def size(value: int) -> str:
    """Write a number of bytes."""
    amount = float(value)
    for unit in ("B", "KB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.2f} GB"


def zone() -> ZoneInfo:
    """Return the viewer's time zone, UTC where the browser tells none that is known here."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def clock(moment: float, now: float, where: ZoneInfo) -> str:
    """Write a moment as a person would say it on the day `now`."""
    then, today = datetime.fromtimestamp(moment, where), datetime.fromtimestamp(now, where)
    if then.date() == today.date():
        return f"{then:%H:%M}"
    if then.date() == today.date() - timedelta(days=1):
        return f"yesterday {then:%H:%M}"
    return f"{then.day} {then:%b %H:%M}" if then.year == today.year else f"{then:%Y-%m-%d}"


def ago(moment: float, now: float) -> str:
    """Write how long ago something was."""
    seconds = max(now - moment, 0)
    if seconds < 10:
        return "just now"
    if seconds < 60:
        return f"{seconds:.0f} s ago"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min ago"
    return f"{seconds // 3600:.0f} h ago" if seconds < 86400 else f"{seconds // 86400:.0f} d ago"
