"""Several runs: selected in the list, compared by a link, watched while one goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from accessibility import violations
from browser import SECONDS, axis_range, chart, drag_zoom, overflow, ready
from played_run import play, played, small_spec
from playwright.sync_api import Page, expect
from serving import Served

from engine.runs import RunFolder, create_run

pytestmark = pytest.mark.browser

SHORT = {"super_net": {"epochs": 20, "batch_size": 64}}


def seeds(runs: Path) -> list[RunFolder]:
    runs.mkdir(exist_ok=True)
    plain = [played(runs, name="Plain", seed=s, addons={}, **SHORT) for s in (0, 1, 2)]
    return plain + [played(runs, name="Landmarks", seed=s, **SHORT) for s in (0, 1)]


def chosen(page: Page) -> list[str]:
    return parse_qs(urlsplit(page.url).query).get("runs", [""])[0].split(",")


def tick_all(page: Page) -> None:
    """Tick the box in the head of the table, which is drawn on a canvas."""
    canvas = page.locator("[data-testid=stDataFrame] canvas").first
    canvas.wait_for()
    page.wait_for_timeout(1000)
    box = canvas.bounding_box()
    assert box is not None, "the table is visible"
    page.mouse.click(box["x"] + 16, box["y"] + 16)


def test_selected_runs_are_compared_by_a_link(
    serve: Callable[..., Served], new_page: Callable[..., Page], tmp_path: Path
) -> None:
    folders = seeds(tmp_path / "lab")
    served, page = serve(pause=-1, runs=tmp_path / "lab"), new_page(1440)
    page.goto(f"{served.address}/experiments")
    ready(page)
    tick_all(page)
    expect(page.get_by_text("5 selected")).to_be_visible(timeout=10 * SECONDS)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download as ZIP").click()
    assert Path(waiting.value.path()).read_bytes().startswith(b"PK")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".nw-compare tbody tr")).to_have_count(2, timeout=20 * SECONDS)
    assert set(chosen(page)) == {folder.run_id for folder in folders}
    another = new_page(390, "dark")
    another.goto(page.url)
    expect(another.locator(".nw-compare tbody tr")).to_have_count(2, timeout=20 * SECONDS)
    assert overflow(another) == []
    assert violations(another) == []
    point = chart(page, "compare-scatter").locator(".points path").first
    point.scroll_into_view_if_needed()
    point.click(force=True)
    page.wait_for_url("**/experiment?run=*", timeout=20 * SECONDS)
    assert parse_qs(urlsplit(page.url).query)["run"][0] in chosen(another)


def mean_points(page: Page) -> int:
    """Return the number of points of the first mean line; two traces before it are its band."""
    plot = chart(page, "compare-curves")
    count: int = plot.evaluate("plot => plot.data[2].x.length")
    return count


def wait_for_points(page: Page, least: int) -> None:
    page.wait_for_function(
        "least => document.querySelector('.st-key-compare-curves .nw-plot')"
        "?.data?.[2]?.x.length >= least",
        arg=least,
        timeout=60 * SECONDS,
    )


def test_curves_of_a_running_run_keep_the_zoom(
    serve: Callable[..., Served], page: Page, tmp_path: Path
) -> None:
    (tmp_path / "lab").mkdir()
    going = create_run(tmp_path / "lab", small_spec(name="Going on", addons={}))
    served = serve(pause=-1, runs=tmp_path / "lab")
    ended: list[str] = []
    stop = lambda: ended[0] if ended else None  # noqa: E731
    player = Thread(target=play, args=(going, 0.05, stop), daemon=True)
    player.start()
    page.goto(f"{served.address}/compare?runs={going.run_id}")
    wait_for_points(page, 3)
    before, zoomed = mean_points(page), drag_zoom(page, chart(page, "compare-curves"))
    wait_for_points(page, before + 2)
    assert axis_range(chart(page, "compare-curves")) == pytest.approx(zoomed, abs=1e-9)
    ended.append("stop")
    player.join()
