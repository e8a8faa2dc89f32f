"""Cells, published rows and networks that the tests of NAS-Bench-101 share.

`by_hand` computes a network from its tensors alone, written with matrices instead of lists of
sources, without looking at our code for cells, widths or channels.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.core.architecture import Architecture
from engine.networks import SuperNet, build_supernet
from engine.spaces import get_space
from engine.spaces.nb101 import NB101, NB101_SPACE
from engine.spec.network import NetworkSpec, NormSpec, SharingSpec

torch.set_num_threads(1)

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("NASW_SHARED_DATA") or ROOT.parent / "shared" / "data")
# Odd images, channels that three vertices cannot share evenly, 2 and 4 can in some stacks.
SMALL = NetworkSpec(channels=7, cells=1, classes=3, input_channels=2, resolution=5)
OPS = ("conv3x3", "conv1x1", "maxpool3x3")
# Texts with every feature: dead ends, chains, pooling first, input to output, one edge only.
TEXTS = (
    "output(0)",
    "conv3x3(0);output(1)",
    "maxpool3x3(0);output(0,1)",
    "conv1x1(0);conv3x3(0,1);maxpool3x3(2);output(1,2,3)",
    "conv1x1(0);conv3x3(1);maxpool3x3(0,2);output(0,1,2,3)",
    "conv3x3(0);conv1x1(1);conv1x1(2);conv3x3(3);maxpool3x3(4);output(0,5)",
    "conv3x3();conv1x1(0);conv3x3(2);maxpool3x3(1);conv1x1(0);output(3,5)",
    "conv1x1(0);conv1x1(0);conv3x3(0);maxpool3x3(0);output(1,2,3,4)",
)


def table(name: str) -> list[dict[str, str]]:
    """Return the rows of a published table; skips where it is absent."""
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"no published table: {path} is absent (set NASW_SHARED_DATA)")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def subspace(nodes: int = 7, output_edges: int | None = None) -> NB101:
    space = get_space("nb101", {"nodes": nodes, "output_edges": output_edges})
    assert isinstance(space, NB101)
    return space


def arch(text: str) -> Architecture:
    return NB101_SPACE.parse(text)


def drawn(count: int, seed: int = 0, space: NB101 = NB101_SPACE) -> list[Architecture]:
    rng = np.random.default_rng(seed)
    return [space.sample(rng) for _ in range(count)]


def with_sharing(norm: NormSpec | None = None, **sharing: object) -> NetworkSpec:
    update = {"sharing": SharingSpec.model_validate(sharing), "norm": norm or NormSpec()}
    return SMALL.model_copy(update=update)


@torch.no_grad()
def shaken(net: SuperNet, seed: int = 0) -> SuperNet:
    """Return it in float64, no two numbers of a normalisation being equal."""
    source = torch.Generator().manual_seed(seed)
    net.double()
    for value in net.state_dict().values():
        if value.ndim == 1:
            value.copy_(0.5 + torch.rand(value.shape, generator=source, dtype=torch.float64))
    return net


def supernet(network: NetworkSpec = SMALL, space: NB101 = NB101_SPACE, seed: int = 0) -> SuperNet:
    return shaken(build_supernet(space, network, seed), seed)


def images(count: int = 4, seed: int = 0, network: NetworkSpec = SMALL) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    side = network.resolution
    shape = (count, network.input_channels, side, side)
    return torch.randn(shape, generator=source, dtype=torch.float64)


def matrix_of(architecture: Architecture, nodes: int = 7) -> tuple[np.ndarray, list[str]]:
    """Return the adjacency matrix and the inner vertices' operations of an encoding."""
    matrix = np.zeros((nodes, nodes), int)
    bits = iter(architecture.indices)
    for target in range(1, nodes):
        for source in range(target):
            matrix[source, target] = next(bits)
    return matrix, [OPS[index] for index in bits]


def alive_of(matrix: np.ndarray) -> list[int]:
    """Return the vertices on a path from the first to the last, by powers of the matrix."""
    ways = np.linalg.matrix_power(np.eye(len(matrix), dtype=int) + matrix, len(matrix))
    return [v for v in range(len(matrix)) if ways[0, v] and ways[v, -1]]


