"""Watching a run: it moves by itself, keeps the zoom, and obeys."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from browser import SECONDS, axis_range, badge, chart, drag_zoom, points, ready, screenshot
from playwright.sync_api import Page, expect
from serving import Served

pytestmark = pytest.mark.browser


def start_ready_experiment(page: Page, served: Served) -> None:
    page.goto(served.address)
    ready(page)
    page.get_by_role("button", name="Run it now").first.click()
    expect(badge(page, "Running")).to_be_visible(timeout=20 * SECONDS)
    assert "run=" in page.url


def wait_for_points(page: Page, key: str, least: int) -> None:
    plot = chart(page, key)
    plot.wait_for(timeout=60 * SECONDS)
    page.wait_for_function(
        "([key, least]) => document.querySelector(`.st-key-${key} .nw-plot`)"
        "?.data?.[0].x.length >= least",
        arg=[key, least],
        timeout=60 * SECONDS,
    )


def test_curves_grow_and_keep_the_zoom(serve: Callable[..., Served], page: Page) -> None:
    start_ready_experiment(page, serve(pause=0.06))
    wait_for_points(page, "ranking-correlations", 4)
    plot = chart(page, "ranking-correlations")
    before, zoomed = points(plot), drag_zoom(page, plot)
    wait_for_points(page, "ranking-correlations", before + 3)
    assert axis_range(plot) == pytest.approx(zoomed, abs=1e-9)
    screenshot(page, "live-zoomed")


def test_another_tab_stays_chosen_while_data_arrives(
    serve: Callable[..., Served], page: Page
) -> None:
    start_ready_experiment(page, serve(pause=0.06))
    page.get_by_role("tab", name="Training").click()
    wait_for_points(page, "training-loss", 10)
    plot = chart(page, "training-loss")
    before, zoomed = points(plot), drag_zoom(page, plot)
    wait_for_points(page, "training-loss", before + 20)
    assert axis_range(plot) == pytest.approx(zoomed, abs=1e-9)
    expect(page.get_by_role("tab", name="Training")).to_have_attribute("aria-selected", "true")


def test_stop_and_resume(serve: Callable[..., Served], page: Page) -> None:
    start_ready_experiment(page, serve(pause=0.04))
    wait_for_points(page, "ranking-correlations", 2)
    page.get_by_role("button", name="Stop").click()
    expect(badge(page, "Stopped")).to_be_visible(timeout=20 * SECONDS)
    screenshot(page, "live-stopped")
    strip = page.locator(".nw-strip").first
    assert strip.evaluate("e => getComputedStyle(e).display") == "grid", "a notice took the style"
    known = points(chart(page, "ranking-correlations"))
    page.get_by_role("button", name="Resume").click()
    expect(badge(page, "Running")).to_be_visible(timeout=20 * SECONDS)
    wait_for_points(page, "ranking-correlations", known + 2)
    expect(badge(page, "Finished")).to_be_visible(timeout=90 * SECONDS)


def test_a_finished_run_is_taken_away(
    serve: Callable[..., Served], page: Page, tmp_path: Path
) -> None:
    start_ready_experiment(page, serve(pause=0.0))
    expect(badge(page, "Finished")).to_be_visible(timeout=60 * SECONDS)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download bundle").click()
    bundle = tmp_path / "bundle.zip"
    waiting.value.save_as(bundle)
    names = {name.split("/", 1)[1] for name in zipfile.ZipFile(bundle).namelist()}
    assert {"spec.yaml", "events.jsonl", "result.json", "ranking.csv"} <= names
    page.get_by_role("tab", name="Architectures").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="model.py").click()
    assert waiting.value.suggested_filename == "model.py", "the name that goes with its weights"
    assert Path(waiting.value.path()).read_text().startswith("print")


def test_the_data_of_a_chart_is_taken_away(serve: Callable[..., Served], page: Page) -> None:
    start_ready_experiment(page, serve(pause=0.0))
    expect(badge(page, "Finished")).to_be_visible(timeout=60 * SECONDS)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="CSV").first.click()
    lines = Path(waiting.value.path()).read_text().splitlines()
    assert lines[0].startswith("epoch,kendall_tau,sparse_kendall_tau")
    assert len(lines) == 1 + 240 // 10


def test_a_store_that_goes_away_and_comes_back(serve: Callable[..., Served], page: Page) -> None:
    served = serve(pause=0.08)
    start_ready_experiment(page, served)
    away = served.runs / ".store-away"
    away.touch()
    expect(page.get_by_text("Reconnecting.")).to_be_visible(timeout=15 * SECONDS)
    away.unlink()
    expect(page.get_by_text("Reconnecting.")).to_be_hidden(timeout=15 * SECONDS)
    wait_for_points(page, "ranking-correlations", 2)
