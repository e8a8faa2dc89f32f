"""Starts the real page with a client that plays runs: `serve.py RUNS PORT [PAUSE]`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from played_client import PlayedClient  # noqa: E402
from streamlit.web import cli  # noqa: E402

from app import client  # noqa: E402
from engine.catalog import build_catalog  # noqa: E402


def main() -> None:
    """Replace what the page connects to, then serve it in this process."""
    runs, port = Path(sys.argv[1]), sys.argv[2]
    pause = float(sys.argv[3]) if len(sys.argv) > 3 else 0.05
    playing = PlayedClient(runs, pause)
    os.environ.setdefault("NASW_DATA", str(playing.settings.data))
    client._open_client = lambda: playing
    client._open_catalog = build_catalog
    sys.argv = [
        "streamlit",
        "run",
        str(ROOT / "app" / "main.py"),
        "--server.port",
        port,
        "--server.address",
        "127.0.0.1",
    ]
    cli.main()


if __name__ == "__main__":
    main()
