"""The Architectures page in a browser: a click on a point, two side by side, one ZIP."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from accessibility import violations
from browser import chart, overflow, ready, screenshot
from played_run import played
from playwright.sync_api import Page
from serving import Served

pytestmark = pytest.mark.browser

CHART = "found-stand_alone-params"


def test_points_are_compared_and_taken_away(
    serve: Callable[..., Served], page: Page, tmp_path: Path
) -> None:
    runs = tmp_path / "lab"
    runs.mkdir()
    first, second = played(runs, name="Apples"), played(runs, seed=3, algorithm="rsps")
    served = serve(pause=-1, runs=runs)
    page.goto(f"{served.address}/architectures?pick={first.run_id}/1")
    ready(page)
    page.get_by_text("1 selected").wait_for()
    plot = chart(page, CHART)
    plot.locator(".nsewdrag").first.wait_for()
    place = plot.evaluate(
        """(plot, run) => {
          const trace = plot.data.find((t) => t.customdata?.includes(`${run}/2`));
          const index = trace.customdata.indexOf(`${run}/2`);
          const { xaxis, yaxis } = plot._fullLayout, box = plot.getBoundingClientRect();
          return [box.x + xaxis._offset + xaxis.d2p(trace.x[index]),
                  box.y + yaxis._offset + yaxis.d2p(trace.y[index])];
        }""",
        second.run_id,
    )
    page.mouse.move(*place)
    page.wait_for_timeout(300)
    page.mouse.click(*place)
    page.get_by_text("2 selected").wait_for()
    page.get_by_text("Two architectures side by side").wait_for()
    page.get_by_text("What differs").wait_for()
    assert f"{second.run_id}%2F2" in page.url, "the selection is in the address"
    screenshot(page, "architectures-pair-1440-light")
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(1500)  # what scrolls now becomes reachable by keyboard
        assert overflow(page) == [], width
        assert violations(page) == [], width
    page.set_viewport_size({"width": 1440, "height": 900})

    page.locator(".st-key-found-take button").first.click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Selection as ZIP").click()
    with zipfile.ZipFile(waiting.value.path()) as bundle:
        folders = {"/".join(name.split("/")[:2]) for name in bundle.namelist() if "/" in name}
        assert folders == {f"{first.run_id}/1", f"{second.run_id}/2"}
        assert "architectures.csv" in bundle.namelist()
