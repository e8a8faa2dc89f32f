"""Launching the kernels of `node_sum`: tile sizes, buffers, and inputs in portions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from torch import Tensor

from gpu_kernels import _common
from gpu_kernels.node_sum import kernel
from gpu_kernels.node_sum.arguments import Arguments

# The code of a kernel grows with its inputs; more of them are added in several launches.
INPUTS_PER_LAUNCH = 8
# 16 elements for each of 128 threads: long enough to hide the merging of partial results.
ELEMENTS_PER_TILE = 2048
# 32 channels of 4 bytes are the 128 bytes a warp reads at once.
MOST_CHANNELS_PER_TILE = 32
# A few programs for each processor of a large GPU; fewer splits make merging cheaper.
PROGRAMS_WANTED = 512
MOST_SPLITS = 64
ELEMENTS_PER_ROW_SUM = 4096

Tensors = Sequence[Tensor | None]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything about one call that is not a tensor with a gradient.

    Args:
        shape: (M, C, H * W) with M = B * H * W, the positions of one group.
        memory_format: the layout all tensors are brought into.
        batch: per input, whether batch statistics are used.
        means: given means (C,), None elsewhere; `variances` likewise.
        block_c: channels of a tile; `block_j` its positions.
        splits: programs that share a reduction; `tiles` is how many tiles each one takes.
    """

    shape: tuple[int, int, int]
    groups: int
    eps: float
    accumulate: torch.dtype
    memory_format: torch.memory_format
    batch: tuple[bool, ...]
    means: tuple[Tensor | None, ...]
    variances: tuple[Tensor | None, ...]
    block_c: int
    block_j: int
    splits: int
    tiles: int

    def portions(self) -> Iterator[slice]:
        """The inputs of each launch."""
        for first in range(0, len(self.batch), INPUTS_PER_LAUNCH):
            yield slice(first, min(first + INPUTS_PER_LAUNCH, len(self.batch)))

    def mask(self, part: slice) -> int:
        """Bit k is set if input k of the portion uses batch statistics."""
        return bits(self.batch[part])

    def grid(self, reduction: bool) -> tuple[int, int, int]:
        """Programs along positions (or splits of a reduction), channels and groups."""
        along = self.splits if reduction else triton.cdiv(self.shape[0], self.block_j)
        return along, triton.cdiv(self.shape[1], self.block_c), self.groups

    def constants(self) -> dict[str, object]:
        """Compile-time arguments that all kernels with tiles share."""
        return {
            "SPLITS": self.splits,
            "LAST": self.memory_format is torch.channels_last,
            "ACC": triton_type(self.accumulate),
            "BLOCK_C": self.block_c,
            "BLOCK_J": self.block_j,
        }

    def given(self, part: slice) -> tuple[Tensors, Tensors]:
        return self.means[part], self.variances[part]

    def buffer(self, like: Tensor, *size: int) -> Tensor:
        return torch.empty(size, dtype=self.accumulate, device=like.device)


def bits(flags: Sequence[bool]) -> int:
    """Bit k of the result is flag k."""
    return sum(1 << k for k, flag in enumerate(flags) if flag)


def triton_type(dtype: torch.dtype) -> tl.dtype:
    return tl.float64 if dtype is torch.float64 else tl.float32


