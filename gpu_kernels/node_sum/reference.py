"""`node_sum` in plain torch: the specification, the CPU path, and twice differentiable.

    y = sum_k w_k * (gamma_k * (x_k - mean_k) / sqrt(var_k + eps) + beta_k)    normalised inputs
      + sum_k w_k * x_k                                                        the others

`mean_k`, `var_k` (biased) are those of each of the `groups` blocks of the batch, or given ones.
The mixture weight is folded into gamma and beta, which are C numbers, so that it costs no pass
over a tensor: w * (gamma * xhat + beta) = (w * gamma) * xhat + (w * beta).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from gpu_kernels import _common
from gpu_kernels.node_sum.arguments import Arguments, Statistics
from gpu_kernels.node_sum.blocks import SumOfBlocks, sum_of_blocks

Affine = tuple[Tensor | None, Tensor | None]


def node_sum_reference(
    arguments: Arguments, return_statistics: bool = False
) -> tuple[Tensor, list[Statistics | None]]:
    """The sum, (groups * B, C, H, W), and what `node_sum` says about the statistics.

    Normalised inputs come first, as their results are new tensors that the others can be added
    to in place; the order of the sum is therefore not the order of the inputs.
    """
    count = len(arguments.inputs)
    # Indexing would leave a node per entry in the graph, each with a gradient of K numbers.
    weights = None if arguments.weights is None else arguments.weights.unbind()
    affine = [_affine(arguments, weights, k) for k in range(count)]
    statistics: list[Statistics | None] = [None] * count
    by_batch = [k for k in range(count) if arguments.uses_batch(k)]
    total: Tensor | None = None
    if by_batch:
        total, found = _sum_normalised_by_batch(arguments, affine, by_batch, return_statistics)
        for k, pair in zip(by_batch, found, strict=True):
            statistics[k] = pair
    for k in range(count):
        if arguments.statistics[k] is not None:
            term = _normalised_as_given(arguments, k, affine[k])
            total = term if total is None else total.add_(term)
    return _add_plain(arguments, weights, total), statistics


def _affine(arguments: Arguments, weights: Sequence[Tensor] | None, k: int) -> Affine:
    """gamma and beta of input `k`, times its mixture weight; (C,) each, None where they are 1, 0.

    They are at least float32, which batch norm takes beside float16 and bfloat16 tensors, and
    contiguous: its channels_last gradient on the CPU (torch 2.11 and 2.13) reads gamma without
    looking at the stride, beyond the end of an expanded one.
    """
    if not arguments.normalise[k]:
        return None, None
    scale, shift = arguments.scales[k], arguments.shifts[k]
    if weights is not None:
        channels = arguments.inputs[k].shape[1]
        scale = weights[k].expand(channels) if scale is None else weights[k] * scale
        shift = None if shift is None else weights[k] * shift
    dtype = _common.accumulation_type(arguments.inputs[k].dtype)
    return (
        None if scale is None else scale.to(dtype).contiguous(),
        None if shift is None else shift.to(dtype).contiguous(),
    )


def _sum_normalised_by_batch(
    arguments: Arguments, affine: list[Affine], members: list[int], want_statistics: bool
) -> tuple[Tensor, list[Statistics | None]]:
    """Sum of the inputs `members`, and the batch statistics of each if wanted."""
    xs = [arguments.inputs[k] for k in members]
    scales = [affine[k][0] for k in members]
    shifts = [affine[k][1] for k in members]
    groups, eps = arguments.groups, arguments.eps
    if groups == 1 and not want_statistics:
        return _sum_of_batch_norms(xs, scales, shifts, eps), [None] * len(members)
    if groups > 1 and xs[0].device.type == "cpu" and not torch.compiler.is_compiling():
        y, mean, inverse = SumOfBlocks.apply(groups, eps, *xs, *scales, *shifts)
    else:
        y, mean, inverse = sum_of_blocks(xs, scales, shifts, groups, eps)
    if not want_statistics:
        return y, [None] * len(members)
    # A variance below the rounding of 1 / sqrt(var + eps) becomes zero.
    variance = (inverse.square().reciprocal() - eps).clamp_min(0.0)
    return y, list(zip(mean.unbind(), variance.unbind(), strict=True))


def _sum_of_batch_norms(
    xs: list[Tensor], scales: list[Tensor | None], shifts: list[Tensor | None], eps: float
) -> Tensor:
    total: Tensor | None = None
    for x, scale, shift in zip(xs, scales, shifts, strict=True):
        term = F.batch_norm(x, None, None, scale, shift, training=True, eps=eps)
        total = term if total is None else total.add_(term)
    return total


def _normalised_as_given(arguments: Arguments, k: int, affine: Affine) -> Tensor:
    """Input `k` normalised with the statistics the caller gave; the groups share them."""
    x = arguments.inputs[k]
    dtype = _common.accumulation_type(x.dtype)
    mean, variance = (value.to(dtype).contiguous() for value in arguments.statistics[k])
    return F.batch_norm(x, mean, variance, *affine, training=False, eps=arguments.eps)


def _add_plain(
    arguments: Arguments, weights: Sequence[Tensor] | None, total: Tensor | None
) -> Tensor:
    """Add the inputs that are not normalised. A single one without a weight is not copied."""
    is_new = total is not None
    for k, x in enumerate(arguments.inputs):
        if arguments.normalise[k]:
            continue
        if weights is not None:
            total = x * weights[k] if total is None else total.addcmul_(x, weights[k])
            is_new = True
        elif total is None:
            total = x
        else:
            total = total.add_(x) if is_new else total + x
            is_new = True
    return total
