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
Region = tuple[slice, ...]


def watched(parameter: Tensor, region: Region) -> Tensor:
    """Return `parameter[region]`, noting the region when a gradient comes back through it.

    Args:
        parameter: a leaf tensor.
        region: one slice per leading dimension.
    """
    part = parameter[region]
    if part.requires_grad:
        part.register_hook(partial(_note, parameter, region))
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
    if any(parameter[region].shape == parameter.shape for region in regions):
        return None
    mask = torch.ones_like(parameter, dtype=torch.bool)
    for region in regions:
        mask[region] = False
    return mask


def forget_touched(parameters: Iterable[Tensor]) -> None:
    """Forget what was noted so far: those passes were no part of the update that follows."""
    for parameter in parameters:
        if getattr(parameter, _NOTE, None):
            setattr(parameter, _NOTE, [])
