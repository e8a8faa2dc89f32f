"""Workers and their devices: what each does, and how full its memory is."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from app.widgets import numbers
from app.widgets.palette import ACCENT, GREEN, GREY, ORANGE, RED, Colour

if TYPE_CHECKING:
    from workers.client import WorkerStatus

STATES: dict[str, tuple[str, Colour]] = {
    "idle": ("Free", GREEN),
    "busy": ("Running", ACCENT),
    "measuring": ("Measuring", ACCENT),
    "starting": ("Starting", GREY),
    "silent": ("Silent", ORANGE),
}
FULL = 0.9


def cards(workers: tuple[WorkerStatus, ...], names: dict[str, str], now: float) -> str:
    """Return a card per worker as HTML.

    Args:
        workers: all of them.
        names: names of runs by id.
        now: Unix seconds.
    """
    inside = "".join(_card(worker, names, now) for worker in workers)
    return f'<div class="nw-cards">{inside}</div>'


def _card(worker: WorkerStatus, names: dict[str, str], now: float) -> str:
    word, colour = STATES[worker.state]
    dot = f'<span class="nw-dot" style="background:{colour.css}"></span>'
    alive = numbers.ago(worker.last_heartbeat, now)
    return (
        f'<div class="nw-tile"><div class="nw-row"><b>{escape(worker.device)}</b>'
        f'<span class="nw-push nw-small">{dot}{word}</span></div>'
        f'<div class="nw-small">{_doing(worker, names)}</div>{_reading(worker)}'
        f'<div class="nw-quiet nw-small">{escape(worker.name)}, last sign of life {alive}</div>'
        "</div>"
    )


def _doing(worker: WorkerStatus, names: dict[str, str]) -> str:
    if worker.run_id is not None:
        name = escape(names.get(worker.run_id, worker.run_id))
        return f'<a href="experiment?run={quote(worker.run_id)}" target="_self">{name}</a>'
    if worker.state == "measuring":
        return "Measures time and memory of an experiment"
    if worker.state == "silent":
        return "Nobody knows what it does; see its log, or start it again"
    return "Waits for the next run"


def _reading(worker: WorkerStatus) -> str:
    found = worker.reading
    if found is None:
        return '<div class="nw-quiet nw-small">Memory of this device is not known</div>'
    what = "Memory of the machine" if worker.device.upper() == "CPU" else "GPU memory"
    memory = found.used / max(found.total, 1)
    said = f"{numbers.size(found.used)} of {numbers.size(found.total)}"
    rows = _row(what, memory, said, RED if memory > FULL else ACCENT)
    if found.load is not None:
        rows += _row("Computing", found.load, numbers.share(found.load), ACCENT)
    return f'<dl class="nw-stages nw-small">{rows}</dl>'


def _row(name: str, share: float, said: str, colour: Colour) -> str:
    width = 100 * min(max(share, 0.0), 1.0)
    return (
        f'<dt>{name}</dt><dd><i aria-hidden="true"><b style="width:{width:.0f}%;'
        f'background:{colour.css}"></b></i><span>{said}</span></dd>'
    )
