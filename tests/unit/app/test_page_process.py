"""The process that serves the pages stays light."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SUPPORT = Path(__file__).resolve().parents[2] / "browser" / "support"
ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import os, sys, tempfile
from pathlib import Path
sys.path[:0] = [{root!r}, {support!r}]
from played_client import PlayedClient
from played_run import played
from streamlit.testing.v1 import AppTest
from app import client
runs = Path(tempfile.mkdtemp())
os.environ["NASW_DATA"] = str(runs / ".data")
folder = played(runs)
playing = PlayedClient(runs, -1)
client._open_client = lambda: playing
test = AppTest.from_file(str(Path({root!r}) / "app" / "main.py"), default_timeout=60)
test.query_params["run"] = folder.run_id
test.run()
seen = 1
pages = ("new_experiment", "experiments", "compare", "architectures", "tables", "datasets",
         "system", "experiment")
for name in pages:
    test.switch_page(f"screens/{{name}}.py").run()
    assert not test.exception and not test.error, name
    seen += 1
for tab in ("Training", "Search", "Architectures", "Spec & environment", "Log", "Files"):
    test.session_state["tab"] = tab
    test.run()
    assert not test.exception and not test.error, tab
assert client.zipped(folder.path)[:2] == b"PK"
heavy = ("torch", "triton", "engine.networks", "sklearn", "optuna")
print(seen, [name for name in heavy if name in sys.modules])
"""


def test_rendering_every_page_loads_neither_torch_nor_networks() -> None:
    script = SCRIPT.format(root=str(ROOT), support=str(SUPPORT))
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "9 []"
