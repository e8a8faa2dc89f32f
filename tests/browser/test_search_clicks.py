"""The Search tab in a browser: points and cells are chosen by clicking them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from browser import SECONDS, chart, ready
from played_run import played
from playwright.sync_api import Page, expect
from serving import Served

pytestmark = pytest.mark.browser

# Where a point lies within the chart's element, from the data that plotly drew.
PLACE = """(plot, [trace, point]) => {
  const { xaxis, yaxis, _size } = plot._fullLayout, data = plot.data[trace];
  const row = data.type === 'heatmap' ? data.y[point] : data.y.at(point);
  return [_size.l + xaxis.d2p(data.x.at(point)), _size.t + yaxis.d2p(row)];
}"""


def click_point(page: Page, key: str, trace: int, point: int) -> None:
    plot = chart(page, key)
    plot.locator(".nsewdrag").first.wait_for(timeout=20 * SECONDS)
    plot.scroll_into_view_if_needed()
    x, y = plot.evaluate(PLACE, [trace, point])
    box = plot.bounding_box()
    assert box is not None, "the chart is visible"
    page.mouse.move(box["x"] + x - 3, box["y"] + y)
    page.mouse.move(box["x"] + x, box["y"] + y, steps=3)
    page.wait_for_timeout(300)  # plotly finds what is under the pointer
    page.mouse.down()
    page.mouse.up()


def test_points_and_cells_are_chosen(
    serve: Callable[..., Served], page: Page, tmp_path: Path
) -> None:
    (tmp_path / "lab").mkdir()
    run_id = played(tmp_path / "lab", algorithm="gdas", addons={"landmark": None}).run_id
    served = serve(pause=-1, runs=tmp_path / "lab")
    page.goto(f"{served.address}/experiment?run={run_id}")
    ready(page)
    page.get_by_role("tab", name="Search").click()

    click_point(page, "search-probabilities", 0, 3)
    expect(page.get_by_text("0->3: ", exact=False).first).to_be_visible(timeout=10 * SECONDS)
    assert "choice=0-%3E3" in page.url, "a link shows the same"

    click_point(page, "search-population", 0, 1)
    chosen = page.get_by_text("The architecture that you clicked on")
    expect(chosen).to_be_visible(timeout=10 * SECONDS)
    page.get_by_role("button", name="Close").click()
    expect(chosen).to_have_count(0)
