"""How long a trained architecture takes for one image, on the device of the run."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import torch

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.device import describe_device
from engine.networks import Route, build_stand_alone
from engine.spec.network import NetworkSpec

BATCH = 1
WARM_UP = 3
FEWEST, MOST = 10, 50
ENOUGH_SECONDS = 0.2


@dataclass(frozen=True)
class Latency:
    """Measured times of forward passes.

    Attributes:
        milliseconds: median of the repetitions.
        repetitions: how many there were, after the warm-up.
    """

    milliseconds: float
    repetitions: int


def measure_latency(
    architecture: Architecture, network: NetworkSpec, space: Space, device: torch.device
) -> Latency:
    """Time forward passes of a stand-alone network: one image, evaluation mode, no gradients.

    After `WARM_UP` passes there are at least `FEWEST` repetitions, and up to `MOST` within
    `ENOUGH_SECONDS`. On CUDA every pass ends with a synchronisation. Weights are not needed:
    time does not depend on their values. No random stream and no buffer moves.

    Args:
        architecture: of the space.
        network: skeleton of stand-alone networks, with classes, channels and resolution.
        space: where it comes from.
        device: where to measure; the number of CPU threads is what it is.
    """
    net = build_stand_alone(architecture, network, 0, space)
    net = net.to(device, memory_format=torch.channels_last).eval()
    route, side = Route.of(architecture), network.resolution
    drawn = torch.randn(
        (BATCH, network.input_channels, side, side), generator=torch.Generator().manual_seed(0)
    )
    x = drawn.to(device, memory_format=torch.channels_last)

    def once() -> float:
        started = time.perf_counter()
        net(x, route)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter() - started

    with net.probing():
        for _ in range(WARM_UP):
            once()
        seconds: list[float] = []
        while len(seconds) < FEWEST or (len(seconds) < MOST and sum(seconds) < ENOUGH_SECONDS):
            seconds.append(once())
    return Latency(1000 * statistics.median(seconds), len(seconds))


def how_measured(network: NetworkSpec, device: torch.device) -> dict[str, object]:
    """Return what a latency in milliseconds refers to, for the record of a run."""
    return {
        "device": describe_device(device),
        "batch": BATCH,
        "input": [BATCH, network.input_channels, network.resolution, network.resolution],
        "precision": "float32",
        "warm_up": WARM_UP,
        "repetitions": {"fewest": FEWEST, "most": MOST},
        "figure": "median",
    }
