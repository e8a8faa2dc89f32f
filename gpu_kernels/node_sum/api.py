"""The public function: check the arguments, choose the implementation, run it."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from gpu_kernels import dispatch
from gpu_kernels.node_sum.arguments import Arguments, Statistics, check
from gpu_kernels.node_sum.reference import node_sum_reference

# CUDA's limit for the second and third dimension of a grid, where channels and groups go.
_MOST_PROGRAMS = 65535


def node_sum(
    inputs: Sequence[Tensor],
    *,
    weights: Tensor | None = None,
    normalise: Sequence[bool] | None = None,
    scales: Sequence[Tensor | None] | None = None,
    shifts: Sequence[Tensor | None] | None = None,
    statistics: Sequence[Statistics | None] | None = None,
    groups: int = 1,
    eps: float = 1e-5,
    return_statistics: bool = False,
) -> tuple[Tensor, list[Statistics | None]]:
    """Add up K tensors, each batch-normalised first or as it is, with a weight each.

    y = sum_k w_k * (gamma_k * (x_k - mean_k) / sqrt(var_k + eps) + beta_k), and w_k * x_k for an
    input that is not normalised. Gradients reach every x_k, `weights`, `scales` and `shifts`.

    Args:
        inputs: K tensors (groups * B, C, H, W) of one shape, contiguous or channels_last; others
            are copied first. Different data types are promoted as `torch.add` does.
        weights: (K,) mixture weights; None means all ones and costs nothing.
        normalise: per input, whether to batch-normalise it; None means all of them.
        scales: per input gamma (C,), or None for 1.
        shifts: per input beta (C,), or None for 0.
        statistics: per input (mean, biased variance), (C,) each, to use instead of those of the
            batch; no gradient flows to them.
        groups: the batch is this many consecutive blocks, each with batch statistics of its own
            (several paths in one pass, or ghost batch norm).
        eps: added to every variance.
        return_statistics: whether the batch statistics are wanted.

    Returns:
        y, of the inputs' shape, and a list of K entries: (mean, biased variance), (groups, C)
        each, detached and at least float32, for inputs normalised with batch statistics; None for
        the others, and for all if they are not wanted. y is `inputs[0]` itself if that is the
        only input, not normalised and without a weight.

    Raises:
        ValueError: the arguments do not fit together; the message says which and what is allowed.
        KernelUnavailableError: `NAS_KERNELS=triton` is set and Triton cannot run this call.
    """
    arguments = check(inputs, weights, normalise, scales, shifts, statistics, groups, eps)
    if dispatch.choose(_request(arguments)).implementation == "reference":
        return node_sum_reference(arguments, return_statistics)
    from gpu_kernels.node_sum.autograd import node_sum_triton

    return node_sum_triton(arguments, return_statistics)


def _request(arguments: Arguments) -> dispatch.Request:
    first = arguments.inputs[0]
    return dispatch.Request(
        operation="node_sum",
        device=first.device,
        dtype=first.dtype,
        elements=first.numel(),
        impossible=_impossible(arguments),
        better_without=_better_without(arguments),
    )


def _impossible(arguments: Arguments) -> str:
    """Why the kernel cannot take this call, or an empty text."""
    for name, count in (("groups", arguments.groups), ("channels", arguments.inputs[0].shape[1])):
        if count > _MOST_PROGRAMS:
            return f"{count} {name} are more than the {_MOST_PROGRAMS} one launch can cover"
    return ""


def _better_without(arguments: Arguments) -> str:
    """Why torch's own operations suit this call better, or an empty text.

    Counted, not measured: with one input, one group and no weight there is nothing to fuse, and
    cuDNN's batch norm reads and writes the same bytes.
    """
    if len(arguments.inputs) == 1 and arguments.groups == 1 and arguments.weights is None:
        return "a single input without weight or groups is a plain batch norm"
    return ""
