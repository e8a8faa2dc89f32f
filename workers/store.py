"""Connections to the Redis-compatible store, and what is wrong with it in one sentence."""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,
    ReadOnlyError,
    RedisError,
    TimeoutError,
)
from redis.retry import Retry

from engine.spec.errors import StoreError
from workers.settings import Settings

MINIMAL_VERSION = (6, 2)  # LMOVE, which keeps a job from being lost between queue and worker
TIMEOUT_SECONDS = 3.0
AWAY: tuple[type[Exception], ...] = (ConnectionError, TimeoutError, BusyLoadingError)


@dataclass(frozen=True)
class StoreAddress:
    """How the embedded store is reached; kept in a file that only the user can read.

    Attributes:
        port: TCP port on the loopback interface.
        password: needed for every command.
        pid: process id of the server.
        started: Unix seconds when that process began.
    """

    port: int
    password: str
    pid: int
    started: float

    @property
    def url(self) -> str:
        """Return the address as Redis clients want it."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"


def address_path(settings: Settings) -> Path:
    """Return the path of the address file."""
    return settings.data / "store.json"


def write_address(settings: Settings, address: StoreAddress) -> None:
    """Replace the address file; readable by the user only."""
    path = address_path(settings)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(address), file)
    os.replace(temporary, path)


def read_address(settings: Settings) -> StoreAddress | None:
    """Read the address file; None when there is none.

    Raises:
        StoreError: it is damaged.
    """
    path = address_path(settings)
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        return StoreAddress(
            int(value["port"]), str(value["password"]), int(value["pid"]), float(value["started"])
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise StoreError(f"{path} is damaged; delete it and start `make run` again.") from None


def store_url(settings: Settings) -> str:
    """Return the address of the store: REDIS_URL, or that of the embedded one.

    Raises:
        StoreError: no embedded store was ever started here.
    """
    if settings.redis_url:
        return settings.redis_url
    address = read_address(settings)
    if address is None:
        raise StoreError("The store is not running; start it with `make run`, or set REDIS_URL.")
    return address.url


def shown(url: str) -> str:
    """Return an address without its password."""
    parts = urlsplit(url)
    host = parts.hostname or parts.path or url
    return f"{host}:{parts.port}" if parts.port else host


def connect(url: str, timeout: float = TIMEOUT_SECONDS) -> Redis:
    """Return a connection that is opened at its first command.

    Args:
        url: `redis://`, `rediss://` or `unix://`.
        timeout: seconds to wait for a connection or an answer.

    Raises:
        StoreError: the address is none.
    """
    try:
        return Redis.from_url(
            url,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 1),  # once, as an idle connection may have been cut
        )
    except (ValueError, TypeError) as error:
        raise StoreError(
            f"REDIS_URL is not an address of a Redis server ({error}); "
            "write redis://[:password@]host:port/0."
        ) from None


def sentence(error: Exception, where: str) -> str:
    """Say what is wrong with the store at `where`, and what to do."""
    if isinstance(error, AuthenticationError) or "NOAUTH" in str(error):
        return f"The store at {where} refuses the password; check REDIS_URL."
    if isinstance(error, BusyLoadingError):
        return f"The store at {where} is still loading its data; wait a moment."
    if isinstance(error, ReadOnlyError):
        return f"The store at {where} is a read-only copy; use the address of the main server."
    if isinstance(error, TimeoutError):
        return f"The store at {where} does not answer; check that it runs and can be reached."
    if isinstance(error, ConnectionError):
        remedy = "start it with `make run`, or check REDIS_URL"
        return f"The store at {where} cannot be reached; {remedy}."
    return f"The store at {where} refuses to work: {error}."


def check(connection: Redis, where: str) -> None:
    """Try whether the store answers, is new enough, and can be written.

    Raises:
        StoreError: it does not serve.
    """
    with errors(where):
        version = str(connection.info("server").get("redis_version", "0"))
        numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        probe = f"nasw:probe:{secrets.token_hex(4)}"
        connection.set(probe, "1", px=1000)
    if numbers < MINIMAL_VERSION:
        raise StoreError(
            f"The store at {where} is version {version}; Redis 6.2 or newer (or Valkey) is needed."
        )


@contextmanager
def errors(where: str) -> Iterator[None]:
    """Turn a client's exceptions into `StoreError` with a sentence."""
    try:
        yield
    except RedisError as error:
        raise StoreError(sentence(error, where)) from error


class Store:
    """A connection for a long-lived process that follows the store when it moves or restarts.

    Args:
        settings: tell where the store is.
        patience: seconds for which a store that did not answer is not asked again by
            `connection(patient=True)`, so that pages stay quick while it is away.
    """

    def __init__(self, settings: Settings, patience: float = 3.0) -> None:
        self._settings = settings
        self._patience = patience
        self._lock = threading.Lock()
        self._url = ""
        self._redis: Redis | None = None
        self._away_until = 0.0
        self._reason = ""

    def connection(self, patient: bool = False) -> Redis:
        """Return the connection.

        Raises:
            StoreError: there is no store, or (patient) it was away a moment ago.
        """
        if patient and time.monotonic() < self._away_until:
            raise StoreError(self._reason)
        url = store_url(self._settings)
        with self._lock:
            if self._redis is None or url != self._url:
                self._redis, self._url = connect(url), url
            return self._redis

    @contextmanager
    def use(self, patient: bool = False) -> Iterator[Redis]:
        """Give the connection for a few commands; failures become `StoreError`."""
        connection = self.connection(patient)
        try:
            with errors(shown(self._url)):
                yield connection
        except StoreError as error:
            if isinstance(error.__cause__, AWAY):
                self._away_until = time.monotonic() + self._patience
                self._reason = str(error)
            raise

    def check(self) -> None:
        """Raise `StoreError` unless the store serves."""
        check(self.connection(), shown(self._url))
