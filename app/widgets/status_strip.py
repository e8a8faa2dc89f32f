"""Store, workers, queue and runs in one strip."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from app.widgets import numbers
from app.widgets.palette import GREEN, GREY, ORANGE, RED, Colour

if TYPE_CHECKING:
    from workers.client import RunSummary, SystemStatus

CPU = "cpu"
NEARLY = 0.95  # of the memory in use: a larger run may not fit


def strip(status: SystemStatus, runs: Sequence[RunSummary]) -> str:
    """Return the strip as HTML."""
    tiles = [_store(status), _workers(status), _memory(status), _queue(status, runs)]
    tiles.append(_finished(runs))
    return f'<div class="nw-strip">{"".join(tiles)}</div>'


def tile(label: str, figure: str, detail: str, dot: Colour | None = None) -> str:
    """Return one tile as HTML: what it is, the figure, what it means."""
    mark = f'<span class="nw-dot" style="background:{dot.css}"></span>' if dot else ""
    return (
        f'<div class="nw-tile"><span class="nw-label">{escape(label)}</span>'
        f"<b>{mark}{escape(figure)}</b>"
        f'<span class="nw-quiet nw-small">{escape(detail)}</span></div>'
    )


def _store(status: SystemStatus) -> str:
    if status.store_ok:
        return tile("Store", "Healthy", status.message or "answers", GREEN)
    return tile("Store", "Reconnecting", status.message, RED)


def _workers(status: SystemStatus) -> str:
    busy = sum(worker.busy for worker in status.workers)
    total = len(status.workers)
    if not total:
        return tile("Workers", "None online", "queued runs wait until one starts", ORANGE)
    devices = ", ".join(sorted({worker.device for worker in status.workers}))
    return tile("Workers", f"{busy} of {total} busy", devices, GREEN)


def _memory(status: SystemStatus) -> str:
    """Return the memory of all GPUs that tell theirs; nothing in a lab that has none."""
    told = [w.reading for w in status.workers if w.device.lower() != CPU and w.reading is not None]
    if not told:
        return ""
    used, total = sum(one.used for one in told), sum(one.total for one in told)
    share = used / total if total else 0.0
    detail = f"{numbers.size(used)} of {numbers.size(total)} in use"
    if len(told) > 1:
        detail += f", {len(told)} GPUs"
    return tile("GPU memory", numbers.share(share), detail, ORANGE if share > NEARLY else GREEN)


def _queue(status: SystemStatus, runs: Sequence[RunSummary]) -> str:
    waiting = status.queue_length
    detail = "nothing waits" if not waiting else "start when a worker is free"
    return tile("Queue", f"{waiting} waiting", detail, GREY if not waiting else ORANGE)


def _finished(runs: Sequence[RunSummary]) -> str:
    finished = sum(run.state == "finished" for run in runs)
    failed = sum(run.state == "failed" for run in runs)
    if failed:
        detail = f"{failed} failed, the reasons stand under System"
        return tile("Experiments", f"{finished} finished", detail, ORANGE)
    return tile("Experiments", f"{finished} finished", "none failed", GREEN)