def widths_by_hand(matrix: np.ndarray, channels: int) -> list[int]:
    """Return the channels of all inner vertices of a matrix without dead vertices."""
    last = len(matrix) - 1
    feeders = [v for v in range(1, last) if matrix[v, last]]

    @cache
    def width(vertex: int) -> int:
        if vertex in feeders:
            extra = feeders.index(vertex) < channels % len(feeders)
            return channels // len(feeders) + extra
        return max(width(t) for t in range(1, last) if matrix[vertex, t])

    return [width(vertex) for vertex in range(1, last)]


Take = Callable[..., Tensor]


def first(largest: Tensor, *widths: int) -> Tensor:
    """Return the first channels of each dimension."""
    return largest[tuple(slice(0, width) for width in widths)]


def by_hand(
    net: SuperNet,
    architecture: Architecture,
    x: Tensor,
    nodes: int = 7,
    renumbered: bool = False,
    take: Take = first,
    norm_of: Callable[[str, Sequence[int]], list[str]] = lambda name, sources: [f"{name}.norm"],
) -> Tensor:
    """Compute logits with batch statistics from the parameters of a network alone.

    Args:
        net: a super-net, or a stand-alone network.
        architecture: which path.
        x: images (B, C, H, W).
        nodes: vertices of the space.
        renumbered: names count vertices without the dead ones (stand-alone networks).
        take: how a parameter is made narrower.
        norm_of: names of the normalisations behind a vertex's convolution, to be averaged.
    """
    state = dict(net.named_parameters())
    whole, operations = matrix_of(architecture, nodes)
    alive = alive_of(whole)
    matrix = whole[np.ix_(alive, alive)]
    names = [operations[v - 1] for v in alive[1:-1]]
    number = list(range(len(alive))) if renumbered else alive

    def block(h: Tensor, name: str, width: int, sources: Sequence[int] | None = None) -> Tensor:
        norms = [f"{name}.norm"] if sources is None else norm_of(name, sources)
        weight = take(state[f"{name}.conv.weight"], width, h.shape[1])
        h = F.conv2d(h, weight, padding=weight.shape[-1] // 2)
        h = h - h.mean((0, 2, 3), keepdim=True)
        h = h / ((h**2).mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()
        if f"{norms[0]}.weight" in state:
            scale = torch.stack([take(state[f"{one}.weight"], width) for one in norms]).mean(0)
            shift = torch.stack([take(state[f"{one}.bias"], width) for one in norms]).mean(0)
            h = h * scale.view(1, -1, 1, 1) + shift.view(1, -1, 1, 1)
        return h.clamp(min=0)

    def cell(h0: Tensor, prefix: str, channels: int) -> Tensor:
        values = [h0]
        last = len(matrix) - 1
        for vertex, width in enumerate(widths_by_hand(matrix, channels), start=1):
            place = f"{prefix}.vertices.{number[vertex]}"
            total = torch.zeros((), dtype=h0.dtype)
            for source in range(1, vertex):
                if matrix[source, vertex]:
                    total = total + values[source][:, :width]
            if matrix[0, vertex]:
                total = total + block(h0, f"{place}.projection", width)
            name = names[vertex - 1]
            if name == "maxpool3x3":
                padded = F.pad(total, (1, 1, 1, 1), value=-torch.inf)
                values.append(padded.unfold(2, 3, 1).unfold(3, 3, 1).amax((4, 5)))
            else:
                sources = [number[s] for s in range(vertex) if matrix[s, vertex]]
                operation = f"{place}.operations.{OPS.index(name)}"
                values.append(block(total, operation, width, sources))
        parts = [values[v] for v in range(1, last) if matrix[v, last]]
        out = torch.cat(parts, 1) if parts else torch.zeros((), dtype=h0.dtype)
        if matrix[0, last]:
            out = out + block(h0, f"{prefix}.projection", channels)
        return out

    h = block(x, "stem", state["stem.conv.weight"].shape[0])
    channels = h.shape[1]
    for number_of_layer, layer in enumerate(net.trunk.layers):
        if isinstance(layer, torch.nn.MaxPool2d):
            height, width = h.shape[2:]
            h = F.pad(h, (0, width % 2, 0, height % 2), value=-torch.inf)
            h = h.unfold(2, 2, 2).unfold(3, 2, 2).amax((4, 5))
            channels *= 2
        else:
            h = cell(h, f"trunk.layers.{number_of_layer}", channels)
    weight, bias = state["head.classifier.weight"], state["head.classifier.bias"]
    return h.mean((2, 3)) @ weight.T + bias
