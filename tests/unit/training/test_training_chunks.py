"""`forward_many` over many architectures: never more than one chunk's activations at once."""

from __future__ import annotations

import weakref
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.datasets.batches import DeviceImages
from engine.evaluators import supernet as scoring
from engine.evaluators.supernet import LIVE_TENSORS, SHARE_OF_FREE_MEMORY, SuperNetScorer
from engine.networks import Route, build_supernet
from engine.spaces import get_space
from engine.spec.network import NetworkSpec

torch.set_num_threads(1)
COUNT, BATCH, CHUNK = 50, 4, 7


@pytest.mark.parametrize("name", ["nb201", "darts", "nats_size"])
def test_only_one_chunk_is_alive(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    space = get_space(name)
    network = NetworkSpec(channels=2, cells=2, classes=3, input_channels=1, resolution=8)
    network = network.model_copy(update=dict(space.fixed))
    net = build_supernet(name, network, 0)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (BATCH, 8, 8, 1)).astype(np.uint8)
    images = DeviceImages(pixels, rng.integers(0, 3, BATCH), "cpu", (0.5,), (0.3,))
    ones = [space.sample(rng) for _ in range(COUNT)]
    stem = net.stem(torch.zeros(BATCH, 1, 8, 8))
    size = stem.numel() * stem.element_size() * LIVE_TENSORS
    free = int((CHUNK + 0.5) * size / SHARE_OF_FREE_MEMORY)
    monkeypatch.setattr(scoring, "free_bytes", lambda device: free)

    alive: list[weakref.ref[Tensor]] = []
    left, asked, largest = [], [], 0
    forward_many = net.forward_many

    def watched(x: Tensor, routes: Sequence[Route]) -> Tensor:
        left.append(sum(one() is not None for one in alive))
        asked.append(len(routes))
        return forward_many(x, routes)

    def record(module: nn.Module, inputs: object, out: Tensor) -> None:
        nonlocal largest
        largest = max(largest, len(out) // BATCH)
        alive.append(weakref.ref(out))

    monkeypatch.setattr(net, "forward_many", watched)
    hooks = [m.register_forward_hook(record) for m in net.modules() if isinstance(m, nn.Conv2d)]
    scorer = SuperNetScorer(net, network.norm, images, images, BATCH)
    found = scorer.scores(ones)
    for hook in hooks:
        hook.remove()
    assert asked == [CHUNK] * 7 + [1]
    assert left == [0] * 8, "a chunk's activations outlived it"
    assert 1 < largest <= CHUNK
    # The chunks change no score.
    monkeypatch.setattr(scoring, "free_bytes", lambda device: 0)
    assert SuperNetScorer(net, network.norm, images, images, BATCH).scores(ones) == found
