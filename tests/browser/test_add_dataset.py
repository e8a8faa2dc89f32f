"""Adding a data set by upload: bad files are named, the others come in, and it can be used."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from browser import SECONDS, overflow, ready, screenshot
from PIL import Image
from playwright.sync_api import Page, expect
from serving import Served

pytestmark = pytest.mark.browser


def archive(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for place, label in enumerate(("circles", "squares")):
            for number in range(12):
                buffer = io.BytesIO()
                colour = (20 * number, 200 * place, 120)
                Image.new("RGB", (24, 24), colour).save(buffer, "PNG")
                made.writestr(f"{label}/{number}.png", buffer.getvalue())
        made.writestr("circles/broken.png", b"no picture")
    return path


def test_upload_a_zip_archive(serve: Callable[..., Served], page: Page, tmp_path: Path) -> None:
    address = serve().address
    page.goto(f"{address}/datasets")
    ready(page)
    page.get_by_text("Add a data set", exact=True).click()
    chooser = page.locator("input[type=file]")
    chooser.set_input_files(archive(tmp_path / "two shapes.zip"))
    go = page.get_by_role("button", name="Check and import")
    expect(go).to_be_enabled(timeout=20 * SECONDS)
    go.click()
    expect(page.get_by_text("1 file cannot be used; nothing was imported")).to_be_visible(
        timeout=40 * SECONDS
    )
    expect(page.get_by_text("circles/broken.png")).to_be_visible()
    screenshot(page, "datasets-problems")
    page.get_by_role("button", name="Import without them").click()
    expect(page.get_by_text("two-shapes is ready")).to_be_visible(timeout=40 * SECONDS)
    screenshot(page, "datasets-imported")
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("link", name="Look closer").first.click()
    expect(page.locator(".nw-gallery img").first).to_be_visible(timeout=20 * SECONDS)
    assert page.locator(".nw-gallery img").count() == 24
    assert overflow(page) == []
    page.get_by_role("button", name="Use in a new experiment").click()
    expect(page.get_by_role("heading", name="New experiment")).to_be_visible()
    expect(page.get_by_text("two-shapes").first).to_be_visible(timeout=20 * SECONDS)
