"""All found architectures: accuracy against what they cost, with the best trade-offs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import streamlit as st

from app import client
from app.found import Found
from app.found_files import columns
from app.widgets import chart, numbers, pareto
from app.widgets.empty import empty
from app.widgets.found_filter import VALUES
from app.widgets.pareto import COSTS, Dot

WRITE: dict[str, Callable[[float | None], str]] = {
    "params": lambda value: f"{numbers.params(value)} parameters",
    "flops": lambda value: f"{numbers.flops(value)} FLOPs",
    "latency_ms": numbers.milliseconds,
}
_NOTE = (
    "The line joins the architectures that no other one of the same data set beats in both. "
    "Click a point to select it. At most 1,500 points are drawn, all of the line among them."
)
_LATENCY = " Latencies of different devices cannot be compared; the pointer shows which it was."


def draw(found: Sequence[Found], value: str, chosen: Collection[str]) -> str | None:
    """Draw the scatter and return the key of an architecture that was clicked just now."""
    cost = st.segmented_control(
        "Accuracy against",
        list(COSTS),
        default="params",
        required=True,
        format_func=lambda name: COSTS[name][0],
        key="found-cost",
        bind="query-params",
    )
    cost = cost or "params"
    shown = dots(found, value, cost)
    if not shown:
        empty(
            f"No architecture has both: {VALUES[value].lower()} accuracy and {COSTS[cost][0]}",
            "Latency is measured at the end of a run; those of earlier versions do not have it. "
            "Choose another quantity.",
        )
        return None
    clicked = chart.show(
        sentence(shown, cost, value),
        pareto.figure(
            shown,
            "found",
            COSTS[cost][1],
            f"{VALUES[value].lower()} accuracy (%)",
            lambda name: client.title("algorithms", name),
            chosen,
        ),
        f"found-{value}-{cost}",
        columns(found),
        _NOTE + (_LATENCY if cost == "latency_ms" else ""),
    )
    return str(clicked) if clicked else None


def dots(found: Sequence[Found], value: str, cost: str) -> list[Dot]:
    """Return the architectures of which both numbers are known."""
    names = {one.data for one in found}
    titles = {name: client.title("datasets", name) if len(names) > 1 else "" for name in names}
    return [
        Dot(
            getattr(one, cost),
            getattr(one, value),
            one.algorithm,
            _hover(one, cost),
            one.key,
            titles[one.data],
        )
        for one in found
        if getattr(one, cost) is not None and getattr(one, value) is not None
    ]


def _hover(one: Found, cost: str) -> str:
    where = f" on {one.latency_on}" if cost == "latency_ms" and one.latency_on else ""
    lines = (
        _safe(one.text.replace("+", "+\n").replace("), (", "),\n(")),
        f"{_safe(one.run_name)}, rank {one.rank}, {one.data}",
        f"stand-alone {numbers.accuracy(one.stand_alone)}, "
        f"super-net {numbers.accuracy(one.super_net)}",
        f"{WRITE[cost](getattr(one, cost))}{where}",
    )
    return "<br>".join(lines)


def _safe(text: str) -> str:
    """Keep a user's words from being read as the chart's markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")


def sentence(shown: Sequence[Dot], cost: str, value: str) -> str:
    """Say what the front spans; where several data sets are shown, how many have one."""
    places = {dot.within for dot in shown}
    many = f"{len(shown):,} architectures" if len(shown) > 1 else "One architecture"
    if len(places) > 1:
        return f"{many} on {len(places)} data sets, each with its best trade-offs"
    best = pareto.front([dot.cost for dot in shown], [dot.value for dot in shown])
    low, high = shown[best[0]], shown[best[-1]]
    top = f"{numbers.accuracy(high.value)} {VALUES[value].lower()} at {WRITE[cost](high.cost)}"
    if len(best) == 1 or low.value == high.value:
        return f"{many}: none beats {top}"
    return f"{many}: the best trade-offs lead from {numbers.accuracy(low.value)} to {top}"
