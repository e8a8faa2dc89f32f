"""Setting up an experiment, and finding runs again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browser import SECONDS, ready, screenshot
from played_run import played
from playwright.sync_api import Page, expect
from serving import Served

from engine.runs import list_runs

pytestmark = pytest.mark.browser


def open_section(page: Page, number: int) -> None:
    page.locator("summary").filter(has_text=f"{number} · ").click()


def enter(page: Page, label: str, value: str) -> None:
    box = page.get_by_label(label, exact=True)
    box.fill(value)
    box.press("Enter")


def test_a_wrong_value_is_named_and_two_seeds_are_queued(
    serve: Callable[..., Served], page: Page
) -> None:
    served = serve(pause=-1)
    page.goto(f"{served.address}/new_experiment")  # the first address this server is asked for
    ready(page)
    open_section(page, 2)
    enter(page, "Cells per stage", "99")
    expect(page.get_by_role("alert").filter(has_text="36").first).to_be_visible()
    expect(page.get_by_role("button", name="1 to correct before queueing")).to_be_disabled()
    screenshot(page, "set-up-wrong-value")
    enter(page, "Cells per stage", "2")
    open_section(page, 7)
    enter(page, "Seeds", "3, 4")
    page.get_by_role("button", name="Queue 2 jobs").click()
    expect(page.get_by_text("2 of 2 experiments")).to_be_visible(timeout=20 * SECONDS)
    specs = [folder.spec() for folder in list_runs(served.runs)]
    assert sorted(spec.seed for spec in specs) == [3, 4]
    assert {spec.network.cells for spec in specs} == {2}


def test_a_file_goes_out_and_comes_back(serve: Callable[..., Served], page: Page) -> None:
    page.goto(f"{serve(pause=-1).address}/new_experiment")
    ready(page)
    enter(page, "Name", "Out and back")
    expect(page.get_by_test_id("stCode")).to_contain_text("Out and back")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download YAML").click()
    path = waiting.value.path()
    page.reload()
    ready(page)
    expect(page.get_by_label("Name", exact=True)).to_have_value("Experiment")
    page.get_by_text("Start from a ready experiment").click()
    page.get_by_role("tab", name="A file").click()
    page.locator("input[type=file]").set_input_files(
        {"name": "mine.yaml", "mimeType": "application/yaml", "buffer": path.read_bytes()}
    )
    # While the form is replaced, the old one may still stand below the new one.
    name = page.get_by_label("Name", exact=True).first
    expect(name).to_have_value("Out and back", timeout=30 * SECONDS)


def test_a_definition_is_drawn_while_it_is_typed(serve: Callable[..., Served], page: Page) -> None:
    page.goto(f"{serve(pause=-1).address}/new_experiment")
    ready(page)
    open_section(page, 2)
    space = page.get_by_role("combobox", name="Search space")
    space.fill("Custom")
    space.press("Enter")
    expect(page.get_by_text("One of 27 architectures")).to_be_visible(timeout=20 * SECONDS)
    area = page.get_by_role("textbox", name="Definition (YAML)")
    area.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("output: mid", delay=20)
    expect(page.get_by_text("One of 27 architectures")).to_be_hidden(timeout=20 * SECONDS)
    expect(area).to_be_focused()
    assert area.input_value().endswith("output: mid"), "nothing was lost or moved"
    page.keyboard.type("dle")
    fault = page.get_by_role("alert").filter(has_text="line")
    expect(fault.first).to_be_visible(timeout=20 * SECONDS)
    expect(area).to_be_focused()


def test_a_run_is_found_opened_deleted_and_brought_back(
    serve: Callable[..., Served], page: Page
) -> None:
    served = serve(pause=-1)
    played(served.runs, name="Apples")
    played(served.runs, name="Pears")
    page.goto(f"{served.address}/experiments")
    ready(page)
    page.get_by_label("Search", exact=True).fill("pears")
    expect(page.get_by_text("1 of 2 experiments")).to_be_visible()
    page.wait_for_timeout(800)
    table = page.get_by_test_id("stDataFrame").bounding_box()
    assert table is not None
    page.mouse.click(table["x"] + 80, table["y"] + 52)
    expect(page.get_by_role("heading", name="Pears")).to_be_visible(timeout=20 * SECONDS)
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Its folder is kept")).to_be_visible(timeout=20 * SECONDS)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("1 of 2 experiments")).to_be_visible(timeout=20 * SECONDS)
