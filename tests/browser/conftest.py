"""A really running page, with runs that are played, and a headless Chromium to drive it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SUPPORT = Path(__file__).resolve().parent / "support"
sys.path[:0] = [str(ROOT), str(SUPPORT)]

from browser import ARGUMENTS, SHOTS, find_chromium  # noqa: E402
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright  # noqa: E402
from serving import Served, free_port, wait_until_served  # noqa: E402

FAILED = pytest.StashKey[bool]()


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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let fixtures know how their test ended."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture
def new_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """Open pages, each in a profile of its own; a failure leaves a picture of each."""
    contexts: list[BrowserContext] = []

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
        if request.node.stash.get(FAILED, False):
            for number, page in enumerate(context.pages):
                SHOTS.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=SHOTS / f"failed-{request.node.name}-{number}.png")
        context.close()


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()
