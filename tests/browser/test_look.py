"""Every page at two widths in two themes: nothing overflows, nothing fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from accessibility import violations
from browser import chart, overflow, ready, screenshot
from played_run import OWNER, play, played, small_spec
from playwright.sync_api import Page
from serving import Served

from engine.runs import create_run

pytestmark = pytest.mark.browser

PAGES = (
    "", "new_experiment", "experiments", "compare", "architectures", "tables", "datasets",
    "system",
)  # fmt: skip
TABS = ("Ranking", "Training", "Search", "Architectures", "Spec & environment", "Log", "Files")


def some_runs(runs: Path) -> str:
    """Make one finished, one failed, one running and one queued run; return the finished one."""
    runs.mkdir()
    finished = played(runs, name="Landmarks on digits, all seeds", seed=1)
    failed = create_run(runs, small_spec(name="Own pictures", seed=2))
    failed.change_state("running", owner=OWNER)
    failed.change_state("failed", "There is no file or folder pictures.zip on the worker.")
    running, seen = create_run(runs, small_spec(name="Without landmarks", seed=3)), list[int]()
    play(running, wish=lambda: "stop" if seen.append(1) or len(seen) == 150 else None)
    running.change_state("running", owner=OWNER)
    create_run(runs, small_spec(name="Waiting", seed=4))
    return finished.run_id


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_pages(
    serve: Callable[..., Served],
    new_page: Callable[..., Page],
    tmp_path: Path,
    width: int,
    scheme: str,
) -> None:
    run_id = some_runs(tmp_path / "lab")
    served, page = serve(pause=-1, runs=tmp_path / "lab"), new_page(width, scheme)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    for name in (*PAGES, f"experiment?run={run_id}"):
        page.goto(f"{served.address}/{name}")
        ready(page)
        page.wait_for_timeout(800)
        short = name.partition("?")[0] or "overview"
        screenshot(page, f"{short}-{width}-{scheme}")
        assert overflow(page) == [], name
        assert violations(page) == [], name
        assert page.get_by_text("could not be drawn").count() == 0, name
    for tab in TABS:
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(1200)
        screenshot(page, f"experiment-{tab.split()[0].lower()}-{width}-{scheme}")
        assert overflow(page) == [], tab
        assert violations(page) == [], tab
    assert faults == []


def test_an_empty_lab(serve: Callable[..., Served], new_page: Callable[..., Page]) -> None:
    served, page = serve(pause=-1), new_page(390, "light")
    page.goto(served.address)
    ready(page)
    screenshot(page, "overview-empty-390-light")
    assert overflow(page) == []


def test_a_picture_of_a_chart_is_taken_away(
    serve: Callable[..., Served], page: Page, tmp_path: Path
) -> None:
    run_id = some_runs(tmp_path / "lab")
    served = serve(pause=-1, runs=tmp_path / "lab")
    page.goto(f"{served.address}/experiment?run={run_id}")
    ready(page)
    plot = chart(page, "ranking-correlations")
    plot.locator(".nsewdrag").first.hover()
    for format_, start in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
        with page.expect_download() as waiting:
            plot.locator(f"[data-title='Download as {format_}']").click()
        assert Path(waiting.value.path()).read_bytes().startswith(start)
