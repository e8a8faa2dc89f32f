"""Measure the kernels: `python -m benchmarks.kernels.run [--device cpu|cuda] [--only TEXT]`.

One CSV per device in results/. A row is a kernel, a provider, a mode (fwd, or bwd: all gradients
of an existing graph) and a shape, with the 20th, 50th and 80th percentile of its time in ms.
Providers take turns, so that a change of the machine's load meets all of them. On a CPU with one
thread it is the time that thread was running, so that other programs do not count.
"""

from __future__ import annotations

import argparse
import csv
import platform
import re
import time
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.kernels import registry

RESULTS = Path(__file__).with_name("results")
KEY = ("kernel", "case", "provider", "mode", "shape", "device", "threads", "torch")
COLUMNS = (*KEY, "p20_ms", "p50_ms", "p80_ms")
WARM_UP_CALLS = 3
LEAST_SAMPLE_SECONDS = 1e-3


def device_name(device: torch.device) -> str:
    """The model of the GPU, or of the CPU where the system tells it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return f"CPU {found.group(1).strip() if found else platform.machine()}"


def result_file(device: torch.device) -> Path:
    slug = re.sub(r"[^a-z0-9]+", "-", device_name(device).lower()).strip("-")
    return RESULTS / f"{slug}.csv"


def _timer(device: torch.device) -> Callable[[Callable[[], object], int], float]:
    """A function (call, repeats) -> seconds per call."""

    clock = time.thread_time if torch.get_num_threads() == 1 else time.perf_counter

    def on_cpu(call: Callable[[], object], repeats: int) -> float:
        start = clock()
        for _ in range(repeats):
            call()
        return (clock() - start) / repeats

    def on_gpu(call: Callable[[], object], repeats: int) -> float:
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(repeats):
            call()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / 1e3 / repeats

    return on_gpu if device.type == "cuda" else on_cpu


def sample(
    calls: dict[str, Callable[[], object]], device: torch.device, seconds: float
) -> dict[str, list[float]]:
    """Seconds per call, at least five samples for each name, in turns for `seconds` altogether."""
    timer = _timer(device)
    repeats = {}
    for name, call in calls.items():
        timer(call, WARM_UP_CALLS)
        repeats[name] = max(1, round(LEAST_SAMPLE_SECONDS / max(timer(call, 1), 1e-6)))
    samples: dict[str, list[float]] = {name: [] for name in calls}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(next(iter(samples.values()))) < 5:
        for name, call in calls.items():
            samples[name].append(timer(call, repeats[name]))
    return samples


def _calls(
    case: registry.Case, data: registry.Inputs, device: torch.device, mode: str
) -> dict[str, Callable[[], object]]:
    leaves = data.leaves()

    def call(provider: Callable[..., torch.Tensor]) -> Callable[[], object]:
        if mode == "fwd":
            return lambda: provider(case, data)
        y = provider(case, data)
        return lambda: torch.autograd.grad(y, leaves, data.upstream, retain_graph=True)

    return {name: call(function) for name, function in registry.providers(device).items()}


def measure(case: registry.Case, device: torch.device, seconds: float) -> list[dict[str, str]]:
    """The rows of one case."""
    data = registry.inputs(case, device)
    rows = []
    for mode in ("fwd", "bwd"):
        for provider, times in sample(_calls(case, data, device, mode), device, seconds).items():
            points = torch.tensor(times, dtype=torch.float64).quantile(
                torch.tensor([0.2, 0.5, 0.8], dtype=torch.float64)
            )
            key = (case.kernel, case.name, provider, mode, case.shape_text, device_name(device))
            version = (str(torch.get_num_threads()), torch.__version__)
            milliseconds = (f"{1e3 * point:.4f}" for point in points.tolist())
            rows.append(dict(zip(COLUMNS, (*key, *version, *milliseconds), strict=True)))
    return rows


def read(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: list[dict[str, str]]) -> None:
    """Replace the rows that were measured again, keep the others."""
    kept = {tuple(row[name] for name in KEY): row for row in [*read(path), *rows]}
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept[key] for key in sorted(kept))


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the kernels on one device.")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--only", default="", help="measure only cases whose name has this text")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each case and mode")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch on the CPU")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    for case in registry.CASES:
        if options.only not in case.name:
            continue
        rows = measure(case, device, options.seconds)
        write(result_file(device), rows)
        for row in rows:
            print(f"{row['p50_ms']:>10} ms  {row['mode']}  {row['provider']:12} {row['shape']}")


if __name__ == "__main__":
    main()
