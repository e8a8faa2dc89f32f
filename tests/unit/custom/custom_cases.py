"""Definitions, drawn and written by hand, and networks that the tests of custom spaces share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from hypothesis import strategies as st

from engine.core.architecture import Architecture
from engine.networks import SuperNet
from engine.spaces import get_space
from engine.spaces.custom import CustomSpace
from engine.spaces.operations import NONE, OPERATIONS
from engine.spec.network import NetworkSpec, NormSpec

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = {
    path.stem: yaml.safe_load(path.read_text())
    for path in sorted((ROOT / "examples" / "spaces").glob("*.yaml"))
}
# Cells that are hard in some way.
CELLS: dict[str, dict[str, Any]] = {
    "joined": {
        "kind": "cell",
        "nodes": ["in", "1", "2", "3"],
        "operations": [NONE, "skip_connect", "avg_pool_3x3_norm", "nor_conv_1x1"],
        "edges": {
            "in->1": None,
            "in->2": None,
            "in->3": ["none", "max_pool_3x3", "skip_connect"],
            "2->1": ["none", "skip_connect"],
        },
        "output": ["3", "1", "2"],
        "stages": 1,
    },
    "wide": {
        "kind": "cell",
        "nodes": ["x", *(f"n{i}" for i in range(7)), "y"],
        "operations": ["none", "nor_conv_1x1"],
        "edges": {**{f"x->n{i}": None for i in range(7)}, **{f"n{i}->y": None for i in range(7)}},
        "stages": 1,
    },
    "one edge": {
        "kind": "cell",
        "nodes": ["a", "b"],
        "edges": {"a -> b": ["skip_connect", "skip_or_reduce", "none"]},
        "stages": 1,
    },
}
SMALL = NetworkSpec(channels=2, cells=1, classes=3, input_channels=1, resolution=8)
ODD = NetworkSpec(
    channels=3, cells=2, classes=2, input_channels=2, resolution=9, norm=NormSpec(affine=False)
)


def custom(definition: dict[str, Any]) -> CustomSpace:
    """Return the space of a definition."""
    space = get_space("custom", definition)
    assert isinstance(space, CustomSpace)
    return space


def skeleton(space: CustomSpace, network: NetworkSpec = SMALL) -> NetworkSpec:
    """Return a skeleton with what the space settles."""
    return network.model_copy(update=dict(space.fixed))


def drawn(space: CustomSpace, count: int, seed: int = 0) -> list[Architecture]:
    rng = np.random.default_rng(seed)
    return [space.sample(rng) for _ in range(count)]


def images(network: NetworkSpec, count: int = 4) -> torch.Tensor:
    shape = (count, network.input_channels, network.resolution, network.resolution)
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def scramble(net: SuperNet, seed: int = 0) -> SuperNet:
    """Give scales, shifts and moving averages values that differ."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in net.state_dict().items():
            noise = torch.rand(value.shape, generator=generator)
            if name.endswith("running_var"):
                value.copy_(0.5 + noise)
            elif value.ndim == 1:
                value.copy_(noise + (0.5 if name.endswith("weight") else -0.5))
    return net


# -- drawn definitions -------------------------------------------------------------------------
_KEEPING = [NONE, *(n for n in OPERATIONS if n != NONE and not OPERATIONS[n].misfit(2, 2, 1))]


def _lists(names: list[str], least: int = 1) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), min_size=least, max_size=4, unique=True)


@st.composite
def cells(draw: st.DrawFn) -> dict[str, Any]:
    """A cell of up to five nodes; every node gets an edge in and leads to an output."""
    count = draw(st.integers(2, 5))
    names = draw(
        st.lists(
            st.from_regex(r"[A-Za-z0-9_]{1,4}", fullmatch=True),
            min_size=count,
            max_size=count,
            unique=True,
        )
    )
    pairs = [(s, t) for t in range(1, count) for s in range(t)]
    chosen = {(draw(st.integers(0, t - 1)), t) for t in range(1, count)}
    chosen |= set(draw(st.lists(st.sampled_from(pairs), max_size=4)))
    edges = {
        f"{names[s]}->{names[t]}": draw(_lists(_KEEPING).filter(lambda ops: ops != [NONE]))
        for s, t in sorted(chosen)
    }
    edges[f"{names[0]}->{names[1]}"] = draw(_lists(_KEEPING, least=2))
    sinks = [n for n in range(1, count) if not any(s == n for s, _ in chosen)]
    more = draw(st.lists(st.sampled_from(range(1, count)), max_size=2, unique=True))
    output = [names[n] for n in {*sinks, *more}]
    return {
        "kind": "cell",
        "nodes": [names[0], *draw(st.permutations(names[1:]))],
        "edges": dict(draw(st.permutations(list(edges.items())))),
        "output": draw(st.permutations(output)),
        "stages": draw(st.integers(1, 2)),
    }


@st.composite
def chains(draw: st.DrawFn) -> dict[str, Any]:
    """A chain of up to four blocks with whatever fits into each."""
    before = stem = draw(st.integers(1, 4))
    blocks = []
    for place in range(draw(st.integers(1, 4))):
        width, stride = draw(st.integers(1, 4)), draw(st.sampled_from([1, 2]))
        fitting = [
            name
            for name, operation in OPERATIONS.items()
            if name != NONE and not operation.misfit(before, width, stride)
        ]
        repeat = draw(st.integers(1, 2))
        fitting = [n for n in fitting if repeat == 1 or not OPERATIONS[n].misfit(width, width, 1)]
        names = draw(_lists(fitting, least=1 if place else 2))
        blocks.append({"width": width, "stride": stride, "repeat": repeat, "operations": names})
        before = width
    return {"kind": "chain", "stem": stem, "blocks": blocks}


@st.composite
def sizes(draw: st.DrawFn) -> dict[str, Any]:
    """A chain of up to three layers."""
    layers = []
    for place in range(draw(st.integers(1, 3))):
        widths = st.lists(st.integers(1, 4), min_size=1 if place else 2, max_size=3, unique=True)
        kernels = st.lists(st.sampled_from([1, 3, 5]), min_size=1, max_size=2, unique=True)
        layers.append(
            {
                "widths": draw(widths),
                "kernels": draw(kernels),
                "stride": draw(st.sampled_from([1, 2])),
                "block": draw(st.sampled_from(["conv", "residual"])),
            }
        )
    return {"kind": "sizes", "stem": draw(st.integers(1, 4)), "layers": layers}


definitions = st.one_of(cells(), chains(), sizes())
