"""Mixtures of layer widths by masking channels (FBNetV2; 001 §5.4 "masking")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.networks.route import Route


@dataclass(frozen=True)
class Masking:
    """What turns a layer of the largest width into a mixture of widths.

    Attributes:
        mask: sum over options of weight times (1 in the first channels of this option, else 0),
            shape (largest width, 1, 1). Channels that all widths have keep their full size.
        same: chance that this layer is as wide as the one before, a scalar; 1 for the first.
    """

    mask: Tensor
    same: Tensor


def maskings(route: Route, widths: Sequence[Sequence[int]]) -> list[tuple[int, Masking]]:
    """Return the largest active width of every layer, and its masking.

    Args:
        route: with a weight for every active option of every layer, adding up to 1.
        widths: channels of the active options per layer, in the order of `route.active`.

    Raises:
        ValueError: a layer without weights.
    """
    found: list[tuple[int, Masking]] = []
    before: dict[int, Tensor] = {}
    for layer, channels in enumerate(widths):
        weights = None if route.weights is None else route.weights[layer]
        if weights is None:
            raise ValueError("a mixture of widths needs weights in every layer")
        largest = max(channels)
        number = torch.arange(largest, device=weights.device)
        limits = torch.tensor(channels, device=weights.device)
        mask = (weights[:, None] * (number < limits[:, None])).sum(0)
        chances = dict(zip(channels, weights, strict=True))
        agreed = [chance * before[width] for width, chance in chances.items() if width in before]
        same = torch.stack(agreed).sum() if agreed else weights.new_zeros(())
        if layer == 0:
            same = weights.new_ones(())
        found.append((largest, Masking(mask[:, None, None], same)))
        before = chances
    return found


def masked(values: Tensor, masking: Masking | None) -> Tensor:
    """Return (B, C, H, W) values times the mask; as they are where there is none."""
    return values if masking is None else values * masking.mask


def with_channels(values: Tensor, width: int) -> Tensor:
    """Return the first channels, or zeros added, so that there are `width`."""
    return F.pad(values, (0, 0, 0, 0, 0, width - values.shape[1]))
