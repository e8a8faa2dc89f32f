"""Steps 2 to 5 of a newcomer, with the real store, worker and engine behind the page."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import SECONDS, badge, chart, ready, screenshot
from conftest import ROOT, free_port
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

# Small enough for a test, long enough to be stopped midway.
EXPERIMENT = """
name: A short journey
data: {name: digits, train_images: 200, held_out_images: 256}
network: {channels: 4, cells: 1}
addons: {landmark: {per_round: 3, rounds: 2, weight: 1.0}}
super_net: {epochs: 60, batch_size: 64, checkpoint_every: 5}
stand_alone: {epochs: 3, batch_size: 64}
evaluation: {sample: 10, every: 5}
search: {population: 8, generations: 3, parents: 4, keep: 2}
device: cpu
"""


@pytest.fixture
def product(tmp_path: Path) -> Iterator[str]:
    """Start everything as `make run` does; yield the address."""
    environment = {
        **os.environ,
        "NASW_DATA": str(tmp_path / "lab"),
        "NASW_RUNS": str(tmp_path / "runs"),
        "NASW_PORT": str(free_port()),
    }
    environment.pop("REDIS_URL", None)
    log = tmp_path / "up.log"
    with open(log, "wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.up"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://\S+", line)
    if found is None:
        process.kill()
        pytest.fail(f"no address in {line!r}:\n{log.read_text()[-3000:]}")
    yield found.group()
    process.send_signal(signal.SIGINT)
    assert process.wait(90) == 0, log.read_text()[-3000:]


def test_from_an_experiment_file_to_a_running_model(
    product: str, page: Page, tmp_path: Path
) -> None:
    _set_up_and_queue(page, product, tmp_path)
    _watch_stop_and_resume(page)
    folder = _take_away(page, tmp_path / "taken")
    _run_without_us(folder)


def _set_up_and_queue(page: Page, address: str, tmp_path: Path) -> None:
    page.goto(address)
    ready(page)
    expect(page.get_by_role("button", name="Run it now")).to_be_visible(timeout=60 * SECONDS)
    page.get_by_role("link", name="New experiment").first.click()
    page.get_by_text("Start from a ready experiment or a file").click()
    file = tmp_path / "journey.yaml"
    file.write_text(EXPERIMENT, encoding="utf-8")
    page.locator("input[type=file]").set_input_files(file)
    loaded = page.locator("input[aria-label=Name][value='A short journey']")
    loaded.wait_for(timeout=30 * SECONDS)
    screenshot(page, "journey-set-up")
    page.get_by_role("button", name="Queue 1 job").click()
    expect(badge(page, "Running")).to_be_visible(timeout=90 * SECONDS)


def _watch_stop_and_resume(page: Page) -> None:
    chart(page, "ranking-correlations").wait_for(timeout=180 * SECONDS)
    page.get_by_role("button", name="Stop").click()
    expect(badge(page, "Stopped")).to_be_visible(timeout=60 * SECONDS)
    screenshot(page, "journey-stopped")
    page.get_by_role("button", name="Resume").click()
    expect(badge(page, "Finished")).to_be_visible(timeout=240 * SECONDS)
    screenshot(page, "journey-finished")


def _take_away(page: Page, folder: Path) -> Path:
    folder.mkdir()
    page.get_by_role("tab", name="Architectures").click()
    for button, name in (("model.py", "model.py"), ("Weights", "weights.safetensors")):
        with page.expect_download(timeout=60 * SECONDS) as waiting:
            page.get_by_role("button", name=button).click()
        waiting.value.save_as(folder / name)
    screenshot(page, "journey-architectures")
    return folder


def _run_without_us(folder: Path) -> None:
    """Run the downloaded code where nothing of ours can be imported."""
    program = (
        "import sys; sys.path.insert(0, '.'); import torch, model; net = model.build().eval(); "
        "x = torch.rand(2, 1, 8, 8); assert net(x).shape == (2, 10); "
        "bad = [n for n in sys.modules if n.split('.')[0] in ('engine', 'workers', 'app')]; "
        "assert not bad, bad; print('ok')"
    )
    python = shutil.which(sys.executable) or sys.executable
    found = subprocess.run(
        [python, "-I", "-c", program], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert found.stdout.strip() == "ok", found.stderr
