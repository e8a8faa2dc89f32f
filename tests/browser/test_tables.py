"""A table from upload to deletion in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from browser import SECONDS, chart, overflow, ready
from playwright.sync_api import Page
from serving import Served

pytestmark = pytest.mark.browser

CELL = "|{0}~0|+|none~0|{1}~1|+|none~0|none~1|{2}~2|"
OPERATIONS = ("skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    cells = [CELL.format(a, b, c) for a in OPERATIONS for b in OPERATIONS for c in OPERATIONS]
    rows = [f"{cell},{60 + n / 3},{(n * 29) % 64}" for n, cell in enumerate(cells)]
    path = tmp_path / "mine.csv"
    path.write_text("arch_str,val_acc,test_acc\n" + "\n".join(rows) + "\n")
    return path


def test_a_table_is_uploaded_looked_into_and_deleted(
    serve: Callable[..., Served],
    page: Page,
    tmp_path: Path,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = tmp_path / "data"
    monkeypatch.setenv("NASW_DATA", str(data))
    served = serve(pause=-1)
    page.goto(f"{served.address}/tables")
    ready(page)
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_text("Importing mine: done").wait_for(timeout=60 * SECONDS)
    assert list((data / "uploads").iterdir()) == [], "the uploaded file is gone"

    page.get_by_role("button", name="Open").click()
    page.get_by_role("tab", name="Compromises").click()
    plot = chart(page, "table-scatter")
    page.wait_for_function("() => document.querySelector('.st-key-table-scatter .nw-plot')?.data")
    at = plot.evaluate(
        """plot => {
          const { left, top } = plot.getBoundingClientRect(), layout = plot._fullLayout;
          const x = layout.xaxis.l2p(plot.data[0].x[3]), y = layout.yaxis.l2p(plot.data[0].y[3]);
          return [left + layout._size.l + x, top + layout._size.t + y];
        }"""
    )
    page.mouse.move(*at)
    page.mouse.click(*at)
    page.get_by_text("The one you clicked on").wait_for(timeout=10 * SECONDS)
    assert "row=" in page.url and "table=mine" in page.url
    assert overflow(page) == []

    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    page.get_by_text("No table has been imported yet").wait_for(timeout=10 * SECONDS)
    assert not (data / "tables" / "mine").exists()
