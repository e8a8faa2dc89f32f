"""Report speed-ups, but only of kernels whose tests are green here:
`python -m benchmarks.kernels.verify [RESULTS.csv]`.

Rows of the provider `triton` count only where the GPU tests could run, on the device that the
file is about; elsewhere nothing shows that the numbers belong to a correct kernel.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.kernels import registry, run

ROOT = Path(__file__).resolve().parents[2]


def tests_are_green(files: Sequence[str]) -> bool:
    """Whether the test files pass; skipped tests count as passed, an empty run does not."""
    command = [sys.executable, "-m", "pytest", "-q", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    print(done.stdout.strip().rsplit("\n", 1)[-1])
    return done.returncode == 0


def speedups(rows: list[dict[str, str]]) -> dict[tuple[str, ...], float]:
    """(case, mode, shape, provider) to the time of the plain composition over the provider's."""
    place = ("kernel", "case", "mode", "shape", "device", "threads", "torch")
    times = {(*(row[n] for n in place), row["provider"]): float(row["p50_ms"]) for row in rows}
    result = {}
    for (*where, provider), time in times.items():
        base = times.get((*where, registry.BASELINE))
        if provider != registry.BASELINE and base is not None:
            _, case, mode, shape, *_ = where
            result[case, mode, shape, provider] = base / time
    return result


def _measured_here(row: dict[str, str]) -> bool:
    if row["provider"] != "triton":
        return True
    return torch.cuda.is_available() and row["device"] == torch.cuda.get_device_name()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Report speed-ups of kernels that are correct.")
    parser.add_argument("file", nargs="?", type=Path, help="by default the CPU's results")
    path = parser.parse_args(arguments).file or run.result_file(torch.device("cpu"))
    rows = run.read(path)
    if not rows:
        print(f"{path.name} has no rows; run `python -m benchmarks.kernels.run` first.")
        return 1
    usable = [row for row in rows if _measured_here(row)]
    if len(usable) < len(rows):
        hidden = len(rows) - len(usable)
        print(f"{hidden} rows of triton are left out: its GPU tests cannot run here.")
    for kernel in sorted({row["kernel"] for row in usable}):
        if not tests_are_green(registry.TESTS[kernel]):
            print(f"No speed-up of {kernel} is reported: its tests are red.")
            return 1
        for where, ratio in speedups([r for r in usable if r["kernel"] == kernel]).items():
            print(f"{ratio:6.2f}x  {'  '.join(where)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
