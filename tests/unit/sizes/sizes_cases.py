"""Architectures, skeletons and networks that the tests of the size space share."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine.core.architecture import Architecture
from engine.networks import Route, SuperNet, build_supernet
from engine.spaces.nats_size import NATS_SIZE_SPACE
from engine.spec.network import NetworkSpec, NormSpec

torch.set_num_threads(1)

# Widths 2, 4, ..., 16; odd images, so that reductions round up.
SMALL = NetworkSpec(channels=4, classes=5, input_channels=1, resolution=9)
MOVING = SMALL.model_copy(update={"norm": NormSpec(statistics="moving", momentum=0.3)})

# Raw records of NATS-Bench v1.0 (size space): text, published index, and per data set (classes,
# side) the parameters and multiply-adds.
PUBLISHED = {
    "8:8:8:8:8": (
        0,
        {(10, 32): (11_714, 4_481_114), (100, 32): (12_524, 4_481_924)}
        | {(120, 16): (12_704, 1_121_336)},
    ),
    "8:8:8:16:32": (
        11,
        {(10, 32): (49_202, 6_840_650), (100, 32): (52_172, 6_843_620)}
        | {(120, 16): (52_832, 1_714_040)},
    ),
    "8:8:40:32:40": (
        284,
        {(10, 32): (144_834, 21_827_994), (100, 32): (148_524, 21_831_684)}
        | {(120, 16): (149_344, 5_461_816)},
    ),
}


def size(text: str) -> Architecture:
    return NATS_SIZE_SPACE.parse(text)


def drawn(count: int, seed: int = 0) -> list[Architecture]:
    rng = np.random.default_rng(seed)
    return [NATS_SIZE_SPACE.sample(rng) for _ in range(count)]


def images(network: NetworkSpec = SMALL, count: int = 6, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    side = network.resolution
    return torch.randn(count, network.input_channels, side, side, generator=generator)


def supernet(network: NetworkSpec = SMALL) -> SuperNet:
    """Build a super-net in which no two numbers of a normalisation are equal."""
    net = build_supernet("nats_size", network, 1)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for value in net.state_dict().values():
            if value.ndim == 1:
                value.copy_(0.5 + torch.rand(value.shape, generator=generator))
    return net


def gradients(net: SuperNet) -> dict[str, Tensor]:
    """Return copies of all gradients and forget them; a missing one is None."""
    found = {n: None if p.grad is None else p.grad.clone() for n, p in net.named_parameters()}
    net.zero_grad(set_to_none=True)
    return found  # type: ignore[return-value]


def routes(architectures: list[Architecture]) -> list[Route]:
    return Route.many(architectures)
