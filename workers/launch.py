"""Starting, watching and ending an instance; see `workers.up` for what it promises."""

from __future__ import annotations

import http.client
import importlib.util
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from typing import Literal

import psutil

from engine.spec.errors import StoreError, WorkbenchError
from workers.devices import Device, visible_devices
from workers.instance import Instance, InstanceError, Started, check_writable
from workers.server import EmbeddedStore
from workers.settings import ROOT, Settings
from workers.store import Store
from workers.supervisor import Child, end, put_aside

FIRST_PORT, PORTS = 8501, 100
PAGE_SECONDS = 90.0  # after which a page that does not answer is worth a sentence
DEATHS = 3  # quick deaths in a row after which a process is worth a sentence
LOOK_SECONDS = 0.2
WORKER = (sys.executable, "-m", "workers.worker")

Part = Literal["workers", "page"]

log = logging.getLogger("workers.up")


def launch(
    only: Part | None = None,
    settings: Settings | None = None,
    worker: Sequence[str] = WORKER,
) -> int:
    """Run an instance until it is told to end.

    Args:
        only: start this part only.
        settings: None: from the environment.
        worker: program and first arguments of a worker.

    Returns:
        Exit code: 0 when it ended as told, 1 when it could not start or go on.
    """
    try:
        chosen = settings or Settings.from_environment()
        Launch(chosen, only, worker).run()
    except WorkbenchError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


