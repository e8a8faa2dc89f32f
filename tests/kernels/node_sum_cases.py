"""Cases of `node_sum`, an independent float64 answer to them, and the rule for accuracy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from gpu_kernels import node_sum

EPS = 1e-5
Answer = dict[str, Tensor]

# One letter per input says how it enters the sum: batch statistics, given ones, or as it is; an
# upper-case letter has a scale and a shift of its own.
BATCH, GIVEN, PLAIN = "b", "g", "p"


@dataclass(frozen=True)
class Case:
    """One call. `shape` is (B, C, H, W) of one group, `kinds` has a letter per input."""

    shape: tuple[int, int, int, int]
    kinds: str
    groups: int = 1
    weighted: bool = False
    channels_last: bool = False
    dtype: torch.dtype = torch.float64
    shift_only: bool = False
    offset: float = 0.5

    def __str__(self) -> str:
        layout = "last" if self.channels_last else "first"
        size = "x".join(map(str, self.shape))
        mixture = "w" if self.weighted else "1"
        return f"{self.kinds}-{self.groups}x{size}-{layout}-{mixture}-{str(self.dtype)[6:]}"


@dataclass
class Problem:
    """The tensors of a case, all in its data type, so that every answer starts from the same."""

    case: Case
    inputs: list[Tensor]
    weights: Tensor | None
    scales: list[Tensor | None]
    shifts: list[Tensor | None]
    statistics: list[tuple[Tensor, Tensor] | None]
    upstream: Tensor

    @property
    def normalise(self) -> list[bool]:
        return [kind.lower() != PLAIN for kind in self.case.kinds]

    def to(self, dtype: torch.dtype, device: str = "cpu") -> Problem:
        """The same numbers as fresh leaves of another type, on another device."""

        def leaf(t: Tensor | None) -> Tensor | None:
            return None if t is None else t.detach().to(device, dtype).requires_grad_()

        return Problem(
            self.case,
            [leaf(x) for x in self.inputs],
            leaf(self.weights),
            [leaf(s) for s in self.scales],
            [leaf(s) for s in self.shifts],
            [p and (p[0].to(device, dtype), p[1].to(device, dtype)) for p in self.statistics],
            self.upstream.to(device, dtype),
        )


def problem(case: Case, seed: int = 0) -> Problem:
    """Random tensors of the case, rounded to its data type."""
    source = torch.Generator().manual_seed(seed)
    batch, channels, height, width = case.shape
    layout = torch.channels_last if case.channels_last else torch.contiguous_format

    def normal(*size: int) -> Tensor:
        return torch.randn(*size, generator=source, dtype=torch.float64).to(case.dtype)

    def image(k: int) -> Tensor:
        x = normal(case.groups * batch, channels, height, width) * (1 + k) + case.offset * k
        return x.to(memory_format=layout)

    def scale(kind: str) -> Tensor | None:
        return normal(channels) if kind.isupper() and not case.shift_only else None

    given = [kind.lower() == GIVEN for kind in case.kinds]
    return Problem(
        case,
        [image(k) for k in range(len(case.kinds))],
        normal(len(case.kinds)) if case.weighted else None,
        [scale(kind) for kind in case.kinds],
        [normal(channels) if kind.isupper() else None for kind in case.kinds],
        [(normal(channels), normal(channels).abs() + 0.1) if g else None for g in given],
        image(0),
    ).to(case.dtype)


def by_node_sum(p: Problem) -> tuple[Tensor, list[tuple[Tensor, Tensor] | None]]:
    """The function under test."""
    return node_sum(
        p.inputs,
        weights=p.weights,
        normalise=p.normalise,
        scales=p.scales,
        shifts=p.shifts,
        statistics=p.statistics,
        groups=p.case.groups,
        eps=EPS,
        return_statistics=True,
    )


def by_hand(p: Problem) -> tuple[Tensor, list[tuple[Tensor, Tensor] | None]]:
    """Sums and squares written out, no torch normalisation: the independent answer."""
    rows = p.inputs[0].shape[0] // p.case.groups
    total: Tensor | float = 0.0
    found: list[tuple[Tensor, Tensor] | None] = []
    for k, x in enumerate(p.inputs):
        moments = None
        if p.normalise[k]:
            blocks, means, variances = [], [], []
            for first in range(0, x.shape[0], rows):
                block = x[first : first + rows]
                count = block.numel() // block.shape[1]
                mean = block.sum(dim=(0, 2, 3)) / count
                away = block - mean[None, :, None, None]
                variance = (away * away).sum(dim=(0, 2, 3)) / count
                means.append(mean.detach())
                variances.append(variance.detach())
                if p.statistics[k] is not None:
                    mean, variance = p.statistics[k]
                deviation = (variance + EPS) ** 0.5
                blocks.append((block - mean[None, :, None, None]) / deviation[None, :, None, None])
            x = torch.cat(blocks)
            if p.scales[k] is not None:
                x = x * p.scales[k][None, :, None, None]
            if p.shifts[k] is not None:
                x = x + p.shifts[k][None, :, None, None]
            if p.statistics[k] is None:
                moments = (torch.stack(means), torch.stack(variances))
        found.append(moments)
        total = total + (x if p.weights is None else p.weights[k] * x)
    return total, found


def by_torch(p: Problem) -> tuple[Tensor, list[tuple[Tensor, Tensor] | None]]:
    """torch's own operations one after the other: the yardstick for accuracy."""
    total: Tensor | None = None
    for k, x in enumerate(p.inputs):
        if p.normalise[k]:
            affine = p.scales[k], p.shifts[k]
            if p.statistics[k] is None:
                x = torch.cat(
                    [
                        F.batch_norm(block, None, None, *affine, training=True, eps=EPS)
                        for block in x.chunk(p.case.groups)
                    ]
                )
            else:
                x = F.batch_norm(x, *p.statistics[k], *affine, training=False, eps=EPS)
        x = x if p.weights is None else p.weights[k] * x
        total = x if total is None else total + x
    return total, [None] * len(p.inputs)


