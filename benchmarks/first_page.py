"""How soon the first page stands in a browser: `python -m benchmarks.first_page [--repeats 5]`.

Serves the real page over an empty lab, opens it once to warm the server up, then opens it in
fresh browser profiles, as a newcomer does, and tells how long it takes until the ready experiment
can be read. Streamlit's own scripts are loaded anew each time.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.page_sessions import ARGUMENTS, BROWSERS, served
from workers.server import EmbeddedStore
from workers.settings import Settings

HEADING = "Start with a ready experiment"


def seconds_to_open(browser: Browser, address: str) -> float:
    """Open the overview in a profile of its own; return the seconds until it can be read."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    begun = time.monotonic()
    page.goto(address)
    page.get_by_role("heading", name=HEADING).wait_for()
    passed = time.monotonic() - begun
    context.close()
    return passed


def main() -> None:
    """Serve, open, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    path = next(found for name in BROWSERS if (found := shutil.which(name)))
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        settings = Settings(data=Path(name, "data"), runs=Path(name, "runs"))
        store = EmbeddedStore(settings)
        store.start()
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            with served(settings) as (address, _):
                first, *rest = (seconds_to_open(browser, address) for _ in range(repeats + 1))
        finally:
            browser.close()
            store.stop()
    print(f"first {first:.2f} s, then median {statistics.median(rest):.2f} s, "
          f"worst {max(rest):.2f} s; load {os.getloadavg()[0]:.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
