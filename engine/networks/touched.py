"""Which part of a parameter an update used, where layers take slices of one larger tensor.

Joint 3 of the design: a parameter that a step did not use has no gradient, and SGD leaves it
alone. A slice of a used parameter cannot have no gradient; its gradient is zero, and momentum and
weight decay would move it. Sliced layers therefore note here what gradients reached, and
`engine.training.optim.apply_update` puts the rest back.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import torch
from torch import Tensor, nn

_NOTE = "touched_regions"
# Per leading dimension a slice, or the indices taken, in any order.
Region = tuple[slice | tuple[int, ...], ...]


def watched(parameter: Tensor, region: Region) -> Tensor:
    """Return a region of a parameter, noting it when a gradient comes back through it.

    Args:
        parameter: a leaf tensor.
        region: what to take of each leading dimension; slices alone give a view.
    """
    part = taken(parameter, region)
    if part.requires_grad:
        part.register_hook(partial(_note, parameter, region))
    return part


def taken(tensor: Tensor, region: Region) -> Tensor:
    """Return a region of a tensor, see `watched`."""
    part = tensor[tuple(one if isinstance(one, slice) else slice(None) for one in region)]
    for dimension, one in enumerate(region):
        if not isinstance(one, slice):
            part = part.index_select(dimension, torch.tensor(one, device=part.device))
    return part


def _note(parameter: Tensor, region: Region, gradient: Tensor) -> None:
    regions = getattr(parameter, _NOTE, None)
    if regions is None:
        regions = []
        setattr(parameter, _NOTE, regions)
    if region not in regions:
        regions.append(region)


def take_untouched(parameter: nn.Parameter) -> Tensor | None:
    """Return where no gradient arrived since the last call, and forget it.

    Returns:
        A mask of the parameter's shape, or None where nothing was noted: the parameter is not
        sliced or was used as a whole, or not at all.
    """
    regions = getattr(parameter, _NOTE, None)
    if not regions:
        return None
    setattr(parameter, _NOTE, [])
    if any(taken(parameter, region).shape == parameter.shape for region in regions):
        return None
    mask = torch.ones_like(parameter, dtype=torch.bool)
    for region in regions:
        mask &= ~_inside(mask, region)
    return mask


def _inside(like: Tensor, region: Region) -> Tensor:
    """Return a mask, broadcastable to `like`, of what lies in a region."""
    inside = torch.ones((1,) * like.ndim, dtype=torch.bool, device=like.device)
    for dimension, one in enumerate(region):
        shape = [1] * like.ndim
        shape[dimension] = like.shape[dimension]
        line = torch.zeros(like.shape[dimension], dtype=torch.bool, device=like.device)
        line[one if isinstance(one, slice) else list(one)] = True
        inside = inside & line.view(shape)
    return inside


def forget_touched(parameters: Iterable[Tensor]) -> None:
    """Forget what was noted so far: those passes were no part of the update that follows."""
    for parameter in parameters:
        if getattr(parameter, _NOTE, None):
            setattr(parameter, _NOTE, [])
