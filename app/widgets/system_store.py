"""The store and the disk: healthy or not, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.widgets import numbers

if TYPE_CHECKING:
    from workers.client import StoreHealth, SystemStatus

SLOW_MS = 20.0
FULL = 0.9
FEW_BYTES = 5_000_000_000


def rows(health: StoreHealth) -> dict[str, object]:
    """Return what is worth knowing about the store, by name."""
    limit = f" of {numbers.size(health.memory_limit)}" if health.memory_limit else ""
    kind = "comes with the workbench" if health.embedded else "a server of your own"
    return {
        "Store": f"{health.product}, {kind}",
        "Address": health.address,
        "Answers within": f"{health.latency_ms:.2g} ms",
        "Memory": f"{numbers.size(health.memory)}{limit}",
        "Keys": numbers.count(health.keys),
        "Connections": numbers.count(health.clients),
        "On disk": _on_disk(health),
        "Up for": numbers.duration(health.uptime),
    }


def _on_disk(health: StoreHealth) -> str:
    if not health.writes_well:
        return "the last write failed"
    return "every change, at once" if health.appends else "not every change"


def warnings(health: StoreHealth) -> Iterator[str]:
    """Yield a sentence for everything about the store that should be put right."""
    if not health.writes_well:
        yield (
            "The store could not write its data to disk. Free some space; the queue is rebuilt "
            "from the run folders if the store is lost meanwhile."
        )
    if health.memory_limit and health.memory > FULL * health.memory_limit:
        yield "The store is nearly full: raise its `maxmemory`, or live updates will be lost."
    if health.latency_ms > SLOW_MS:
        yield (
            f"The store takes {health.latency_ms:.0f} ms to answer, so that pages are slow; a "
            "store nearer to the page helps."
        )
    if not health.appends and not health.embedded:
        yield (
            "The store does not append changes to a file (`appendonly yes`): if it is killed, the "
            "order of the queue is lost. Queued runs themselves are kept in their folders."
        )


def disk(status: SystemStatus) -> tuple[float, str, bool]:
    """Return the used share of the disk, words, and whether little is left."""
    total = max(status.total_disk, 1)
    used = 1 - status.free_disk / total if status.total_disk else 0.0
    said = f"{numbers.size(status.free_disk)} free of {numbers.size(status.total_disk)}"
    return used, said, status.free_disk < FEW_BYTES
