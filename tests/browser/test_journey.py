"""The main journey on a wide light screen and on a dark phone, with runs that are played."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from accessibility import violations
from browser import SECONDS, badge, chart, overflow, points, ready, screenshot
from played_run import played
from playwright.sync_api import Page, expect
from serving import Served

pytestmark = pytest.mark.browser


def see(page: Page, name: str) -> None:
    """Keep a picture, and hold the page to what all pages promise."""
    screenshot(page, f"journey-{name}")
    assert overflow(page) == [], name
    assert violations(page) == [], name


def wait_for_points(page: Page, key: str, least: int) -> None:
    page.wait_for_function(
        "([key, least]) => document.querySelector(`.st-key-${key} .nw-plot`)"
        "?.data?.[0].x.length >= least",
        arg=[key, least],
        timeout=90 * SECONDS,
    )


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_queue_watch_stop_resume_compare_take_away(
    serve: Callable[..., Served],
    new_page: Callable[..., Page],
    tmp_path: Path,
    width: int,
    scheme: str,
) -> None:
    played(tmp_path / "runs", name="Earlier", seed=7)
    served, page = serve(pause=0.03), new_page(width, scheme)
    look = f"{width}-{scheme}"
    page.goto(f"{served.address}/new_experiment")
    ready(page)
    name = page.get_by_label("Name", exact=True)
    name.fill("Journey")
    name.press("Enter")
    page.get_by_role("button", name="Queue 1 job").click()
    expect(badge(page, "Running")).to_be_visible(timeout=30 * SECONDS)

    wait_for_points(page, "ranking-correlations", 2)
    see(page, f"watching-{look}")
    page.get_by_role("button", name="Stop").click()
    expect(badge(page, "Stopped")).to_be_visible(timeout=30 * SECONDS)
    known = points(chart(page, "ranking-correlations"))
    page.get_by_role("button", name="Resume").click()
    wait_for_points(page, "ranking-correlations", known + 1)
    expect(badge(page, "Finished")).to_be_visible(timeout=200 * SECONDS)

    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download bundle").click()
    names = {one.split("/", 1)[1] for one in zipfile.ZipFile(waiting.value.path()).namelist()}
    assert {"spec.yaml", "events.jsonl", "result.json"} <= names
    with page.expect_download() as waiting:
        page.get_by_role("button", name="HTML report").click()
    assert "Journey" in Path(waiting.value.path()).read_text(encoding="utf-8")

    runs = ",".join(sorted(path.name for path in served.runs.glob("2*")))
    page.goto(f"{served.address}/compare?runs={runs}")
    ready(page)
    expect(page.get_by_text("Side by side")).to_be_visible(timeout=30 * SECONDS)
    page.wait_for_timeout(1500)
    see(page, f"compared-{look}")
