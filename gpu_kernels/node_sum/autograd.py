"""`node_sum` in Triton, as one node of the autograd graph."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gpu_kernels import _common
from gpu_kernels.dispatch import KernelUnavailableError
from gpu_kernels.node_sum import kernel, launch
from gpu_kernels.node_sum.arguments import Arguments, Statistics


def node_sum_triton(
    arguments: Arguments, return_statistics: bool = False
) -> tuple[Tensor, list[Statistics | None]]:
    """As `node_sum_reference`; the statistics cost nothing, the kernel needs them anyway."""
    if arguments.inputs[0].device.type == "cpu" and not kernel.INTERPRETED:
        raise KernelUnavailableError(
            "node_sum was to run in Triton's interpreter, but TRITON_INTERPRET was set after the "
            "kernels had been imported. Set it before Python starts."
        )
    how = launch.plan(arguments)
    y, *statistics = _NodeSum.apply(
        how, arguments.weights, *arguments.inputs, *arguments.scales, *arguments.shifts
    )
    if not return_statistics:
        return y, [None] * len(arguments.inputs)
    return y, _per_input(how, statistics)


def _per_input(how: launch.Plan, statistics: list[Tensor]) -> list[Statistics | None]:
    """(mean, biased variance), (G, C) each, of every input with batch statistics."""
    result: list[Statistics | None] = []
    for part, moments in zip(how.portions(), statistics, strict=True):
        for k, uses_batch in enumerate(how.batch[part]):
            result.append((moments[0, k], moments[1, k]) if uses_batch else None)
    return result


class _NodeSum(torch.autograd.Function):
    """Inputs: a plan, weights, then K inputs, K scales, K shifts. Outputs: y, statistics."""

    @staticmethod
    def forward(
        ctx: Any, how: launch.Plan, weights: Tensor | None, *tensors: Tensor | None
    ) -> tuple[Tensor, ...]:
        count = len(how.batch)
        xs = tuple(x.contiguous(memory_format=how.memory_format) for x in tensors[:count])
        scales, shifts = (
            tuple(None if t is None else t.contiguous() for t in tensors[first : first + count])
            for first in (count, 2 * count)
        )
        weights = None if weights is None else weights.contiguous()
        with _common.on_device(xs[0]):
            y, statistics = launch.forward(how, weights, xs, scales, shifts)
        needs = ctx.needs_input_grad[2:]
        ctx.how = how
        ctx.wanted = launch.Wanted(
            weights=ctx.needs_input_grad[1],
            xs=needs[:count],
            scales=needs[count : 2 * count],
            shifts=needs[2 * count :],
        )
        # An input that no gradient depends on must not be kept alive by the graph.
        kept = [x if ctx.wanted.values(how, k) else None for k, x in enumerate(xs)]
        ctx.save_for_backward(weights, *kept, *scales, *shifts, *statistics)
        ctx.mark_non_differentiable(*statistics)
        ctx.set_materialize_grads(False)
        return y, *statistics

    @staticmethod
    def backward(ctx: Any, dy: Tensor | None, *_: None) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            raise RuntimeError(
                "node_sum ran in Triton, whose gradient cannot be differentiated again, but "
                "backward was called with create_graph=True. Run the forward pass inside "
                "`with gpu_kernels.double_backward():`."
            )
        count = len(ctx.how.batch)
        if dy is None:
            return (None,) * (2 + 3 * count)
        weights, *rest = ctx.saved_tensors
        xs, scales, shifts, statistics = (
            tuple(rest[:count]),
            tuple(rest[count : 2 * count]),
            tuple(rest[2 * count : 3 * count]),
            tuple(rest[3 * count :]),
        )
        with _common.on_device(dy):
            found = launch.backward(
                ctx.how, ctx.wanted, dy, weights, xs, scales, shifts, statistics
            )
        return None, found.weights, *found.xs, *found.scales, *found.shifts
