"""What is measured: cases as data, and the implementations that compete on them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gpu_kernels import node_sum

Run = Callable[[], Tensor]


@dataclass(frozen=True)
class Case:
    """One call of a kernel.

    Args:
        name: says where such a call comes from.
        kinds: a letter per input: `b` is batch-normalised with a scale and a shift, `p` is not.
        groups: blocks of the batch with statistics of their own.
        shape: (B, C, H, W) of one group.
        weighted: whether the inputs have mixture weights.
    """

    name: str
    kinds: str
    groups: int
    shape: tuple[int, int, int, int]
    weighted: bool
    channels_last: bool
    dtype: torch.dtype = torch.float32
    kernel: str = "node_sum"

    @property
    def shape_text(self) -> str:
        layout = "nhwc" if self.channels_last else "nchw"
        size = "x".join(map(str, (self.groups, *self.shape)))
        return f"{self.kinds}:{size}:{layout}:{str(self.dtype).removeprefix('torch.')}"


def _both_layouts(name: str, *rest: object) -> list[Case]:
    return [Case(name, *rest, last) for last in (False, True)]


CASES = [
    *_both_layouts("one path", "bbp", 1, (64, 16, 32, 32), False),
    *_both_layouts("mixture of operations", "bbpbbp", 1, (64, 16, 32, 32), True),
    *_both_layouts("several paths at once", "bbp", 25, (16, 16, 32, 32), False),
    *_both_layouts("mixture, late stage", "bbpbbp", 1, (64, 64, 8, 8), True),
]

# The test files that must be green before a speed-up of the kernel is reported.
TESTS = {
    "node_sum": (
        "tests/kernels/test_node_sum.py",
        "tests/kernels/test_node_sum_triton.py",
        "tests/kernels/test_node_sum_gpu.py",
    )
}


@dataclass(frozen=True)
class Inputs:
    """The tensors of one case on one device; all of them need a gradient."""

    xs: list[Tensor]
    weights: Tensor | None
    scales: list[Tensor | None]
    shifts: list[Tensor | None]
    upstream: Tensor

    def leaves(self) -> list[Tensor]:
        everything = [*self.xs, self.weights, *self.scales, *self.shifts]
        return [t for t in everything if t is not None]


def inputs(case: Case, device: torch.device) -> Inputs:
    """Random tensors, the same for every provider."""
    source = torch.Generator().manual_seed(0)
    batch, channels, height, width = case.shape
    layout = torch.channels_last if case.channels_last else torch.contiguous_format

    def image() -> Tensor:
        x = torch.randn(case.groups * batch, channels, height, width, generator=source)
        return x.to(device, case.dtype, memory_format=layout)

    def parameter(kind: str, value: float) -> Tensor | None:
        if kind != "b":
            return None
        return torch.full((channels,), value, device=device, requires_grad=True)

    weights = torch.rand(len(case.kinds), generator=source).to(device).requires_grad_()
    return Inputs(
        xs=[image().requires_grad_() for _ in case.kinds],
        weights=weights if case.weighted else None,
        scales=[parameter(kind, 1.0) for kind in case.kinds],
        shifts=[parameter(kind, 0.0) for kind in case.kinds],
        upstream=image(),
    )


def _batch_norm(x: Tensor, groups: int, scale: Tensor | None, shift: Tensor | None) -> Tensor:
    if groups == 1:
        return F.batch_norm(x, None, None, scale, shift, training=True)
    blocks = x.chunk(groups)
    return torch.cat([F.batch_norm(b, None, None, scale, shift, training=True) for b in blocks])


def _composition(case: Case, data: Inputs) -> Tensor:
    """The sum as one writes it without this package: batch norm, multiply, add."""
    total: Tensor | None = None
    for k, x in enumerate(data.xs):
        if case.kinds[k] == "b":
            x = _batch_norm(x, case.groups, data.scales[k], data.shifts[k])
        if data.weights is not None:
            x = data.weights[k] * x
        total = x if total is None else total + x
    return total


@contextmanager
def _kernels(mode: str) -> Iterator[None]:
    before = os.environ.get("NAS_KERNELS")
    os.environ["NAS_KERNELS"] = mode
    try:
        yield
    finally:
        if before is None:
            del os.environ["NAS_KERNELS"]
        else:
            os.environ["NAS_KERNELS"] = before


def _node_sum(mode: str, case: Case, data: Inputs) -> Tensor:
    with _kernels(mode):
        return node_sum(
            data.xs,
            weights=data.weights,
            normalise=[kind == "b" for kind in case.kinds],
            scales=data.scales,
            shifts=data.shifts,
            groups=case.groups,
        )[0]


@functools.cache
def _compiled_composition() -> Callable[[Case, Inputs], Tensor]:
    return torch.compile(_composition)


BASELINE = "composition"
_PROVIDERS: dict[str, Callable[[Case, Inputs], Tensor]] = {
    BASELINE: _composition,
    "compiled": lambda case, data: _compiled_composition()(case, data),
    "reference": functools.partial(_node_sum, "reference"),
    "triton": functools.partial(_node_sum, "triton"),
}


def providers(device: torch.device) -> dict[str, Callable[[Case, Inputs], Tensor]]:
    """Who can run on the device. torch.compile is the one to beat where kernels are compiled."""
    names = _PROVIDERS if device.type == "cuda" else (BASELINE, "reference")
    return {name: _PROVIDERS[name] for name in names}
