"""The vocabulary of operations: what an option's name builds."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import ClassVar

from torch import Tensor, nn

from engine.core.registry import Registry
from engine.networks.norm import Norm, NormPolicy

OpFactory = Callable[[int, int, int, NormPolicy], "Op"]
OPS: Registry[OpFactory] = Registry("operation", "space")


class Op(nn.Module):
    """An operation on an edge, split so that its last normalisation is fused into the node sum.

    Attributes:
        activated: the body wants the source after a ReLU, which the cell computes once per node.
        norm: normalisation of the body's result, applied by the node sum; None for none.
        shared: of bodies without weights: what tells them apart; a cell computes equal ones of
            the same source once. None: a body of its own.
        deep: the body has several layers and keeps what is between them for its gradients.
    """

    activated: ClassVar[bool] = False
    deep: ClassVar[bool] = False
    norm: Norm | None
    shared: Hashable | None = None

    def __init__(self) -> None:
        super().__init__()
        # Not a class attribute: that would hide a sub-module of the same name.
        self.norm = None

    def body(self, x: Tensor, groups: int = 1) -> Tensor:
        """Compute the result before the last normalisation.

        Args:
            x: source (groups*B, C, H, W), after a ReLU where `activated` is set.
            groups: independent blocks of the batch, for inner normalisations.
        """
        raise NotImplementedError


def register_op(name: str) -> Callable[[OpFactory], OpFactory]:
    """Register a factory `(channels in, channels out, stride, policy) -> Op`."""

    def add(factory: OpFactory) -> OpFactory:
        return OPS.register(name, factory)

    return add
