"""Batch normalisation under sampled paths, with one explicit policy (000 §6.4.2).

Batch statistics are used for training and, by default, for evaluation too. Moving averages are
updated and dropout masks drawn only inside `NormPolicy.tracking()`, so that landmark, plasticity
and evaluation passes leave every buffer and every random stream as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from engine.spec.network import NormSpec
from gpu_kernels import node_sum

EPSILON = 1e-5


@dataclass
class NormPolicy:
    """What all normalisations of one network do at present.

    Attributes:
        affine: learn scale and shift.
        keeps_buffers: whether moving averages exist at all.
        momentum: weight of the newest batch in the moving averages.
        update: moving averages are being updated.
        use_moving: normalise by the moving averages instead of the batch.
        dropout: training passes draw masks or channels, so that routes have no part in common.
        trains: a pass that trains weights is running.
        repeats: a forward pass is done again for its gradients; nothing is observed twice.
    """

    affine: bool = True
    keeps_buffers: bool = False
    momentum: float = 0.1
    update: bool = False
    use_moving: bool = False
    dropout: bool = False
    trains: bool = False
    repeats: bool = False
    _seen: dict[int, int] | None = None

    @classmethod
    def of(cls, spec: NormSpec, dropout: bool = False) -> NormPolicy:
        """Build the policy of a super-net."""
        return cls(spec.affine, spec.statistics != "batch", spec.momentum, dropout=dropout)

    @classmethod
    def stand_alone(cls, spec: NormSpec) -> NormPolicy:
        """Build the policy of a network with fixed architecture: moving averages are sound."""
        return cls(spec.affine, True, spec.momentum)

    @property
    def draws(self) -> bool:
        """Whether a pass draws masks or channels now."""
        return self.dropout and self.trains

    @contextmanager
    def tracking(self) -> Iterator[None]:
        """Inside the block passes train weights: averages follow them, and dropout acts."""
        before, self.trains = self.trains, True
        try:
            with self.measuring():
                yield
        finally:
            self.trains = before

    @contextmanager
    def measuring(self, equally: bool = False) -> Iterator[None]:
        """Update moving averages, where there are any, inside the block; nothing else.

        Args:
            equally: the averages become plain means of all that a `Norm` sees inside the block,
                of each edge that shares it and in each pass.
        """
        before = self.update, self._seen
        self.update, self._seen = self.keeps_buffers, {} if equally else None
        try:
            yield
        finally:
            self.update, self._seen = before

    def weight_of_batch(self, norm: Norm) -> float:
        """Return what the batch that a normalisation has just seen counts in its averages."""
        if self._seen is None:
            return self.momentum
        self._seen[id(norm)] = self._seen.get(id(norm), 0) + 1
        return 1 / self._seen[id(norm)]

    @contextmanager
    def moving(self, wanted: bool = True) -> Iterator[None]:
        """Normalise by moving averages inside the block."""
        if wanted and not self.keeps_buffers:
            raise ValueError("this network keeps no moving averages to evaluate with")
        before, self.use_moving = self.use_moving, wanted
        try:
            yield
        finally:
            self.use_moving = before

    def repeating(self) -> AbstractContextManager[None]:
        """Return a context, to be used any number of times, that repeats a pass as it ran now."""
        return _Repeating(self)


class _Repeating(AbstractContextManager[None]):
    """The flags of a policy as they were, and nothing is observed."""

    def __init__(self, policy: NormPolicy) -> None:
        self.policy = policy
        self.flags = policy.update, policy.use_moving, True

    def __enter__(self) -> None:
        policy = self.policy
        self.before = policy.update, policy.use_moving, policy.repeats
        policy.update, policy.use_moving, policy.repeats = self.flags

    def __exit__(self, *error: object) -> None:
        policy = self.policy
        policy.update, policy.use_moving, policy.repeats = self.before


class Norm(nn.Module):
    """Batch normalisation of (groups*B, C, H, W), each of `groups` blocks by itself.

    Args:
        channels: C.
        policy: shared by all normalisations of the network.
        affine: False: never a scale and a shift; True: as the policy says.
    """

    def __init__(self, channels: int, policy: NormPolicy, affine: bool = True) -> None:
        super().__init__()
        self.policy = policy
        learned = affine and policy.affine
        self.weight = nn.Parameter(torch.ones(channels)) if learned else None
        self.bias = nn.Parameter(torch.zeros(channels)) if learned else None
        if policy.keeps_buffers:
            self.register_buffer("running_mean", torch.zeros(channels))
            self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor, groups: int = 1) -> Tensor:
        """Normalise one tensor."""
        return normalised_sum([x], [self], groups=groups)

    def statistics(self) -> tuple[Tensor, Tensor] | None:
        """Return (mean, variance) to normalise with, or None for batch statistics."""
        if not self.policy.use_moving:
            return None
        return self.running_mean, self.running_var

    def observe(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Move the averages towards batch statistics, see `move_averages`."""
        averages = self.running_mean, self.running_var
        move_averages(averages, mean, variance, count, self.policy.weight_of_batch(self))


