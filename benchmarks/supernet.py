"""The super-net's hot paths, each against its plain alternative in the same process.

    python -m benchmarks.supernet [--device cpu|cuda] [--out FILE.json]

Reported are medians over repeats and ratios within this run; absolute times are worth nothing on
another machine. Results are compared before they are timed: no ratio on a wrong result.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from engine.device import choose_device, describe_device, use_threads
from engine.environment import describe_environment
from engine.networks import Route, SuperNet, build_supernet
from engine.spaces import get_space
from engine.spec.network import NetworkSpec
from engine.tasks import classification

REPEATS = 5
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Setting:
    """One size of problem: skeleton, images and architectures."""

    channels: int
    cells: int
    resolution: int
    input_channels: int
    batch: int
    routes: int


SETTINGS = (
    Setting(8, 1, 8, 1, 64, 64),
    Setting(16, 1, 16, 3, 64, 8),
    Setting(16, 5, 32, 3, 64, 4),
)


def median_seconds(work: Callable[[], object], device: torch.device) -> float:
    """Return the median wall-clock time of a few calls after one warm-up."""
    times = []
    for _ in range(REPEATS + 1):
        _wait(device)
        started = time.perf_counter()
        work()
        _wait(device)
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def measure(setting: Setting, device: torch.device) -> dict[str, float]:
    """Return seconds and ratios of one setting."""
    network = NetworkSpec(
        channels=setting.channels,
        cells=setting.cells,
        resolution=setting.resolution,
        input_channels=setting.input_channels,
    )
    use_threads(device, network, setting.batch)
    net = build_supernet("nb201", network, 0).to(device, memory_format=torch.channels_last)
    rng = np.random.default_rng(0)
    space = get_space("nb201")
    routes = Route.many([space.sample(rng) for _ in range(setting.routes)])
    shape = (setting.batch, setting.input_channels, setting.resolution, setting.resolution)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(device)
    x = x.contiguous(memory_format=torch.channels_last)
    y = torch.arange(setting.batch, device=device) % network.classes
    _require_equal(net, x, routes)
    result = {
        "score_one_by_one": median_seconds(lambda: _one_by_one(net, x, routes), device),
        "score_forward_many": median_seconds(lambda: _many(net, x, routes), device),
        "step_channels_last": median_seconds(lambda: _steps(net, x, y, routes), device),
    }
    plain = build_supernet("nb201", network, 0).to(device)
    xp = x.contiguous()
    result["step_contiguous"] = median_seconds(lambda: _steps(plain, xp, y, routes), device)
    result["forward_many_speedup"] = result["score_one_by_one"] / result["score_forward_many"]
    result["channels_last_speedup"] = result["step_contiguous"] / result["step_channels_last"]
    return result


def _require_equal(net: SuperNet, x: torch.Tensor, routes: list[Route]) -> None:
    error = (_many(net, x, routes) - _one_by_one(net, x, routes)).abs().max().item()
    if not error < TOLERANCE:
        raise SystemExit(f"forward_many differs from one by one by {error}; nothing is timed.")


@torch.no_grad()
def _one_by_one(net: SuperNet, x: torch.Tensor, routes: list[Route]) -> torch.Tensor:
    return torch.stack([net(x, route) for route in routes])


@torch.no_grad()
def _many(net: SuperNet, x: torch.Tensor, routes: list[Route]) -> torch.Tensor:
    return net.forward_many(x, routes)


def _steps(net: SuperNet, x: torch.Tensor, y: torch.Tensor, routes: list[Route]) -> None:
    for route in routes:
        net.zero_grad(set_to_none=True)
        classification.loss(net(x, route), y).backward()


def main() -> None:
    """Measure all settings and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    device = choose_device(arguments.device)
    rows = [{**asdict(setting), **measure(setting, device)} for setting in SETTINGS]
    print(f"{describe_device(device)}, torch {torch.__version__}")
    for row in rows:
        print(", ".join(f"{k}={v:.4g}" for k, v in row.items()))
    if arguments.out is not None:
        content = {"environment": describe_environment(), "rows": rows}
        arguments.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
