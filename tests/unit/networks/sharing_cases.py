"""Small super-nets with sharing factors, and the plain super-net that each of them equals."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.core.architecture import Architecture
from engine.networks import Route, SuperNet, build_supernet
from engine.spaces import get_space
from engine.spaces.darts_cells import EDGES as DARTS_EDGES
from engine.spaces.nb201 import EDGES as NB201_EDGES
from engine.spec.network import NetworkSpec, NormSpec, SharingSpec

torch.set_num_threads(1)
SPACES = ("nb201", "darts")
EDGES = {"nb201": NB201_EDGES, "darts": DARTS_EDGES}
NODE = {"operations_on": "node"}
WSBN = {**NODE, "edge_norms": True}
OFA = {"ofa_kernel": True}
PARTIAL = {"partial_channels": 2}
FACTORS: dict[str, dict[str, Any]] = {
    "node": NODE,
    "wsbn": WSBN,
    "ofa": OFA,
    "node and ofa": {**NODE, **OFA},
    "partial": PARTIAL,
    "all": {**WSBN, **OFA, **PARTIAL},
}
# Per space: option of the smaller kernel -> option of the larger.
LARGER = {"nb201": {2: 3}, "darts": {4: 5, 6: 7}}
_TENSOR = re.compile(r"(.*\.)(?:edges)\.(\d+)\.(\d+)\.(.+)\.(weight|bias)")


def spec(space: str, sharing: dict[str, Any], **norm: Any) -> NetworkSpec:
    """Return a small skeleton for 8x8 images of two channels."""
    return NetworkSpec(
        channels=2,
        cells=3 if space == "darts" else 1,
        classes=3,
        input_channels=2,
        resolution=8,
        norm=NormSpec(**norm),
        sharing=SharingSpec(**sharing),
    )


@torch.no_grad()
def supernet(space: str, sharing: dict[str, Any], seed: int = 0, **norm: Any) -> SuperNet:
    """Return a super-net in float64 without a parameter at its initial value."""
    net = build_supernet(space, spec(space, sharing, **norm), seed).double()
    source = torch.Generator().manual_seed(seed)
    for value in net.parameters():
        value += 0.2 * torch.randn(value.shape, generator=source, dtype=torch.float64)
    return net


def images(count: int = 3, side: int = 8) -> Tensor:
    """Return random images."""
    source = torch.Generator().manual_seed(0)
    return torch.randn(count, 2, side, side, generator=source, dtype=torch.float64)


def drawn(space: str, count: int, seed: int = 0) -> list[Architecture]:
    """Return random architectures."""
    rng = np.random.default_rng(seed)
    return [get_space(space).sample(rng) for _ in range(count)]


def mixture(space: str, seed: int = 0) -> Route:
    """Return a route of all options with random weights."""
    source = torch.Generator().manual_seed(seed)
    choices = get_space(space).mixture
    weights = [
        torch.randn(len(choice.options), generator=source, dtype=torch.float64).softmax(0)
        for choice in choices
    ]
    return Route(tuple(tuple(range(len(one))) for one in weights), tuple(weights))


def owner_edge(space: str, edge: int, sharing: dict[str, Any]) -> int:
    """Return the edge in whose name the convolutions of an edge are listed."""
    edges = EDGES[space]
    if sharing.get("operations_on") != "node":
        return edge
    return next(place for place, pair in enumerate(edges) if pair[1] == edges[edge][1])


def expanded(
    space: str, sharing: dict[str, Any], shared: dict[str, Tensor], plain: list[str]
) -> dict[str, Tensor]:
    """Return every tensor of a plain super-net as a function of the shared ones.

    Args:
        space: name.
        sharing: operations on nodes, norms per edge, one kernel.
        shared: parameters of the super-net that shares, by name.
        plain: names of the parameters of one that does not.
    """
    found = {}
    for name in plain:
        match = _TENSOR.fullmatch(name)
        if match is None:
            found[name] = shared[name]
            continue
        cell, edge, option, part, kind = match.groups()
        first, larger = owner_edge(space, int(edge), sharing), LARGER[space].get(int(option))
        if "norm" in part:
            kept = edge if sharing.get("edge_norms") else first
            found[name] = shared[f"{cell}edges.{kept}.{option}.{part}.{kind}"]
        elif larger is None or not sharing.get("ofa_kernel"):
            found[name] = shared[f"{cell}edges.{first}.{option}.{part}.weight"]
        else:
            weight = shared[f"{cell}edges.{first}.{larger}.{part}.weight"]
            matrix = shared.get(f"{cell}edges.{first}.{option}.{part}.projection")
            found[name] = weight if matrix is None else _projected(weight, matrix)
    return found


def _projected(weight: Tensor, matrix: Tensor) -> Tensor:
    side = {1: 1, 9: 3}[len(matrix)]
    middle = weight[:, :, 1:-1, 1:-1].reshape(*weight.shape[:2], side * side)
    return torch.einsum("ij,ocj->oci", matrix, middle).reshape(*weight.shape[:2], side, side)
