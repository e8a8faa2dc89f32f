"""Which implementation of each fused operation runs here, and whether it computes what it says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

import gpu_kernels
from engine.device import choose_device, describe_device
from engine.spec.errors import TrainingError

EPS = 1e-5
# Largest relative error (root mean square) of 32-bit arithmetic against 64-bit.
TOLERANCE = 1e-4
# Batch, channels, side, groups, with mixture weights or without; odd sizes find wrong masks.
CASES = ((8, 16, 8, 1, False), (4, 12, 7, 3, False), (8, 16, 8, 1, True), (3, 5, 5, 2, True))
INPUTS = 3


@dataclass(frozen=True)
class Check:
    """What was found of one operation.

    Attributes:
        operation: its name.
        implementation: `triton` or `reference`.
        reason: why that one runs here.
        cases: how many were compared; 0 where nothing was checked.
        worst: largest relative error of a value or gradient; None where nothing was checked.
        sound: no error is above `TOLERANCE`; None where nothing was checked.
    """

    operation: str
    implementation: str
    reason: str
    cases: int
    worst: float | None
    sound: bool | None


def kernel_report(check: bool, device: str = "auto") -> dict[str, Any]:
    """Return device, versions and one `Check` per operation.

    Args:
        check: compare values and gradients with 64-bit arithmetic written out independently.
        device: `auto`, `cpu` or `cuda`.

    Raises:
        SpecError: CUDA is asked for and there is none.
        TrainingError: `NAS_KERNELS=triton` is set and Triton cannot run here.
    """
    place = choose_device(device)
    try:
        errors = [_worst(*case, place) for case in (CASES if check else CASES[:1])]
    except gpu_kernels.KernelUnavailableError as error:
        raise TrainingError(str(error)) from None
    choice = gpu_kernels.last_choice("node_sum")
    assert choice is not None, "it was just called"
    worst = max(errors) if check else None
    found = Check(
        choice.operation,
        choice.implementation,
        choice.reason,
        len(errors) if check else 0,
        worst,
        None if worst is None else worst <= TOLERANCE,
    )
    return {
        "device": describe_device(place),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "operations": [asdict(found)],
    }


def _worst(
    batch: int, channels: int, side: int, groups: int, weighted: bool, device: torch.device
) -> float:
    """Return the largest relative error of `node_sum` and its gradients in one case."""
    source = torch.Generator().manual_seed(0)
    shape = (groups * batch, channels, side, side)
    inputs = [torch.randn(shape, generator=source) * (1 + k) + k for k in range(INPUTS)]
    weights = torch.randn(INPUTS, generator=source) if weighted else None
    upstream = torch.randn(shape, generator=source)
    exact = _results(_plainly, inputs, weights, groups, upstream, torch.float64, "cpu")
    found = _results(_fused, inputs, weights, groups, upstream, torch.float32, str(device))
    return max(_error(a, b) for a, b in zip(found, exact, strict=True))


def _results(
    function: Any,
    inputs: list[Tensor],
    weights: Tensor | None,
    groups: int,
    upstream: Tensor,
    dtype: torch.dtype,
    device: str,
) -> list[Tensor]:
    """Return the value and the gradient of every tensor, in 64 bits on the CPU."""
    leaves = [one.to(device, dtype).requires_grad_() for one in inputs]
    mixture = None if weights is None else weights.to(device, dtype).requires_grad_()
    value = function(leaves, mixture, groups)
    value.backward(upstream.to(device, dtype))
    gradients = [leaf.grad for leaf in (*leaves, *([] if mixture is None else [mixture]))]
    return [one.detach().double().cpu() for one in (value, *gradients) if one is not None]


def _fused(inputs: list[Tensor], weights: Tensor | None, groups: int) -> Tensor:
    return gpu_kernels.node_sum(inputs, weights=weights, groups=groups, eps=EPS)[0]


def _plainly(inputs: list[Tensor], weights: Tensor | None, groups: int) -> Tensor:
    """Normalise each block of the batch with torch, then add up."""
    total = torch.zeros_like(inputs[0])
    for number, one in enumerate(inputs):
        blocks = [
            functional.batch_norm(block, None, None, training=True, eps=EPS)
            for block in one.chunk(groups)
        ]
        normalised = torch.cat(blocks)
        total = total + (normalised if weights is None else weights[number] * normalised)
    return total


def _error(found: Tensor, exact: Tensor) -> float:
    """Return the root mean square of the difference over that of the exact answer.

    A gradient may cancel out to nothing; then its difference counts as it is.
    """
    size = float(exact.square().mean().sqrt())
    difference = float((found - exact).square().mean().sqrt())
    return difference / size if size > 1e-6 else difference
