"""Small images, networks and trainers for these tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from engine.addons.landmark import LandmarkRegulariser
from engine.core.architecture import Architecture
from engine.core.streams import Streams
from engine.datasets.batches import DeviceImages
from engine.networks import Route, SuperNet, build_supernet
from engine.spaces import get_space
from engine.spec.data import AugmentationSpec
from engine.spec.network import NetworkSpec, NormSpec
from engine.spec.training import SuperNetSpec
from engine.training.supernet_trainer import SuperNetTrainer

SPACE = get_space("nb201")
PLAIN = AugmentationSpec()
MIXED = SPACE.parse(
    "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|skip_connect~1|avg_pool_3x3~2|"
)
OTHER = SPACE.parse(
    "|nor_conv_1x1~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
)


def network(**norm: Any) -> NetworkSpec:
    """Return a skeleton of two channels and one cell a stage, for 8x8 grey images."""
    return NetworkSpec(
        channels=2, cells=1, classes=3, input_channels=1, resolution=8, norm=NormSpec(**norm)
    )


def images(count: int, seed: int = 0) -> DeviceImages:
    """Return random pictures of three classes."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (count, 8, 8, 1)).astype(np.uint8)
    return DeviceImages(pixels, rng.integers(0, 3, count), "cpu", (0.5,), (0.3,))


def supernet(seed: int = 0, **norm: Any) -> SuperNet:
    """Return a super-net of the skeleton."""
    return build_supernet("nb201", network(**norm), seed)


def some(count: int, seed: int = 0) -> list[Architecture]:
    """Return random architectures."""
    rng = np.random.default_rng(seed)
    return [SPACE.sample(rng) for _ in range(count)]


class FixedPaths:
    """The same routes in every update."""

    def __init__(self, *architectures: Architecture) -> None:
        self.chosen = Route.many(architectures)
        self.per_update = len(architectures)

    def routes(self, rng: np.random.Generator, share: float) -> list[Route]:
        return self.chosen


def trainer(
    paths: Sequence[Architecture] = (MIXED,),
    count: int = 12,
    regulariser: LandmarkRegulariser | None = None,
    statistics: str = "batch",
    **spec: Any,
) -> SuperNetTrainer:
    """Return a trainer of `count` images; `spec` are fields of its protocol."""
    given = {"epochs": 3, "batch_size": 4, **spec}
    parts = {"train": images(count, 1), "held_out": images(10, 2)}
    return SuperNetTrainer(
        supernet(statistics=statistics),
        SuperNetSpec.model_validate(given),
        parts,
        PLAIN,
        FixedPaths(*paths),
        regulariser,
        Streams(5),
    )


def copied(net: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return copies of all parameters and buffers."""
    return {name: value.clone() for name, value in net.state_dict().items()}


def nothing() -> None:
    """Do nothing after a step."""
