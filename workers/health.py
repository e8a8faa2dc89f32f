"""How the store is: version, memory, keys, whether it writes to disk, how fast it answers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from redis import Redis


@dataclass(frozen=True)
class StoreHealth:
    """What the store says of itself.

    Attributes:
        address: where it is, without its password.
        embedded: it is the one that comes with the workbench.
        product: `valkey 9.1.2`, say.
        uptime: seconds since it was started.
        memory: bytes that it uses.
        memory_limit: bytes that it may use; 0: all there are.
        keys: keys it holds, of whomever.
        clients: connections.
        appends: it appends every change to a file, so that a killed store loses at most a second.
        writes_well: the last write to disk went well.
        latency_ms: the quickest of a few round trips, in milliseconds.
    """

    address: str
    embedded: bool
    product: str
    uptime: int
    memory: int
    memory_limit: int
    keys: int
    clients: int
    appends: bool
    writes_well: bool
    latency_ms: float


def read_health(connection: Redis, address: str, embedded: bool) -> StoreHealth:
    """Ask the store; raises `RedisError` when it does not answer."""
    told: dict[str, Any] = connection.info()
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        connection.ping()
        times.append(time.perf_counter() - begun)
    name = str(told.get("server_name", "redis"))
    version = told.get("valkey_version") or told.get("redis_version", "")
    return StoreHealth(
        address=address,
        embedded=embedded,
        product=f"{name} {version}".strip(),
        uptime=int(told.get("uptime_in_seconds", 0)),
        memory=int(told.get("used_memory", 0)),
        memory_limit=int(told.get("maxmemory", 0)),
        keys=int(connection.dbsize()),
        clients=int(told.get("connected_clients", 0)),
        appends=bool(told.get("aof_enabled", 0)),
        writes_well=told.get("aof_last_write_status", "ok") == "ok"
        and told.get("rdb_last_bgsave_status", "ok") == "ok",
        latency_ms=round(1000 * min(times), 2),
    )
