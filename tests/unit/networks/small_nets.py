"""Small networks with nothing left at a default, and the same network written by hand."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.core.architecture import Architecture
from engine.networks import SuperNet, build_stand_alone, build_supernet
from engine.spaces.nb201 import EDGES
from engine.spec.network import NetworkSpec, NormSpec

torch.set_num_threads(1)


def spec(norm: NormSpec | None = None, cells: int = 1, channels: int = 3) -> NetworkSpec:
    """Return a small skeleton; the side of 8 shrinks to 2."""
    return NetworkSpec(
        channels=channels,
        cells=cells,
        classes=4,
        input_channels=2,
        resolution=8,
        norm=norm or NormSpec(),
    )


@torch.no_grad()
def shaken(net: SuperNet, seed: int = 0) -> SuperNet:
    """Give scales, shifts and moving averages values of their own: 1 and 0 hide mistakes."""
    source = torch.Generator().manual_seed(seed)

    def draw(value: Tensor) -> Tensor:
        return torch.randn(value.shape, generator=source, dtype=torch.float64)

    for name, value in [*net.named_parameters(), *net.named_buffers()]:
        if name.endswith("norm.weight"):
            value.copy_(1 + 0.3 * draw(value))
        elif name.endswith(("norm.bias", "running_mean")):
            value.copy_(0.3 * draw(value))
        elif name.endswith("running_var"):
            value.copy_((0.3 * draw(value)).exp())
    return net


def supernet(norm: NormSpec | None = None, cells: int = 1, seed: int = 0) -> SuperNet:
    """Return a shaken super-net in float64, so that equal means equal."""
    return shaken(build_supernet("nb201", spec(norm, cells), seed).double())


def stand_alone(architecture: Architecture, cells: int = 1, seed: int = 0) -> SuperNet:
    """Return a shaken stand-alone network in float64."""
    return shaken(build_stand_alone(architecture, spec(cells=cells), seed).double())


def images(count: int = 5, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return random images (count, 2, 8, 8)."""
    source = torch.Generator().manual_seed(seed)
    return torch.randn(count, 2, 8, 8, generator=source, dtype=torch.float64).to(dtype)


def arch(text: str) -> Architecture:
    """Return the architecture of six digits, one per edge: 0 none, 1 skip, 2, 3 conv, 4 pool."""
    return Architecture("nb201", tuple(int(digit) for digit in text))


def gradients(net: SuperNet) -> dict[str, Tensor | None]:
    """Return a copy of every gradient, None included, and clear them."""
    found = {
        name: None if value.grad is None else value.grad.clone()
        for name, value in net.named_parameters()
    }
    net.zero_grad(set_to_none=True)
    return found


def one_hot(architecture: Architecture) -> Tensor:
    """Return weights (6, 5) that choose one option per edge."""
    return torch.eye(5, dtype=torch.float64)[list(architecture.indices)]


def by_hand(net: SuperNet, x: Tensor, weights: Tensor | Sequence[Sequence[float]]) -> Tensor:
    """Compute the mixture of all options, dead or not, from the tensors of a super-net alone.

    Every node is the sum over its edges and options of weight times operation; batch statistics.

    Args:
        net: a super-net of the NAS-Bench-201 space.
        x: images (B, C, H, W).
        weights: (6, 5) per edge and option; the first option, none, contributes nothing.
    """
    state = dict(net.named_parameters())
    h = _norm(F.conv2d(x, state["stem.conv.weight"], padding=1), state, "stem.norm")
    layers = sorted({int(name.split(".")[2]) for name in state if name.startswith("trunk")})
    for number in layers:
        prefix = f"trunk.layers.{number}"
        if f"{prefix}.first.weight" in state:
            h = _reduction(h, state, prefix)
        else:
            h = _cell(h, state, prefix, weights)
    h = torch.relu(_norm(h, state, "head.norm")).mean((2, 3))
    return h @ state["head.classifier.weight"].T + state["head.classifier.bias"]


def _norm(x: Tensor, state: dict[str, Tensor], name: str) -> Tensor:
    mean = x.mean((0, 2, 3), keepdim=True)
    variance = ((x - mean) ** 2).mean((0, 2, 3), keepdim=True)
    x = (x - mean) / (variance + 1e-5).sqrt()
    if f"{name}.weight" not in state:
        return x
    return x * state[f"{name}.weight"].view(1, -1, 1, 1) + state[f"{name}.bias"].view(1, -1, 1, 1)


def _pool(x: Tensor) -> Tensor:
    """3x3 means of what lies inside."""
    ones = x.new_ones(1, 1, 3, 3)
    sums = F.conv2d(x.flatten(0, 1)[:, None], ones, padding=1).view_as(x)
    return sums / F.conv2d(x.new_ones(1, 1, *x.shape[2:]), ones, padding=1)


def _cell(
    x: Tensor, state: dict[str, Tensor], prefix: str, weights: Tensor | Sequence[Sequence[float]]
) -> Tensor:
    nodes = [x]
    for target in (1, 2, 3):
        total = torch.zeros_like(x)
        for edge, (source, end) in enumerate(EDGES):
            if end == target:
                h, name = nodes[source], f"{prefix}.edges.{edge}"
                total = total + weights[edge][1] * h + weights[edge][4] * _pool(h)
                for option, padding in ((2, 0), (3, 1)):
                    conv = state[f"{name}.{option}.conv.weight"]
                    out = F.conv2d(torch.relu(h), conv, padding=padding)
                    total = total + weights[edge][option] * _norm(
                        out, state, f"{name}.{option}.norm"
                    )
        nodes.append(total)
    return nodes[3]


def _reduction(x: Tensor, state: dict[str, Tensor], prefix: str) -> Tensor:
    first, second = state[f"{prefix}.first.weight"], state[f"{prefix}.second.weight"]
    inner = _norm(F.conv2d(torch.relu(x), first, None, 2, 1), state, f"{prefix}.first_norm")
    inner = _norm(F.conv2d(torch.relu(inner), second, None, 1, 1), state, f"{prefix}.second_norm")
    batch, channels, height, width = x.shape
    small = x.view(batch, channels, height // 2, 2, width // 2, 2).mean((3, 5))
    return inner + F.conv2d(small, state[f"{prefix}.shortcut.weight"])
