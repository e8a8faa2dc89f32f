"""Everything with one command: `python -m workers.up` starts store, workers and page.

One worker is started per visible GPU, one for the CPU when there is none. Dead processes are
started again. When the page answers, one line with its address is printed; everything else goes to
the logs in `<data>/logs`, and problems to the error output.

Ctrl-C (or SIGTERM) ends everything: running runs write a checkpoint and go back into the queue, so
that the next start finds all as it was and goes on with them by itself. A run that needs longer
than `NASW_SHUTDOWN_SECONDS` for its checkpoint, or a second Ctrl-C, means that it goes on from the
checkpoint before. Ending by `kill -9` loses no more than that either, but leaves processes behind;
the next start ends them first.

With REDIS_URL set, that server is used and none is started; `--only workers` and `--only page`
then spread the parts over machines that share the folder of the runs.
"""

from __future__ import annotations

import argparse
import sys


def main(arguments: list[str] | None = None) -> int:
    """Run until told to end; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m workers.up",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", choices=("workers", "page"), help="start only this part")
    wanted = parser.parse_args(arguments)
    try:
        import workers.worker  # noqa: F401 - what workers need is found missing here, not there
        from workers.launch import launch
    except ImportError as error:
        print(
            f"The installation is not complete ({error}); run `make clean run` to make it anew.",
            file=sys.stderr,
        )
        return 1
    return launch(wanted.only)


if __name__ == "__main__":
    sys.exit(main())
