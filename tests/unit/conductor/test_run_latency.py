"""Latency of found architectures: a measurement, kept apart from what must repeat."""

from __future__ import annotations

import itertools
import statistics
from typing import Any

import numpy as np
import pytest
import torch

from engine import latency
from engine.core.architecture import Architecture
from engine.events import comparable
from engine.networks import SuperNet
from engine.runs import RunFolder
from engine.spaces import get_space
from engine.spec.network import NetworkSpec

SPACE = get_space("nb201")
NETWORK = NetworkSpec(channels=4, cells=1, input_channels=1, resolution=8)
ARCHITECTURE = SPACE.sample(np.random.default_rng(0))
CPU = torch.device("cpu")


def test_every_found_architecture_has_its_latency(whole: RunFolder) -> None:
    result = whole.result()
    assert result is not None
    events = [event for event in whole.events() if event["type"] == "architecture"]
    for row, event in zip(result["architectures"], events, strict=True):
        assert row["latency_ms"] > 0
        assert event["measured"]["latency_ms"] == row["latency_ms"]
        assert latency.FEWEST <= event["measured"]["repetitions"] <= latency.MOST
        assert "latency_ms" not in comparable(event)
    told = result["latency"]
    assert (told["batch"], told["input"]) == (1, [1, 1, 8, 8])
    assert told["device"].startswith("CPU (")


def ticking(monkeypatch: pytest.MonkeyPatch, durations: list[float]) -> None:
    """Let every pass seem to take one of the durations, the last one for ever."""
    moments = [0.0]
    for duration in durations:
        moments += [moments[-1], moments[-1] + duration]
    last = durations[-1]
    more = itertools.chain.from_iterable(
        (moments[-1] + n * last, moments[-1] + (n + 1) * last) for n in itertools.count()
    )
    clock = itertools.chain(moments[1:], more)
    monkeypatch.setattr(latency.time, "perf_counter", lambda: next(clock))


@pytest.mark.parametrize(
    ("durations", "repetitions"),
    [
        ([1.0, 1.0, 1.0, *np.linspace(0.5, 0.9, latency.FEWEST), 9.0], latency.FEWEST),
        ([1.0, 1.0, 1.0, 0.001], latency.MOST),
        ([1.0, 1.0, 1.0, 0.0101], 20),  # 0.2 s are over in the twentieth pass
    ],
)
def test_the_median_leaves_the_warm_up_out(
    monkeypatch: pytest.MonkeyPatch, durations: list[float], repetitions: int
) -> None:
    ticking(monkeypatch, durations)
    found = latency.measure_latency(ARCHITECTURE, NETWORK, SPACE, CPU)
    assert found.repetitions == repetitions
    counted = durations[latency.WARM_UP :]
    counted += [durations[-1]] * (repetitions - len(counted))
    expected = 1000 * statistics.median(counted[:repetitions])
    assert found.milliseconds == pytest.approx(expected)


def test_passes_are_of_one_image_without_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[tuple[Any, ...]] = set()
    real = SuperNet.forward

    def forward(self: SuperNet, x: torch.Tensor, route: Any) -> torch.Tensor:
        out = real(self, x, route)
        seen.add((tuple(x.shape), self.training, out.requires_grad))
        return out

    monkeypatch.setattr(SuperNet, "forward", forward)
    before = torch.get_rng_state()
    latency.measure_latency(ARCHITECTURE, NETWORK, SPACE, CPU)
    assert seen == {((1, 1, 8, 8), False, False)}
    assert torch.equal(torch.get_rng_state(), before), "no random stream moves"


def test_a_network_of_more_work_takes_longer() -> None:
    wide = NETWORK.model_copy(update={"channels": 64, "cells": 2, "resolution": 32})
    heavy = SPACE.encode(["nor_conv_3x3"] * 6)
    light = Architecture.of("nb201", [1] * 6)
    times = [latency.measure_latency(one, wide, SPACE, CPU).milliseconds for one in (light, heavy)]
    assert times[1] > 2 * times[0], "skip connections against 3x3 convolutions"
