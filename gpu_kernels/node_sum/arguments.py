"""The arguments of `node_sum`, checked and completed once, as every implementation gets them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from gpu_kernels import _common

Statistics = tuple[Tensor, Tensor]
_Entry = TypeVar("_Entry")


@dataclass(frozen=True, slots=True)
class Arguments:
    """One call of `node_sum`; every tuple has one entry for each of the K inputs.

    Args:
        inputs: (groups * B, C, H, W) each, one data type, one device.
        weights: (K,), or None for all ones.
        normalise: whether the input is batch-normalised before it is added.
        scales: gamma (C,) or None.
        shifts: beta (C,) or None.
        statistics: given (mean, variance), (C,) each, detached; None for batch statistics.
        groups: number of consecutive blocks of the batch with statistics of their own.
        eps: added to every variance.
    """

    inputs: tuple[Tensor, ...]
    weights: Tensor | None
    normalise: tuple[bool, ...]
    scales: tuple[Tensor | None, ...]
    shifts: tuple[Tensor | None, ...]
    statistics: tuple[Statistics | None, ...]
    groups: int
    eps: float

    def uses_batch(self, k: int) -> bool:
        """Whether input `k` is normalised with the statistics of its own batch."""
        return self.normalise[k] and self.statistics[k] is None

    @property
    def values_per_group(self) -> int:
        """How many values one batch statistic is computed from: B * H * W."""
        n, _, h, w = self.inputs[0].shape
        return n // self.groups * h * w


def check(
    inputs: Sequence[Tensor],
    weights: Tensor | None,
    normalise: Sequence[bool] | None,
    scales: Sequence[Tensor | None] | None,
    shifts: Sequence[Tensor | None] | None,
    statistics: Sequence[Statistics | None] | None,
    groups: int,
    eps: float,
) -> Arguments:
    """Fill in what was left out and refuse, with a sentence, what cannot be computed."""
    tensors = _checked_inputs(inputs, groups, eps)
    count = len(tensors)
    if weights is not None and weights.shape != (count,):
        raise ValueError(
            f"`weights` has shape {tuple(weights.shape)}; {count} inputs need ({count},)."
        )
    arguments = Arguments(
        inputs=tensors,
        weights=weights,
        normalise=_filled("normalise", normalise, count, True),
        scales=_filled("scales", scales, count, None),
        shifts=_filled("shifts", shifts, count, None),
        statistics=tuple(
            pair if pair is None else (pair[0].detach(), pair[1].detach())
            for pair in _filled("statistics", statistics, count, None)
        ),
        groups=groups,
        eps=eps,
    )
    _check_devices(arguments)
    for k in range(count):
        _check_channels(arguments, k)
    _check_batch(arguments)
    return arguments


def _checked_inputs(inputs: Sequence[Tensor], groups: int, eps: float) -> tuple[Tensor, ...]:
    """The inputs in their common data type, as `torch.add` would promote them."""
    if len(inputs) == 0:
        raise ValueError("`inputs` is empty; node_sum needs at least one tensor.")
    first = inputs[0]
    if first.dim() != 4:
        raise ValueError(
            f"`inputs[0]` has shape {tuple(first.shape)}; allowed are four dimensions, "
            "(groups * B, C, H, W)."
        )
    for k, x in enumerate(inputs):
        if x.shape != first.shape:
            raise ValueError(
                f"`inputs[{k}]` has shape {tuple(x.shape)}, `inputs[0]` {tuple(first.shape)}; "
                "all inputs must have the same shape."
            )
    if groups < 1 or first.shape[0] % groups:
        raise ValueError(
            f"`groups` is {groups}; it must be at least 1 and divide the batch of "
            f"{first.shape[0]}."
        )
    if not eps >= 0.0:
        raise ValueError(f"`eps` is {eps}; it must be zero or positive.")
    return _promoted(inputs)


def _promoted(inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    found = {x.dtype for x in inputs}
    if not found <= set(_common.STORAGE_TYPES):
        names = ", ".join(sorted(map(str, found)))
        allowed = ", ".join(map(str, _common.STORAGE_TYPES))
        raise ValueError(f"`inputs` are {names}; allowed are {allowed}.")
    if len(found) == 1:
        return tuple(inputs)
    dtype = functools.reduce(torch.promote_types, found)
    return tuple(x.to(dtype) for x in inputs)


def _filled(
    name: str, given: Sequence[_Entry] | None, count: int, default: _Entry
) -> tuple[_Entry, ...]:
    if given is None:
        return (default,) * count
    if len(given) != count:
        raise ValueError(
            f"`{name}` has {len(given)} entries for {count} inputs; give one for each input."
        )
    return tuple(given)


def _check_channels(arguments: Arguments, k: int) -> None:
    """Refuse per-channel tensors of input `k` that have another length or nothing to act on."""
    mean, variance = arguments.statistics[k] or (None, None)
    channels = arguments.inputs[0].shape[1]
    for name, value in (
        ("scales[{}]", arguments.scales[k]),
        ("shifts[{}]", arguments.shifts[k]),
        ("statistics[{}][0]", mean),
        ("statistics[{}][1]", variance),
    ):
        if value is None:
            continue
        if not arguments.normalise[k]:
            raise ValueError(
                f"`{name.format(k)}` was given, but input {k} is not normalised; give None for "
                f"it, or set `normalise[{k}]`."
            )
        if value.shape != (channels,):
            raise ValueError(
                f"`{name.format(k)}` has shape {tuple(value.shape)}; input {k} has {channels} "
                f"channels and needs ({channels},)."
            )


def _check_batch(arguments: Arguments) -> None:
    """Refuse batch statistics of a single value, as torch does: their variance is always zero."""
    if arguments.values_per_group > 1:
        return
    for k in range(len(arguments.inputs)):
        if arguments.uses_batch(k):
            raise ValueError(
                f"input {k} of shape {tuple(arguments.inputs[k].shape)} has "
                f"{arguments.values_per_group} value(s) per channel in each of "
                f"{arguments.groups} group(s); batch statistics need more than one. Use a "
                "larger batch or fewer groups, or give `statistics`."
            )


def _check_devices(arguments: Arguments) -> None:
    device = arguments.inputs[0].device
    pairs = [t for pair in arguments.statistics if pair is not None for t in pair]
    others = (*arguments.inputs, arguments.weights, *arguments.scales, *arguments.shifts, *pairs)
    for tensor in others:
        if tensor is not None and tensor.device != device:
            raise ValueError(
                f"a tensor on {tensor.device} was given with inputs on {device}; all tensors "
                "must be on one device."
            )
