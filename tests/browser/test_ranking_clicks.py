"""The Ranking tab by hand: a point is clicked, the slider is moved, the address says both."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from browser import chart, overflow, ready
from played_run import played
from playwright.sync_api import Locator, Page, expect
from serving import Served

pytestmark = pytest.mark.browser


def click_point(page: Page, plot: Locator, number: int) -> None:
    """Click on a point of a chart's first trace."""
    plot.scroll_into_view_if_needed()
    x, y = plot.evaluate(
        """(plot, number) => {
          const { xaxis, yaxis, _size } = plot._fullLayout, box = plot.getBoundingClientRect();
          const trace = plot.data[0];
          return [
            box.left + _size.l + xaxis.d2p(trace.x[number]),
            box.top + _size.t + yaxis.d2p(trace.y[number]),
          ];
        }""",
        number,
    )
    page.mouse.move(x - 30, y)
    page.mouse.move(x, y, steps=4)
    page.mouse.click(x, y)


def test_a_point_is_clicked_and_an_earlier_evaluation_chosen(
    serve: Callable[..., Served], new_page: Callable[..., Page]
) -> None:
    served = serve()
    folder = played(served.runs)
    page = new_page(390)
    page.goto(f"{served.address}/experiment?run={folder.run_id}")
    ready(page)
    plot = chart(page, "ranking-scatter")
    expect(plot).to_have_attribute("data-drawn", re.compile(r"\d+"), timeout=20_000)
    click_point(page, plot, 0)
    panel = page.locator(".st-key-picked")
    expect(panel).to_contain_text("Rank by super-net", timeout=10_000)
    expect(panel.locator("svg").first).to_be_visible()
    page.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(re.compile("evaluation=115"))
    expect(page.get_by_text("At epoch 115 the super-net orders")).to_be_visible()
    assert not overflow(page)
    page.reload()
    ready(page)
    expect(page.locator(".st-key-picked")).to_contain_text("Rank by super-net")
    expect(page.get_by_text("At epoch 115 the super-net orders")).to_be_visible()
