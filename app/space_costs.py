"""What the architectures of a space cost: of all of them where that is quick, else of a sample."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from engine.core import capabilities
from engine.spaces import get_space
from engine.spec.network import NetworkSpec

# Counting takes 10 to 300 microseconds an architecture.
LISTED = 40_000
SAMPLED = 200


@dataclass(frozen=True)
class Costs:
    """Parameters and FLOPs of architectures.

    Attributes:
        params: number of parameters, shape (n,).
        flops: multiply-adds of one image, shape (n,).
        exact: these are all architectures of the space; else it is a random sample.
    """

    params: npt.NDArray[np.int64]
    flops: npt.NDArray[np.int64]
    exact: bool

    def __len__(self) -> int:
        return len(self.params)


def costs(space: str, settings: Mapping[str, Any] | None, network: NetworkSpec) -> Costs:
    """Count the costs in a skeleton; kept, as they depend on nothing else.

    Raises:
        SpecError: the settings are wrong, or the space cannot be built in this skeleton.
        ArchitectureError: the space has too few valid architectures to find one.
    """
    return _costs(space, json.dumps(settings or {}, default=str), network.model_dump_json())


@st.cache_data(max_entries=64, show_spinner="Counting parameters of the space")
def _costs(space: str, settings: str, network: str) -> Costs:
    found, skeleton = (
        get_space(space, json.loads(settings)),
        NetworkSpec.model_validate_json(network),
    )
    exact = capabilities.ENUMERABLE in found.provides and found.size <= LISTED
    rng = np.random.default_rng(0)
    some = found.enumerate() if exact else (found.sample(rng) for _ in range(SAMPLED))
    counted = [found.cost(one, skeleton) for one in some]
    return Costs(
        np.array([cost.params for cost in counted], dtype=np.int64),
        np.array([cost.flops for cost in counted], dtype=np.int64),
        exact,
    )
