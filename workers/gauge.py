"""Memory and load of what a worker computes on, told to the store every few seconds.

Asked of the driver's own program and of the operating system: a worker must not touch CUDA, as
the processes of its runs are forked from it.
"""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import threading
from dataclasses import asdict, dataclass
from typing import Any

import psutil
from redis import Redis
from redis.exceptions import RedisError

from engine.spec.errors import StoreError
from workers.devices import Device
from workers.keys import Keys
from workers.settings import Settings
from workers.store import connect, store_url

EVERY_SECONDS = 5.0
LIFETIME = 60  # seconds after which a reading is forgotten
QUERY = "memory.used,memory.total,utilization.gpu"

log = logging.getLogger("workers.gauge")


@dataclass(frozen=True)
class Reading:
    """One look at a device.

    Attributes:
        used: bytes of its memory in use, by whomever.
        total: bytes of its memory.
        load: share of its computing time in use, 0 to 1; None where nobody can tell.
    """

    used: int
    total: int
    load: float | None

    @classmethod
    def parse(cls, text: bytes | None) -> Reading | None:
        """Read what `Gauge` wrote; None when there is none, or it is damaged."""
        try:
            value: Any = json.loads(text or b"")
            load = value["load"]
            return cls(int(value["used"]), int(value["total"]), load and float(load))
        except (ValueError, TypeError, KeyError):
            return None


def read_device(device: Device) -> Reading | None:
    """Look at a device; None when nobody can tell, as for a slice of a GPU."""
    if not device.visible:
        memory = psutil.virtual_memory()
        return Reading(
            memory.total - memory.available, memory.total, psutil.cpu_percent(None) / 100
        )
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    command = [program, f"--query-gpu={QUERY}", "--format=csv,noheader,nounits"]
    try:
        found = subprocess.run(
            [*command, "-i", device.visible],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_query(found.stdout) if found.returncode == 0 else None


def parse_query(text: str) -> Reading | None:
    """Read a line of `nvidia-smi --query-gpu`: MiB used, MiB in all, percent of time."""
    parts = [part.strip() for part in text.strip().split(",")]
    try:
        used, total = (int(part) * 2**20 for part in parts[:2])
    except ValueError:
        return None
    load = int(parts[2]) / 100 if len(parts) > 2 and parts[2].isdigit() else None
    return Reading(used, total, load)


class Gauge:
    """Writes readings of a worker's device from a thread of its own.

    Args:
        settings: where the store is.
        device: what to look at.
        worker: name of the worker, under which viewers find the reading.
    """

    def __init__(self, settings: Settings, device: Device, worker: str) -> None:
        self._settings = settings
        self._device = device
        self._key = Keys(settings.prefix).gauge(worker)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="gauge", daemon=True)

    def __enter__(self) -> Gauge:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()

    def _tell(self) -> None:
        connection: Redis | None = None
        while not self._stop.is_set():
            reading = read_device(self._device)
            try:
                connection = connection or connect(store_url(self._settings))
                if reading is not None:
                    connection.set(self._key, json.dumps(asdict(reading)), ex=LIFETIME)
            except (RedisError, StoreError) as error:
                log.debug("The store does not learn how busy the device is: %s", error)
            self._stop.wait(EVERY_SECONDS)
        if connection is not None:
            connection.close()