class Launch:
    """One instance.

    Args:
        settings: where everything is.
        only: the part to start; None for all.
        worker: program and first arguments of a worker.
    """

    def __init__(self, settings: Settings, only: Part | None, worker: Sequence[str]) -> None:
        self._settings = settings
        self._only = only
        self._worker = worker
        self._signals = 0
        self._told: set[str] = set()
        self._embedded: EmbeddedStore | None = None
        self._store_retry = 0.0
        self._page: Child | None = None
        self._port = 0
        self._ready = False
        self._children: list[Child] = []
        self._recorded: list[Started] = []

    def run(self) -> None:
        """Start, watch, end.

        Raises:
            WorkbenchError: it cannot start, or the page does not.
        """
        settings = self._settings
        if self._only and not settings.redis_url:
            raise InstanceError(f"`--only {self._only}` needs REDIS_URL, the store they share.")
        _check_packages()
        if self._only != "workers" and not settings.page.is_file():
            raise InstanceError(f"There is no page at {settings.page}; check NASW_PAGE.")
        check_writable(settings)
        name = f"{self._only}-{socket.gethostname()}" if self._only else "up"
        instance = Instance(settings, name)
        try:
            self._log_to_file()
            if left := instance.end_leftovers():
                self._tell(
                    f"An earlier instance was killed and left {left} processes; they were ended. "
                    "Runs that they still executed were saved and go on."
                )
            self._handle_signals()
            self._start_store()
            self._start_children()
            self._watch(instance)
        finally:
            self._end()
            instance.release()

    # -- starting -------------------------------------------------------------------------
    def _log_to_file(self) -> None:
        path = self._settings.logs / "up.log"
        put_aside(path)
        handler = logging.FileHandler(path, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger = logging.getLogger("workers")
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False

    def _handle_signals(self) -> None:
        def count(number: int, frame: object) -> None:
            self._signals += 1

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, count)

    def _start_store(self) -> None:
        if self._settings.redis_url:
            Store(self._settings).check()
            return
        self._embedded = EmbeddedStore(self._settings)
        address = self._embedded.start()
        log.info("The store listens on port %d (process %d).", address.port, address.pid)

    def _start_children(self) -> None:
        settings = self._settings
        plain = os.environ | settings.to_environment()
        if self._only != "page":
            devices = visible_devices(settings.devices)
            self._children += [self._worker_child(d, devices, plain) for d in devices]
        if self._only != "workers":
            self._port = choose_port(settings)
            command = page_command(settings, self._port)
            self._page = Child("page", command, plain, settings.logs / "page.log", ROOT)
            self._children.append(self._page)
        for child in self._children:
            child.start()

    def _worker_child(
        self, device: Device, devices: Sequence[Device], plain: dict[str, str]
    ) -> Child:
        name = f"worker-{device.label}"
        threads = max(1, (os.cpu_count() or 1) // len(devices))
        share = {"OMP_NUM_THREADS": str(threads)} if len(devices) > 1 else {}
        command = [*self._worker, "--device", device.visible or "cpu"]
        return Child(name, command, share | plain, self._settings.logs / f"{name}.log", ROOT)

    # -- watching -------------------------------------------------------------------------
    def _watch(self, instance: Instance) -> None:
        began = time.monotonic()
        while not self._signals:
            self._keep_store()
            for child in self._children:
                if child is self._page:
                    self._move_page(child)
                child.keep()
                if child.quick_deaths >= DEATHS:
                    self._complain(child)
            self._record(instance)
            if self._page and not self._ready:
                self._look_at_page(instance, time.monotonic() - began)
            elif not self._page and not self._ready:
                self._ready = True
                workers = len(self._children)
                print(f"Workers started: {workers} (Ctrl-C ends them)", flush=True)
            time.sleep(LOOK_SECONDS)

    def _keep_store(self) -> None:
        store = self._embedded
        if store is None or store.running or time.monotonic() < self._store_retry:
            return
        log.warning("The store ended; starting it again.")
        try:
            store.start()
        except StoreError as error:
            self._tell(f"{error} Trying again.")
            self._store_retry = time.monotonic() + 5.0

    def _record(self, instance: Instance) -> None:
        now = [one for child in self._children if (one := child.identity())]
        address = self._embedded.address if self._embedded else None
        if address is not None:
            now.append(Started("store", address.pid, address.started))
        if now != self._recorded:
            instance.record(now)
            self._recorded = now

    def _move_page(self, page: Child) -> None:
        """Take another port where somebody was quicker than the page to take the chosen one."""
        settings = self._settings
        if page.running or self._ready or settings.port or _free(settings.host, self._port):
            return
        log.warning("Port %d was taken in the meantime.", self._port)
        self._port = choose_port(settings)
        page.command = page_command(settings, self._port)

    def _look_at_page(self, instance: Instance, waited: float) -> None:
        page = self._page.identity() if self._page else None
        ours = page is not None and listens(page.pid, self._port)
        if ours and page_answers(self._settings.host, self._port):
            self._ready = True
            address = f"http://{_reachable(self._settings.host)}:{self._port}"
            instance.announce(address)
            print(f"NAS Workbench is at {address} (Ctrl-C ends it)", flush=True)
        elif waited > PAGE_SECONDS:
            self._tell(f"The page does not answer yet; see {self._settings.logs / 'page.log'}.")

    def _complain(self, child: Child) -> None:
        sentence = (
            f"{child.name} ends again and again; see {child.log_path}. "
            "If packages are missing or broken, run `make clean run`."
        )
        if child is self._page and not self._ready:
            raise InstanceError(sentence)
        self._tell(sentence)

    def _tell(self, sentence: str) -> None:
        """Print a sentence, once."""
        if sentence not in self._told:
            self._told.add(sentence)
            print(sentence, file=sys.stderr, flush=True)

    # -- ending ---------------------------------------------------------------------------
    def _end(self) -> None:
        """End the page, then the workers with their runs, and the store when nobody needs it."""
        pages = [child for child in self._children if child is self._page]
        workers = [child for child in self._children if child is not self._page]
        began = time.monotonic()

        def hurried() -> bool:
            if time.monotonic() - began > 2.0:
                self._tell("Ending; running runs write a checkpoint (Ctrl-C again to hurry).")
            return self._signals > 1

        try:
            end(pages, 5.0)
            end(workers, self._settings.shutdown_seconds, hurried)
        finally:
            if self._embedded is not None:
                self._embedded.stop()


def _check_packages() -> None:
    for name, purpose in (("streamlit", "shows the page"), ("torch", "trains networks")):
        if importlib.util.find_spec(name) is None:
            raise InstanceError(
                f"The package {name}, which {purpose}, is not installed; run `make clean run`."
            )


def choose_port(settings: Settings) -> int:
    """Return the port of the page.

    Raises:
        InstanceError: the wanted one is taken, or none is free.
    """
    if settings.port is not None:
        if not _free(settings.host, settings.port):
            raise InstanceError(
                f"Port {settings.port} (NASW_PORT) is taken by another program; "
                "choose another one, or leave it out to take the next free one."
            )
        return settings.port
    for port in range(FIRST_PORT, FIRST_PORT + PORTS):
        if _free(settings.host, port):
            return port
    raise InstanceError(
        f"The ports {FIRST_PORT} to {FIRST_PORT + PORTS - 1} are all taken; set NASW_PORT."
    )


def _free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def page_command(settings: Settings, port: int) -> list[str]:
    """Return the command that shows the page on a port."""
    command = [sys.executable, "-m", "streamlit", "run", str(settings.page)]
    command += ["--server.address", settings.host, "--server.port", str(port)]
    command += ["--server.headless", "true", "--browser.gatherUsageStats", "false"]
    command += ["--server.fileWatcherType", "none"]
    if settings.host in ("127.0.0.1", "::1", "localhost"):
        # Other sites' scripts cannot reach the page by giving this machine a name of theirs.
        for name in settings.allowed_hosts:
            command += ["--server.allowedHosts", name]
    return command


def _reachable(host: str) -> str:
    if host in ("0.0.0.0", "::"):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def listens(pid: int, port: int) -> bool:
    """Tell whether a process of ours listens on a port; another one may answer there, too."""
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.NoSuchProcess:
        return False
    return any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in connections)


def page_answers(host: str, port: int) -> bool:
    """Tell whether the page's health check is well."""
    connection = http.client.HTTPConnection(_reachable(host).strip("[]"), port, timeout=1.0)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
