"""Where things lie and how long to wait: settings taken from environment variables."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.spec.errors import WorkbenchError

ROOT = Path(__file__).resolve().parent.parent
_PREFIX = re.compile(r"[A-Za-z0-9_.-]{1,40}")


class SettingsError(WorkbenchError):
    """An environment variable has a value that cannot be used."""


@dataclass(frozen=True)
class Settings:
    """Settings of store, workers and page; the environment variable is named after each.

    Attributes:
        data: folder of everything that is kept beside the runs: store, logs (NASW_DATA).
        runs: folder of the run folders (NASW_RUNS).
        redis_url: a Redis server to use; None starts the embedded store (REDIS_URL).
        prefix: start of every key and the queue's name, so that several workbenches can share
            one server (NASW_QUEUE_PREFIX).
        host: address the page listens on (NASW_HOST).
        port: port of the page; None takes 8501 or the next free one (NASW_PORT).
        store_port: port of the embedded store; None takes a free one (NASW_STORE_PORT).
        devices: `auto`, `cpu`, or GPU numbers such as `0,1` (NASW_DEVICES).
        page: script of the page (NASW_PAGE).
        allowed_hosts: names under which the page may be opened when it listens on this machine
            only (NASW_ALLOWED_HOSTS, separated by commas).
        sweep_seconds: time between two looks for orphaned runs (NASW_SWEEP_SECONDS).
        stop_seconds: time a run has to stop by itself before it is killed (NASW_STOP_SECONDS).
        shutdown_seconds: time running runs have for their checkpoint when everything stops
            (NASW_SHUTDOWN_SECONDS).
    """

    data: Path = Path(".data")
    runs: Path = Path("runs")
    redis_url: str | None = None
    prefix: str = "nasw"
    host: str = "127.0.0.1"
    port: int | None = None
    store_port: int | None = None
    devices: str = "auto"
    page: Path = ROOT / "app" / "main.py"
    allowed_hosts: tuple[str, ...] = ("localhost", "127.0.0.1")
    sweep_seconds: float = 30.0
    stop_seconds: float = 30.0
    shutdown_seconds: float = 60.0

    @property
    def logs(self) -> Path:
        """Folder of the logs of all processes."""
        return self.data / "logs"

    @property
    def store(self) -> Path:
        """Folder of the embedded store's files."""
        return self.data / "store"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings; relative paths are taken from the current folder.

        Raises:
            SettingsError: a value cannot be used.
        """
        values = os.environ if environment is None else environment
        plain = cls()
        prefix = values.get("NASW_QUEUE_PREFIX") or plain.prefix
        if not _PREFIX.fullmatch(prefix):
            raise SettingsError(
                f"NASW_QUEUE_PREFIX is `{prefix:.60}`; use 1 to 40 letters, digits, `_`, `.`, `-`."
            )
        hosts = values.get("NASW_ALLOWED_HOSTS", "")
        return cls(
            data=Path(values.get("NASW_DATA") or plain.data).absolute(),
            runs=Path(values.get("NASW_RUNS") or plain.runs).absolute(),
            redis_url=values.get("REDIS_URL") or None,
            prefix=prefix,
            host=values.get("NASW_HOST") or plain.host,
            port=_port(values, "NASW_PORT"),
            store_port=_port(values, "NASW_STORE_PORT"),
            devices=values.get("NASW_DEVICES") or plain.devices,
            page=Path(values.get("NASW_PAGE") or plain.page).absolute(),
            allowed_hosts=tuple(h.strip() for h in hosts.split(",") if h.strip())
            or plain.allowed_hosts,
            sweep_seconds=_seconds(values, "NASW_SWEEP_SECONDS", plain.sweep_seconds),
            stop_seconds=_seconds(values, "NASW_STOP_SECONDS", plain.stop_seconds),
            shutdown_seconds=_seconds(values, "NASW_SHUTDOWN_SECONDS", plain.shutdown_seconds),
        )

    def to_environment(self) -> dict[str, str]:
        """Return the variables that give another process the same settings."""
        values = {
            "NASW_DATA": str(self.data),
            "NASW_RUNS": str(self.runs),
            "NASW_QUEUE_PREFIX": self.prefix,
            "NASW_HOST": self.host,
            "NASW_DEVICES": self.devices,
            "NASW_PAGE": str(self.page),
            "NASW_ALLOWED_HOSTS": ",".join(self.allowed_hosts),
            "NASW_SWEEP_SECONDS": repr(self.sweep_seconds),
            "NASW_STOP_SECONDS": repr(self.stop_seconds),
            "NASW_SHUTDOWN_SECONDS": repr(self.shutdown_seconds),
        }
        if self.redis_url is not None:
            values["REDIS_URL"] = self.redis_url
        return values


def _port(values: Mapping[str, str], name: str) -> int | None:
    text = values.get(name, "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise SettingsError(f"{name} is `{text:.60}`; give a port, 1 to 65535, or leave it out.")
    return int(text)


def _seconds(values: Mapping[str, str], name: str, default: float) -> float:
    text = values.get(name, "").strip()
    if not text:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0.1 <= seconds <= 86_400:
        raise SettingsError(f"{name} is `{text:.60}`; give seconds from 0.1 to 86400.")
    return seconds
