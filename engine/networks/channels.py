"""How a narrow layer is made from the widest one: three ways of 000 §6.4.5, Tables 6.5 and 6.13.

A layer is built once, with its largest widths. One policy per network decides which of them a
narrower layer uses, for weights, normalisation parameters and moving averages together (joint
10). At the largest width all three are the same: everything, in order. The fourth way is not to
need any, in a space whose layers have one width.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import torch
from torch import Tensor

from engine.networks.norm import NormPolicy
from engine.networks.touched import Region, taken, watched
from engine.spec.network import SharingSpec


class ChannelPolicy(Protocol):
    """How a narrow layer is made from the largest one."""

    def renew(self) -> None:
        """Start a forward pass of the whole network; choices hold until the next one."""
        ...

    def parameter(self, largest: Tensor, *widths: int, side: int | None = None) -> Tensor:
        """Return the values of a layer with these widths, gradients leading to `largest`.

        Args:
            largest: its first dimensions are channels.
            widths: how many of each of these dimensions; the others stay whole.
            side: for (O, I, K, K) kernels, take the middle side x side of each; None: all.
        """
        ...

    def buffer(self, largest: Tensor, width: int) -> Tensor:
        """Return moving averages (width,) of a layer with this width."""
        ...

    def move(self, largest: Tensor, seen: Tensor, momentum: float) -> None:
        """Move averages towards `seen` (width,), in place.

        `buffer` then returns exactly the average that `seen` and its former values have.
        """
        ...


class FixedChunk:
    """The first channels, [0:k] (Guo et al. 2019)."""

    def renew(self) -> None:
        """See `ChannelPolicy`; nothing is drawn."""

    def parameter(self, largest: Tensor, *widths: int, side: int | None = None) -> Tensor:
        """See `ChannelPolicy`; gradients of the channels beyond are exactly zero."""
        _require(largest, widths)
        first = tuple(slice(0, width) for width in widths)
        return watched(largest, (*first, *_middle(largest, len(widths), side)))

    def buffer(self, largest: Tensor, width: int) -> Tensor:
        """See `ChannelPolicy`."""
        _require(largest, (width,))
        return largest[:width]

    @torch.no_grad()
    def move(self, largest: Tensor, seen: Tensor, momentum: float) -> None:
        """See `ChannelPolicy`."""
        largest[: len(seen)].lerp_(seen.to(largest.dtype), momentum)


class Shuffle:
    """A random choice of channels per training pass (000 §6.4.5, after Zhang et al. 2018).

    A pass that trains weights shuffles the channels of every largest width before it takes the
    first k of them. All layers with that largest width share one order during a pass, so that a
    reader finds the channels that its source has computed. Orders come from torch's CPU
    generator, whose state is in checkpoints.

    All other passes (evaluation, landmarks, recalibration) take the first k channels unshuffled.
    That is one of the choices that training draws from, which prefers none to another; it needs
    no draws, and gives every architecture the same channels whenever it is evaluated.

    Args:
        policy: knows which passes train weights.
    """

    def __init__(self, policy: NormPolicy) -> None:
        self.policy = policy
        self._orders: dict[int, tuple[int, ...]] = {}

    def renew(self) -> None:
        """See `ChannelPolicy`; draws anew when an order is needed."""
        self._orders.clear()

    def parameter(self, largest: Tensor, *widths: int, side: int | None = None) -> Tensor:
        """See `ChannelPolicy`; only the chosen channels get gradients."""
        _require(largest, widths)
        chosen = self._chosen(largest, widths)
        return watched(largest, (*chosen, *_middle(largest, len(widths), side)))

    def buffer(self, largest: Tensor, width: int) -> Tensor:
        """See `ChannelPolicy`."""
        _require(largest, (width,))
        return taken(largest, self._chosen(largest, (width,)))

    @torch.no_grad()
    def move(self, largest: Tensor, seen: Tensor, momentum: float) -> None:
        """See `ChannelPolicy`."""
        (chosen,) = self._chosen(largest, (len(seen),))
        moved = self.buffer(largest, len(seen)).lerp(seen.to(largest.dtype), momentum)
        largest[chosen if isinstance(chosen, slice) else list(chosen)] = moved

    def _chosen(self, largest: Tensor, widths: tuple[int, ...]) -> Region:
        return tuple(
            self._channels(size, width) for size, width in zip(largest.shape, widths, strict=False)
        )

    def _channels(self, size: int, width: int) -> slice | tuple[int, ...]:
        if width == size or not self.policy.trains:
            return slice(0, width)
        if size not in self._orders:
            self._orders[size] = tuple(torch.randperm(size).tolist())
        return self._orders[size][:width]


class Interpolate:
    """Averages over neighbouring channels (000 §6.4.5, after Dong and Yang 2019; 001 eq. 3.13).

    Of C channels, the i-th of k is the mean of those from floor(i C / k) up to, but without,
    ceil((i+1) C / k): channel-wise interpolation, done on parameters along each of their channel
    dimensions. All channels of the largest layer take part, so that all get gradients.

    Moving averages belong to channels, not to sums of them. There the windows do not overlap
    (channel c belongs to the narrow channel floor(c k / C)), and a batch moves all channels of a
    window alike, so that what has been measured for a width is read back exactly.
    """

    def renew(self) -> None:
        """See `ChannelPolicy`; nothing is drawn."""

    def parameter(self, largest: Tensor, *widths: int, side: int | None = None) -> Tensor:
        """See `ChannelPolicy`."""
        _require(largest, widths)
        whole = (slice(None),) * len(widths)
        part = watched(largest, (*whole, *_middle(largest, len(widths), side)))
        for dimension, width in enumerate(widths):
            if width < part.shape[dimension]:
                means = _windows(part.shape[dimension], width, part.dtype, part.device)
                # Parameters keep their precision, whatever that of the network is.
                with torch.autocast(part.device.type, enabled=False):
                    part = torch.tensordot(means, part, ([1], [dimension])).movedim(0, dimension)
        return part

    def buffer(self, largest: Tensor, width: int) -> Tensor:
        """See `ChannelPolicy`."""
        _require(largest, (width,))
        owners = _owners(len(largest), width).to(largest.device)
        totals = largest.new_zeros(width).index_add_(0, owners, largest)
        return totals / torch.bincount(owners, minlength=width)

    @torch.no_grad()
    def move(self, largest: Tensor, seen: Tensor, momentum: float) -> None:
        """See `ChannelPolicy`."""
        owners = _owners(len(largest), len(seen)).to(largest.device)
        largest.lerp_(seen.to(largest.dtype)[owners], momentum)


def channel_policy(sharing: SharingSpec, policy: NormPolicy) -> ChannelPolicy:
    """Return the policy of a super-net.

    Args:
        sharing: names it.
        policy: the network's normalisation policy, which knows the passes that draw.
    """
    if sharing.dynamic_channels == "shuffle":
        return Shuffle(policy)
    return Interpolate() if sharing.dynamic_channels == "interpolate" else FixedChunk()


def _require(largest: Tensor, widths: tuple[int, ...]) -> None:
    """Raise ValueError where a width is below 1 or above the largest."""
    sizes = tuple(largest.shape[: len(widths)])
    if any(not 1 <= width <= size for width, size in zip(widths, sizes, strict=True)):
        raise ValueError(f"widths {widths} of a layer whose largest are {sizes}")


def _middle(largest: Tensor, channels: int, side: int | None) -> Region:
    """Return the region of the dimensions behind the channels."""
    if side is None:
        return ()
    starts = [(size - side) // 2 for size in largest.shape[channels:]]
    return tuple(slice(start, start + side) for start in starts)


@lru_cache(maxsize=256)
def _windows(size: int, width: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return the matrix (width, size) whose rows average over a window each."""
    means = torch.zeros(width, size, dtype=torch.float64)
    for row in range(width):
        start, end = row * size // width, -(-(row + 1) * size // width)
        means[row, start:end] = 1 / (end - start)
    return means.to(device, dtype)


@lru_cache(maxsize=256)
def _owners(size: int, width: int) -> Tensor:
    """Return the narrow channel that each of the largest layer's channels belongs to."""
    return torch.arange(size) * width // size
