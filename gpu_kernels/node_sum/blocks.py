"""Sum of batch-normalised inputs whose batch is several blocks, for the reference.

`sum_of_blocks` is the plain form: one batch norm per block, added up, and one `cat`. On a CPU
`SumOfBlocks` computes the same with the same operations, but it writes each block, and each
block's gradient, straight to its place; autograd's own way is to keep the gradients of all blocks
until a `cat` copies them. Measured on a CPU for fp32 and 2 to 4 inputs, (groups, B, C, side) from
(8, 32, 32, 8) to (25, 64, 16, 32), forward with backward, both layouts; times as long as
`SumOfBlocks` take

- the plain form 1.0 to 1.8, the most where the tensors leave the cache;
- normalising each input as a whole and adding afterwards 1.0 to 2.4;
- moving the groups into the channels, (B, groups * C, H, W), for one batch norm 1.0 to 4.0 even
  against the plain form: the two transpositions cost more than the loop;
- `var_mean` over a (groups, B, C, H, W) view and one multiply-add 2.1 to 6.4 against the plain
  form, the most for channels_last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gpu_kernels import _common

Optional = Sequence[Tensor | None]


def _scale_beside(x: Tensor, scale: Tensor | None) -> Tensor | None:
    """gamma such that torch keeps the statistics of a bfloat16 or float16 block in float32."""
    dtype = _common.accumulation_type(x.dtype)
    if scale is None and dtype != x.dtype:
        return x.new_ones(x.shape[1], dtype=dtype)
    return scale


def _normalise(
    x: Tensor, scale: Tensor | None, shift: Tensor | None, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """x normalised with its own statistics, and they: (C,) mean and 1 / sqrt(var + eps)."""
    scale = _scale_beside(x, scale)
    return torch.native_batch_norm(x, scale, shift, None, None, True, 0.0, eps)


def sum_of_blocks(
    xs: Sequence[Tensor], scales: Optional, shifts: Optional, groups: int, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """y of the inputs' shape; mean and 1 / sqrt(var + eps) of (K, groups, C) each, detached."""
    # A single chunk would be a copy of the gradient in the backward pass.
    chunks = [(x,) if groups == 1 else x.chunk(groups) for x in xs]
    totals: list[Tensor] = []
    means: list[list[Tensor]] = [[] for _ in xs]
    inverses: list[list[Tensor]] = [[] for _ in xs]
    for group in range(groups):
        total: Tensor | None = None
        for k, pieces in enumerate(chunks):
            term, mean, inverse = _normalise(pieces[group], scales[k], shifts[k], eps)
            means[k].append(mean.detach())
            inverses[k].append(inverse.detach())
            total = term if total is None else total.add_(term)
        totals.append(total)
    y = totals[0] if groups == 1 else torch.cat(totals)
    return y, _table(means), _table(inverses)


def _table(rows: list[list[Tensor]]) -> Tensor:
    return torch.stack([torch.stack(row) for row in rows])


class SumOfBlocks(torch.autograd.Function):
    """`sum_of_blocks` for K inputs: apply(groups, eps, K xs, K scales or None, K shifts or None).

    Twice differentiable: a gradient that is to be differentiated is computed from the plain form.
    """

    @staticmethod
    def forward(
        ctx: Any, groups: int, eps: float, *tensors: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        xs, scales, shifts = _thirds(tensors)
        y = torch.empty_like(xs[0])
        means: list[list[Tensor]] = [[] for _ in xs]
        inverses: list[list[Tensor]] = [[] for _ in xs]
        for place, *blocks in zip(y.chunk(groups), *(x.chunk(groups) for x in xs), strict=True):
            total: Tensor | None = None
            for k, block in enumerate(blocks):
                term, mean, inverse = _normalise(block, scales[k], shifts[k], eps)
                means[k].append(mean)
                inverses[k].append(inverse)
                total = term if total is None else total.add_(term)
            place.copy_(total)
        statistics = _table(means), _table(inverses)
        ctx.groups, ctx.eps = groups, eps
        ctx.save_for_backward(*tensors, *statistics)
        ctx.mark_non_differentiable(*statistics)
        ctx.set_materialize_grads(False)
        return y, *statistics

    @staticmethod
    def backward(ctx: Any, dy: Tensor | None, *_: None) -> tuple[Tensor | None, ...]:
        if dy is None:
            return (None,) * len(ctx.needs_input_grad)
        *tensors, mean, inverse = ctx.saved_tensors
        if torch.is_grad_enabled():
            gradients = _differentiable(ctx, tensors, dy)
        else:
            gradients = _direct(ctx, tensors, dy, mean, inverse)
        return None, None, *gradients


def _thirds(tensors: Optional) -> tuple[Optional, Optional, Optional]:
    count = len(tensors) // 3
    return tensors[:count], tensors[count : 2 * count], tensors[2 * count :]


def _differentiable(ctx: Any, tensors: Optional, dy: Tensor) -> list[Tensor | None]:
    """Gradients with a graph of their own."""
    y, _, _ = sum_of_blocks(*_thirds(tensors), ctx.groups, ctx.eps)
    wanted = [t for t, needed in zip(tensors, ctx.needs_input_grad[2:], strict=True) if needed]
    found = iter(torch.autograd.grad(y, wanted, dy, create_graph=True))
    return [next(found) if needed else None for needed in ctx.needs_input_grad[2:]]


def _direct(
    ctx: Any, tensors: Optional, dy: Tensor, mean: Tensor, inverse: Tensor
) -> list[Tensor | None]:
    """Gradients as numbers only."""
    xs, scales, _ = _thirds(tensors)
    wanted = zip(*_thirds(ctx.needs_input_grad[2:]), strict=True)
    blocks = dy.chunk(ctx.groups)
    found = [
        _gradients_of(x, scale, blocks, mean[k], inverse[k], ctx.eps, list(needed))
        for k, (x, scale, needed) in enumerate(zip(xs, scales, wanted, strict=True))
    ]
    return [gradient for kind in zip(*found, strict=True) for gradient in kind]


def _gradients_of(
    x: Tensor,
    scale: Tensor | None,
    dys: Sequence[Tensor],
    mean: Tensor,
    inverse: Tensor,
    eps: float,
    wanted: list[bool],
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """dx, dscale and dshift of one input, those that are wanted."""
    groups = len(dys)
    dx = torch.empty_like(x) if wanted[0] else None
    places = [None] * groups if dx is None else dx.chunk(groups)
    dscale: Tensor | None = None
    dshift: Tensor | None = None
    scale = _scale_beside(x, scale)
    for place, block, dy, *moments in zip(
        places, x.chunk(groups), dys, mean.unbind(), inverse.unbind(), strict=True
    ):
        slope, first, second = torch.ops.aten.native_batch_norm_backward(
            dy, block, scale, None, None, *moments, True, eps, wanted
        )
        if place is not None:
            place.copy_(slope)
        dscale = first if dscale is None else dscale.add_(first)
        dshift = second if dshift is None else dshift.add_(second)
    return dx, dscale, dshift
