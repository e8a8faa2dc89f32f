"""Queue an experiment or a sweep from a terminal: `python -m workers.submit FILE.yaml`.

Prints one run id per job, in the order of the jobs. All of them are queued, or none where one
cannot run. Store and runs are those of the environment, as for `workers.up`, which must be
running unless REDIS_URL names a server.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engine.spec.errors import WorkbenchError
from engine.spec.files import load_mapping
from workers.client import Client


def main(arguments: list[str] | None = None) -> int:
    """Queue one file; returns the exit code, 2 with one line for what cannot be queued."""
    parser = argparse.ArgumentParser(
        prog="python -m workers.submit",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, help="experiment or sweep file (YAML)")
    wanted = parser.parse_args(arguments)
    try:
        run_ids = Client().submit_sweep(load_mapping(wanted.file))
    except WorkbenchError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    print("\n".join(run_ids))
    return 0


if __name__ == "__main__":
    sys.exit(main())