def answer(
    p: Problem,
    function: Callable[[Problem], tuple[Tensor, list[tuple[Tensor, Tensor] | None]]],
    dtype: torch.dtype | None = None,
    device: str = "cpu",
) -> Answer:
    """Everything `function` computes in `dtype`: y, statistics and every gradient, by name."""
    p = p.to(dtype or p.case.dtype, device)
    y, statistics = function(p)
    y.backward(p.upstream)
    named = {"y": y.detach(), "dweights": None if p.weights is None else p.weights.grad}
    for k, x in enumerate(p.inputs):
        named[f"dinputs[{k}]"] = x.grad
        named[f"dscales[{k}]"] = None if p.scales[k] is None else p.scales[k].grad
        named[f"dshifts[{k}]"] = None if p.shifts[k] is None else p.shifts[k].grad
        if statistics[k] is not None:
            named[f"mean[{k}]"], named[f"variance[{k}]"] = statistics[k]
    return {name: value for name, value in named.items() if value is not None}


def error(got: Tensor, want: Tensor) -> float:
    """Root mean square of the difference, in float64."""
    return (got.detach().cpu().double() - want.detach().cpu()).square().mean().sqrt().item()


def assert_as_good_as_torch(case: Case, seed: int = 0, device: str = "cpu") -> None:
    """No output or gradient is more than twice as far from float64 as torch's own operations.

    Where torch is exact by luck, a few roundings of the type that sums are kept in are allowed;
    the statistics, which torch's functions do not hand out, must be that good.
    """
    p = problem(case, seed)
    want = answer(p, by_hand, torch.float64)
    own = answer(p, by_torch, device=device)
    got = answer(p, by_node_sum, device=device)
    assert got.keys() == want.keys()
    rounding = torch.finfo(torch.promote_types(case.dtype, torch.float32)).eps
    for name, exact in want.items():
        assert got[name].shape == exact.shape, name
        floor = 8 * rounding * exact.square().mean().sqrt().item()
        allowed = 2 * error(own[name], exact) if name in own else 0.0
        assert error(got[name], exact) <= allowed + floor, (
            f"{name} of {case}: error {error(got[name], exact):.3g}, allowed {allowed + floor:.3g}"
        )


def variants(case: Case, *dtypes: torch.dtype) -> list[Case]:
    """The case in both layouts and in every given data type."""
    return [
        replace(case, channels_last=last, dtype=dtype)
        for dtype in dtypes
        for last in (False, True)
    ]
