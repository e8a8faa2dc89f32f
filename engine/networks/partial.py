"""Partial channels: 1/k of a node's channels go through an edge's operations, the others pass by.

PC-DARTS, Xu et al. 2020 (ICLR), §3.2: the first C/k channels are operated on, the others are
handed on as they are (max-pooled where the edge halves the image), both are put side by side, and
a channel shuffle with k groups lets the next edge operate on others. Joining and shuffling are
linear and the same on all edges, so that a node sums up first and shuffles once.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def operated(x: Tensor, k: int) -> Tensor:
    """Return the channels of (B, C, H, W) that go through operations, (B, C/k, H, W)."""
    return x if k == 1 else x[:, : x.shape[1] // k]


def passing(x: Tensor, k: int, stride: int) -> Tensor:
    """Return the channels that pass by, (B, C-C/k, ceil(H/stride), ceil(W/stride)).

    The ceiling only matters for odd sizes, where all operations of stride 2 round up.
    """
    rest = x[:, x.shape[1] // k :]
    return F.max_pool2d(rest, 2, 2, ceil_mode=True) if stride == 2 else rest


def joined(done: Tensor, rest: Tensor, k: int) -> Tensor:
    """Put results (B, C/k, H, W) before what passed by, and shuffle: g*(C/k)+j goes to j*k+g."""
    whole = torch.cat([done, rest], dim=1)
    return whole.unflatten(1, (k, -1)).transpose(1, 2).flatten(1, 2)
