"""`python -m workers.up`, with workers whose engine is `fake_engine`."""

from __future__ import annotations

import sys

from workers_lab import FAKE_WORKER

from workers.launch import launch

if __name__ == "__main__":
    sys.exit(launch(worker=FAKE_WORKER))