class Normaliser(Protocol):
    """What `normalised_sum` needs of a normalisation: a `Norm`, or some channels of one."""

    weight: Tensor | None
    bias: Tensor | None
    policy: NormPolicy

    def statistics(self) -> tuple[Tensor, Tensor] | None:
        """Return (mean, variance) to normalise with, or None for batch statistics."""
        ...

    def observe(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Move the averages towards batch statistics of shape (groups, C)."""
        ...


@torch.no_grad()
def move_averages(
    averages: tuple[Tensor, Tensor], mean: Tensor, variance: Tensor, count: int, momentum: float
) -> None:
    """Move averages (mean, variance), shape (C,) each, towards batch statistics, in place.

    Args:
        averages: what is changed.
        mean: batch means, shape (groups, C).
        variance: biased batch variances, shape (groups, C).
        count: values behind each of them; the averages keep the unbiased variance.
        momentum: weight of the batch.
    """
    for average, seen in zip(averages, batch_moments(mean, variance, count), strict=True):
        average.lerp_(seen.to(average.dtype), momentum)


def batch_moments(mean: Tensor, variance: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return what moving averages follow, the mean and the unbiased variance, shape (C,) each.

    Args:
        mean: batch means, shape (groups, C).
        variance: biased batch variances, shape (groups, C).
        count: values behind each of them.
    """
    return mean.mean(0), variance.mean(0) * (count / max(count - 1, 1))


def normalised_sum(
    inputs: Sequence[Tensor],
    norms: Sequence[Normaliser | None],
    weights: Tensor | None = None,
    groups: int = 1,
) -> Tensor:
    """Sum inputs after normalising those that have a `Norm`; see `gpu_kernels.node_sum`.

    Args:
        inputs: K tensors of shape (groups*B, C, H, W).
        norms: per input its normalisation (of its channels), or None to add it as it is.
        weights: shape (K,), or None for a plain sum.
        groups: number of independent blocks of the batch.
    """
    active = [norm for norm in norms if norm is not None]
    tracked = any(norm.policy.update for norm in active)
    total, seen = node_sum(
        inputs,
        weights=weights,
        normalise=[norm is not None for norm in norms],
        scales=[None if norm is None else norm.weight for norm in norms],
        shifts=[None if norm is None else norm.bias for norm in norms],
        statistics=[None if norm is None else norm.statistics() for norm in norms],
        groups=groups,
        eps=EPSILON,
        return_statistics=tracked,
    )
    if tracked:
        count = inputs[0][:, 0].numel() // groups
        for norm, moments in zip(norms, seen, strict=True):
            if norm is None or moments is None or norm.policy.repeats:
                continue
            if norm.policy.update:
                norm.observe(*moments, count)
    return total