def plan(arguments: Arguments) -> Plan:
    """Choose layout and tile sizes from the shapes alone, so that they can be tested anywhere."""
    channels, positions = arguments.inputs[0].shape[1], arguments.values_per_group
    memory_format = _common.common_memory_format(arguments.inputs)
    block_c = 1
    if memory_format is torch.channels_last:
        block_c = min(_common.power_of_two_from(channels), MOST_CHANNELS_PER_TILE)
    block_j = min(_common.power_of_two_from(positions), ELEMENTS_PER_TILE // block_c)
    tiles = triton.cdiv(positions, block_j)
    others = arguments.groups * triton.cdiv(channels, block_c)
    splits = min(PROGRAMS_WANTED // others, MOST_SPLITS, tiles)
    splits = _common.power_of_two_up_to(splits)
    given = [pair or (None, None) for pair in arguments.statistics]
    return Plan(
        shape=(positions, channels, arguments.inputs[0].shape[2] * arguments.inputs[0].shape[3]),
        groups=arguments.groups,
        eps=arguments.eps,
        accumulate=_common.accumulation_type(arguments.inputs[0].dtype),
        memory_format=memory_format,
        batch=tuple(arguments.uses_batch(k) for k in range(len(arguments.inputs))),
        means=tuple(_dense(mean) for mean, _ in given),
        variances=tuple(_dense(variance) for _, variance in given),
        block_c=block_c,
        block_j=block_j,
        splits=splits,
        tiles=triton.cdiv(tiles, splits),
    )


def _dense(values: Tensor | None) -> Tensor | None:
    return None if values is None else values.contiguous()


def forward(
    how: Plan, weights: Tensor | None, xs: Tensors, scales: Tensors, shifts: Tensors
) -> tuple[Tensor, list[Tensor]]:
    """y, and per portion of inputs the batch statistics (2, K, G, C), empty if it has none."""
    y = torch.empty_like(xs[0], memory_format=how.memory_format)
    statistics = []
    for part in how.portions():
        count = part.stop - part.start
        mask, partial = how.mask(part), None
        moments = how.buffer(y, 2, count, how.groups, how.shape[1]) if mask else how.buffer(y, 0)
        if mask:
            partial = how.buffer(y, 2, count, how.groups, how.splits, how.shape[1])
            kernel.partial_statistics[how.grid(reduction=True)](
                xs[part],
                partial,
                how.shape,
                K=count,
                BATCH=mask,
                TILES=how.tiles,
                **how.constants(),
            )
        kernel.weighted_sum[how.grid(reduction=False)](
            xs[part],
            (scales[part], shifts[part], *how.given(part)),
            None if weights is None else weights[part],
            partial,
            moments if mask else None,
            y,
            how.shape,
            K=count,
            BATCH=mask,
            ADD=part.start > 0,
            EPS=how.eps,
            TILES=how.tiles,
            **how.constants(),
        )
        statistics.append(moments)
    return y, statistics


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which gradients the caller of backward needs: one flag for the weights, else per input."""

    weights: bool
    xs: tuple[bool, ...]
    scales: tuple[bool, ...]
    shifts: tuple[bool, ...]

    def parameters(self, k: int) -> bool:
        """Whether a gamma, a beta or a weight of input `k` needs its sums over all positions."""
        return self.weights or self.scales[k] or self.shifts[k]

    def values(self, how: Plan, k: int) -> bool:
        """Whether any gradient depends on the values of input `k`."""
        return self.parameters(k) or (how.batch[k] and self.xs[k])


@dataclass(frozen=True, slots=True)
class Gradients:
    """What backward returns; dscales and dshifts are rows of shared buffers."""

    weights: Tensor | None
    xs: list[Tensor | None]
    scales: list[Tensor | None]
    shifts: list[Tensor | None]


def backward(
    how: Plan,
    wanted: Wanted,
    dy: Tensor,
    weights: Tensor | None,
    xs: Tensors,
    scales: Tensors,
    shifts: Tensors,
    statistics: Sequence[Tensor],
) -> Gradients:
    """All wanted gradients. `xs[k]` may be None where `wanted.values` is false."""
    dy = dy.contiguous(memory_format=how.memory_format)
    result = Gradients(how.buffer(dy, len(xs)) if wanted.weights else None, [], [], [])
    for part, moments in zip(how.portions(), statistics, strict=True):
        portion = _Portion(
            how, wanted, part, dy, xs[part], weights, scales[part], shifts[part], moments
        )
        sums = portion.sums()
        result.xs.extend(portion.input_gradients(sums))
        dscales, dshifts = portion.parameter_gradients(sums, result.weights)
        result.scales.extend(dscales)
        result.shifts.extend(dshifts)
    return result


@dataclass(frozen=True, slots=True)
class _Portion:
    """The backward pass of the inputs of one launch; sequences have one entry for each."""

    how: Plan
    wanted: Wanted
    part: slice
    dy: Tensor
    xs: Tensors
    all_weights: Tensor | None
    scales: Tensors
    shifts: Tensors
    moments: Tensor

    @property
    def weights(self) -> Tensor | None:
        return None if self.all_weights is None else self.all_weights[self.part]

    @property
    def statistics(self) -> Tensor | None:
        return self.moments if self.how.mask(self.part) else None

    @property
    def parameters(self) -> tuple[Tensors, Tensors, Tensors, Tensors]:
        return self.scales, self.shifts, *self.how.given(self.part)

    def normalised(self) -> list[bool]:
        batch, means = self.how.batch[self.part], self.how.means[self.part]
        return [b or m is not None for b, m in zip(batch, means, strict=True)]

    def sums(self) -> Tensor | None:
        """(K + 1, G, SPLITS, C): sums of dy * xhat_k, and of dy; None if nobody needs any."""
        how, count = self.how, len(self.xs)
        rows = [self.wanted.values(how, k) for k in range(self.part.start, self.part.stop)]
        if not any(rows):
            return None
        pairs = zip(rows, self.normalised(), strict=True)
        rows.append(any(row and normal for row, normal in pairs))
        sums = how.buffer(self.dy, count + 1, how.groups, how.splits, how.shape[1])
        kernel.partial_gradient_sums[how.grid(reduction=True)](
            self.dy,
            self.xs,
            self.parameters,
            self.statistics,
            sums,
            how.shape,
            K=count,
            BATCH=how.mask(self.part),
            WANTED=bits(rows),
            EPS=how.eps,
            TILES=how.tiles,
            **how.constants(),
        )
        return sums

    def input_gradients(self, sums: Tensor | None) -> list[Tensor | None]:
        """dx_k of the wanted inputs; a plain one without a weight gets dy itself, uncopied."""
        how, wanted = self.how, self.wanted.xs[self.part]
        passed_on = [not n and self.all_weights is None for n in self.normalised()]
        dxs = tuple(
            torch.empty_like(self.dy) if want and not same else None
            for want, same in zip(wanted, passed_on, strict=True)
        )
        if any(dx is not None for dx in dxs):
            kernel.input_gradients[how.grid(reduction=False)](
                self.dy,
                self.xs,
                dxs,
                self.parameters,
                self.weights,
                self.statistics,
                sums,
                how.shape,
                K=len(dxs),
                BATCH=how.mask(self.part),
                EPS=how.eps,
                **how.constants(),
            )
        return [
            self.dy if want and same else dx
            for want, same, dx in zip(wanted, passed_on, dxs, strict=True)
        ]

    def parameter_gradients(
        self, sums: Tensor | None, dweights: Tensor | None
    ) -> tuple[Tensors, Tensors]:
        """dgamma_k and dbeta_k, (C,) each, None where unwanted; fills this part of `dweights`."""
        how, count = self.how, len(self.xs)
        inputs = range(self.part.start, self.part.stop)
        rows = [self.wanted.parameters(k) for k in inputs]
        if not any(rows):
            return [None] * count, [None] * count
        channels = how.shape[1]
        outputs = how.buffer(self.dy, 2, count, channels)
        block_c = min(_common.power_of_two_from(channels), ELEMENTS_PER_ROW_SUM)
        parts = how.groups * how.splits
        block_r = min(_common.power_of_two_from(parts), ELEMENTS_PER_ROW_SUM // block_c)
        kernel.parameter_gradients[(count,)](
            sums,
            self.parameters,
            self.weights,
            (outputs[0], outputs[1], None if dweights is None else dweights[self.part]),
            (parts, channels),
            K=count,
            NORMALISED=bits(self.normalised()),
            WANTED=bits(rows),
            ACC=triton_type(how.accumulate),
            BLOCKS_R=triton.cdiv(parts, block_r),
            BLOCKS_C=triton.cdiv(channels, block_c),
            BLOCK_R=block_r,
            BLOCK_C=block_c,
        )
        # Rows are float32 at least; autograd brings each to the type of its parameter.
        return (
            _chosen(outputs[0], self.wanted.scales[self.part]),
            _chosen(outputs[1], self.wanted.shifts[self.part]),
        )


def _chosen(rows: Tensor, wanted: Sequence[bool]) -> list[Tensor | None]:
    return [row if want else None for row, want in zip(rows.unbind(), wanted, strict=True)]
