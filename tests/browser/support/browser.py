"""A headless Chromium, and what tests ask of a page in it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
SECONDS = 1000
SHOTS = Path(__file__).resolve().parents[3] / "artifacts" / "screens"


def find_chromium() -> str | None:
    """Return the browser's path: CHROMIUM, or the first that is on the path."""
    given = os.environ.get("CHROMIUM")
    if given:
        return given
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def ready(page: Page) -> None:
    """Wait until the page has been drawn and no script is running."""
    page.locator("h1, h2").first.wait_for(timeout=30 * SECONDS)
    page.wait_for_function(
        "() => !document.querySelector('[data-testid=stStatusWidget]')", timeout=30 * SECONDS
    )


def badge(page: Page, word: str) -> Locator:
    """Return the mark that shows a run's state."""
    return page.locator(".stMarkdownBadge", has_text=word)


def screenshot(page: Page, name: str) -> None:
    """Keep a picture of the whole page, for people to look at."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    size = page.viewport_size
    assert size is not None, "every test sets a viewport"
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": min(max(height, 700), 4000)})
    page.wait_for_timeout(600)
    page.screenshot(path=SHOTS / f"{name}.png")
    page.set_viewport_size(size)


def chart(page: Page, key: str) -> Locator:
    """Return the Plotly element of a chart."""
    return page.locator(f".st-key-{key} .nw-plot")


def axis_range(plot: Locator, axis: str = "xaxis") -> list[float]:
    """Return the visible range of a chart's axis."""
    found: list[float] = plot.evaluate(f"plot => plot._fullLayout.{axis}.range.map(Number)")
    return found


def points(plot: Locator) -> int:
    """Return the number of points of a chart's first curve."""
    count: int = plot.evaluate("plot => plot.data[0].x.length")
    return count


def drag_zoom(page: Page, plot: Locator) -> list[float]:
    """Zoom into the middle of a chart by dragging, and return the new range."""
    plot.scroll_into_view_if_needed()
    box = plot.locator(".nsewdrag").first.bounding_box()
    assert box is not None, "the chart is visible"
    y = box["y"] + box["height"] / 2
    before = axis_range(plot)
    page.mouse.move(box["x"] + box["width"] * 0.3, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, y, steps=8)
    page.mouse.up()
    page.wait_for_timeout(500)
    after = axis_range(plot)
    assert after[1] - after[0] < 0.8 * (before[1] - before[0]), "dragging zooms in"
    return after


def overflow(page: Page) -> Any:
    """Return the elements that reach beyond the right edge and cannot be scrolled there."""
    return page.evaluate(
        """() => {
          const wide = [];
          for (const e of document.querySelectorAll('[data-testid=stMain] *')) {
            const box = e.getBoundingClientRect();
            if (box.width === 0 || box.right <= innerWidth + 1) continue;
            let up = e.parentElement, inside = false;
            while (up && up.dataset.testid !== 'stMain') {
              if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(up).overflowX)) {
                inside = up.getBoundingClientRect().right <= innerWidth + 1;
                if (inside) break;
              }
              up = up.parentElement;
            }
            if (!inside) wide.push(e.tagName + ' ' + (e.innerText || '').slice(0, 40));
          }
          return wide.slice(0, 5);
        }"""
    )
