"""The whole product: store, worker and page started by one command, and the main job done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from browser import SECONDS, badge, chart, points, ready, screenshot
from playwright.sync_api import Page, expect
from serving import ROOT, free_port, wait_until_served

from engine.runs import RunFolder, list_runs
from engine.spec.files import build, dump

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

# As small as it can be and still have every stage, with training long enough to be stopped.
TINY = {
    "name": "Whole product",
    "data": {"name": "digits", "train_images": 100, "held_out_images": 100},
    "network": {"channels": 4, "cells": 1},
    "addons": {"landmark": {"per_round": 3, "rounds": 2, "weight": 1.0}},
    "super_net": {"epochs": 150, "batch_size": 32, "checkpoint_every": 5},
    "stand_alone": {"epochs": 1, "batch_size": 64},
    "evaluation": {"sample": 6, "every": 3, "threshold": 0.5},
    "search": {"population": 4, "generations": 2, "parents": 2, "keep": 2},
    "device": "cpu",
}


@dataclass
class Product:
    """A running instance."""

    address: str
    runs: Path

    def only_run(self) -> RunFolder:
        (folder,) = list_runs(self.runs)
        return folder


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    """Start everything as a user does, and end it as Ctrl-C does."""
    port, log = free_port(), tmp_path / "up.log"
    places = {"NASW_DATA": str(tmp_path / "data"), "NASW_RUNS": str(tmp_path / "runs")}
    environment = os.environ | places | {"NASW_PORT": str(port), "NASW_DEVICES": "cpu"}
    environment.pop("REDIS_URL", None)
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.up"],
            cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    wait_until_served(address, process, log)
    yield Product(address, tmp_path / "runs")
    process.send_signal(signal.SIGINT)
    assert process.wait(90) == 0, log.read_text()


def wait_for_more(page: Page, key: str, least: int) -> None:
    page.wait_for_function(
        "([key, least]) => document.querySelector(`.st-key-${key} .nw-plot`)"
        "?.data?.[0].x.length >= least",
        arg=[key, least],
        timeout=240 * SECONDS,
    )


def test_from_setting_up_to_running_the_found_network(
    product: Product, page: Page, tmp_path: Path
) -> None:
    page.goto(f"{product.address}/new_experiment")
    ready(page)
    page.get_by_text("Start from a ready experiment").click()
    page.get_by_role("tab", name="A file").click()
    content = dump(build(TINY)).encode()
    page.locator("input[type=file]").set_input_files(
        {"name": "tiny.yaml", "mimeType": "application/yaml", "buffer": content}
    )
    name = page.get_by_label("Name", exact=True).first
    expect(name).to_have_value("Whole product", timeout=30 * SECONDS)
    page.get_by_role("button", name="Queue 1 job").click()
    expect(badge(page, "Running")).to_be_visible(timeout=120 * SECONDS)

    wait_for_more(page, "ranking-correlations", 2)
    screenshot(page, "product-watching")
    page.get_by_role("button", name="Stop").click()
    expect(badge(page, "Stopped")).to_be_visible(timeout=60 * SECONDS)
    known = points(chart(page, "ranking-correlations"))
    page.get_by_role("button", name="Resume").click()
    wait_for_more(page, "ranking-correlations", known + 1)
    expect(badge(page, "Finished")).to_be_visible(timeout=400 * SECONDS)
    screenshot(page, "product-finished")

    take_away_and_run(page, product, tmp_path)


def take_away_and_run(page: Page, product: Product, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Architectures").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="All as ZIP").click()
    archive = tmp_path / "architecture.zip"
    waiting.value.save_as(archive)
    zipfile.ZipFile(archive).extractall(tmp_path / "taken")
    (model,) = (tmp_path / "taken").rglob("model.py")
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-I", str(model)],
        capture_output=True, text=True, timeout=120, cwd=tmp_path, env=bare,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "parameters" in done.stdout

    page.get_by_role("button", name="Make ONNX").click()
    button = page.locator(".st-key-file-1-model-onnx button").first
    button.wait_for(timeout=180 * SECONDS)
    with page.expect_download() as waiting:
        button.click()
    assert Path(waiting.value.path()).stat().st_size > 1000
    result = product.only_run().result()
    assert result is not None and result["metrics"]["kendall_tau"] is not None
    time.sleep(1)  # the page looks once more at what is now a finished run
    assert page.get_by_text("could not be drawn").count() == 0
