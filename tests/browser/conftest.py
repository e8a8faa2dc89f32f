"""A really running page, with runs that are played, and a headless Chromium to drive it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SUPPORT = Path(__file__).resolve().parent / "support"
sys.path[:0] = [str(ROOT), str(SUPPORT)]

from browser import ARGUMENTS, find_chromium  # noqa: E402
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402


@dataclass
class Served:
    """A page that is being served."""

    address: str
    runs: Path


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_until_served(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the page was not served:\n{log.read_text()[-3000:]}")


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Start pages on folders of runs; all are ended with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(pause: float = 0.05, runs: Path | None = None) -> Served:
        folder = runs or tmp_path / "runs"
        folder.mkdir(exist_ok=True)
        port, log = free_port(), tmp_path / f"page{len(started)}.log"
        command = [sys.executable, str(SUPPORT / "serve.py"), str(folder), str(port), str(pause)]
        with open(log, "wb") as output:
            process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
        started.append(process)
        address = f"http://127.0.0.1:{port}"
        wait_until_served(address, process, log)
        return Served(address, folder)

    yield start
    for process in started:
        process.terminate()
    for process in started:
        process.wait(20)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium on this machine; set CHROMIUM to its path")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages, each in a profile of its own."""
    contexts = []

    def start(width: int = 1440, scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,  # type: ignore[arg-type]
            timezone_id="Europe/Berlin",
            accept_downloads=True,
        )
        contexts.append(context)
        return context.new_page()

    yield start
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()
