"""Several routes' activations in one tensor, equal ones stored once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Stack:
    """Activations of R routes, held as K <= R distinct blocks.

    Attributes:
        values: shape (K*B, C, H, W) or (K*B, F); block k is rows k*B to (k+1)*B.
        slots: per route, the index of its block.
        blocks: K.
    """

    values: Tensor
    slots: tuple[int, ...]
    blocks: int

    @classmethod
    def shared(cls, values: Tensor, routes: int) -> Stack:
        """Hold one block (B, ...) that all routes share."""
        return cls(values, (0,) * routes, 1)

    def with_values(self, values: Tensor) -> Stack:
        """Return the same layout with other values."""
        return Stack(values, self.slots, self.blocks)

    def unstack(self) -> Tensor:
        """Return the values per route, shape (R, B, ...)."""
        rows = self.values.reshape(self.blocks, -1, *self.values.shape[1:])
        if self.slots == tuple(range(self.blocks)):
            return rows
        return rows.index_select(0, torch.tensor(self.slots, device=rows.device))


def take_blocks(values: Tensor, blocks: int, wanted: Sequence[int]) -> Tensor:
    """Select blocks of a (blocks*B, C, H, W) tensor, keeping its memory format.

    Selecting all blocks in order returns the tensor itself.
    """
    if list(wanted) == list(range(blocks)):
        return values
    flat, shape, permuted = _rows(values, blocks)
    index = torch.tensor(wanted, device=values.device)
    return _unrows(flat.index_select(0, index), shape, permuted)


def sum_blocks(
    parts: Sequence[tuple[Tensor, int, Sequence[int], Sequence[int]]], blocks: int
) -> Tensor:
    """Add selected blocks of several tensors into a new tensor of `blocks` blocks.

    Args:
        parts: (values, blocks held, source block, target block) with equal-length index lists;
            all values have the same shape but for the number of blocks.
        blocks: blocks of the result; those without a term are zero.
    """
    first, held = parts[0][0], parts[0][1]
    if len(parts) == 1 and list(parts[0][3]) == list(range(blocks)):
        return take_blocks(first, held, parts[0][2])
    flat, shape, permuted = _rows(first, held)
    total = flat.new_zeros(blocks, flat.shape[1])
    for values, count, sources, targets in parts:
        rows, _, other = _rows(values, count)
        if other != permuted:
            values = values.contiguous(memory_format=_format(permuted))
            rows = _rows(values, count)[0]
        if list(sources) != list(range(count)):
            rows = rows.index_select(0, torch.tensor(sources, device=rows.device))
        total.index_add_(0, torch.tensor(targets, device=rows.device), rows.to(total.dtype))
    return _unrows(total, shape, permuted)


def distinct(keys: Sequence[Key]) -> tuple[list[Key], tuple[int, ...]]:
    """Return the different keys in order of appearance, and each key's place among them."""
    places: dict[Key, int] = {}
    slots = tuple(places.setdefault(key, len(places)) for key in keys)
    return list(places), slots


def _format(permuted: bool) -> torch.memory_format:
    return torch.channels_last if permuted else torch.contiguous_format


def _rows(values: Tensor, blocks: int) -> tuple[Tensor, torch.Size, bool]:
    """View as (blocks, B*C*H*W) in physical order; channels-last tensors are permuted first."""
    permuted = not values.is_contiguous() and values.is_contiguous(
        memory_format=torch.channels_last
    )
    dense = values.permute(0, 2, 3, 1) if permuted else values.contiguous()
    return dense.reshape(blocks, -1), dense.shape[1:], permuted


def _unrows(rows: Tensor, shape: torch.Size, permuted: bool) -> Tensor:
    values = rows.reshape(-1, *shape)
    return values.permute(0, 3, 1, 2) if permuted else values
