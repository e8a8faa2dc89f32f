"""Architectures, skeletons and networks that the export tests share."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import torch

from engine.core.architecture import Architecture
from engine.export.python_source import python_source
from engine.export.record import ArchitectureRecord, DataRecord, describe
from engine.networks import SuperNet, build_stand_alone
from engine.spaces import get_space
from engine.spec.network import NetworkSpec, NormSpec

NONE, SKIP, CONV1, CONV3, POOL = range(5)

# Edges are 0->1, 0->2, 1->2, 0->3, 1->3, 2->3.
CELLS = {
    "all none": (0, 0, 0, 0, 0, 0),
    "all skip": (1, 1, 1, 1, 1, 1),
    "all conv 3x3": (3, 3, 3, 3, 3, 3),
    "all pool": (4, 4, 4, 4, 4, 4),
    "identity": (0, 0, 0, 1, 0, 0),
    "dead ends only": (3, 2, 4, 0, 0, 0),
    "fed by nothing": (0, 0, 3, 0, 2, 4),
    "one conv": (0, 0, 0, 2, 0, 0),
    "chain": (3, 0, 2, 0, 0, 3),
    "mixed": (3, 1, 2, 4, 0, 3),
    "half dead": (2, 3, 0, 1, 4, 0),
}
SKELETONS = {
    "grey, odd": NetworkSpec(channels=3, cells=1, classes=7, input_channels=1, resolution=9),
    "colour, no affine": NetworkSpec(
        channels=4, cells=2, classes=3, resolution=8, norm=NormSpec(affine=False, momentum=0.3)
    ),
    "very small": NetworkSpec(channels=2, cells=1, classes=2, resolution=5),
}
DATA = {
    "name": "digits",
    "source": "somewhere",
    "classes": ["zero", "one", "two", "three", "four", "five", "six"],
    "channels": 1,
    "resolution": 9,
    "mean": [0.25],
    "std": [0.5],
    "fingerprint": "f00",
    "split": {},
}


def nb201(indices: tuple[int, ...]) -> Architecture:
    return Architecture("nb201", indices)


def random_cells(count: int, seed: int = 0) -> list[tuple[int, ...]]:
    rng, space = np.random.default_rng(seed), get_space("nb201")
    return [space.sample(rng).indices for _ in range(count)]


def record_of(indices: tuple[int, ...], skeleton: str, **known: Any) -> ArchitectureRecord:
    return describe(nb201(indices), SKELETONS[skeleton], **known)


def full_record(**known: Any) -> ArchitectureRecord:
    """Return a record with everything known that can be."""
    given = {
        "rank": 1,
        "super_net_accuracy": 81.5,
        "stand_alone_accuracy": 96.25,
        "data": DataRecord.of(DATA),
        "run_id": "a-run",
        "run_name": "A run",
        "algorithm": "spos",
        "searcher": "evolution",
        "seed": 3,
    }
    return record_of(CELLS["mixed"], "grey, odd", **{**given, **known})


def scrambled(record: ArchitectureRecord, seed: int = 0) -> SuperNet:
    """Build our stand-alone network with random values everywhere, moving averages included."""
    net = build_stand_alone(record.architecture, record.network, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in net.state_dict().items():
            noise = torch.rand(value.shape, generator=generator)
            if name.endswith("running_var"):
                value.copy_(0.5 + noise)
            elif value.ndim == 1:
                value.copy_(noise + (0.5 if name.endswith("weight") else -0.5))
    return net


def images_for(record: ArchitectureRecord, count: int = 4, seed: int = 0) -> torch.Tensor:
    side = record.network.resolution
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, record.network.input_channels, side, side, generator=generator)


def module_of(text: str) -> Any:
    """Execute the text of a `model.py`."""
    module = types.ModuleType("model")
    exec(compile(text, "model.py", "exec"), module.__dict__)
    return module


def exported_network(record: ArchitectureRecord) -> torch.nn.Module:
    network: torch.nn.Module = module_of(python_source(record)).Network()
    return network
