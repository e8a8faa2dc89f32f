"""Weight plasticity: weights that earlier architectures need move less (000 §4.3, eq. 4.8).

The thesis adds alpha/2 * sum F_i (theta_i - theta^_i)^2 to the loss of the architecture that is
trained now; F is the diagonal Fisher information of those before it, theta^ their weights. In a
super-net every architecture is trained for one update, at whose start theta is theta^, so that the
gradient of the term is zero and an explicit step ignores it. We therefore take the step that
minimises the sum of linearised loss, term and distance to the present weights: the update of the
optimiser, divided by 1 + rate * alpha * F.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from engine.spec.addons import PlasticitySpec


def plasticity_penalty(
    weights: Iterable[Tensor], anchors: Iterable[Tensor], fisher: Iterable[Tensor], alpha: float
) -> Tensor:
    """Return alpha/2 * sum F (theta - theta^)^2, the last term of eq. 4.8, with its graph.

    Args:
        weights: theta, the shared weights.
        anchors: theta^, their values after the model before, same shapes.
        fisher: diagonal of the Fisher information, same shapes, not negative.
        alpha: weight of the term.
    """
    triples = zip(weights, anchors, fisher, strict=True)
    terms = [(f * (w - a).square()).sum() for w, a, f in triples]
    return alpha / 2 * torch.stack(terms).sum()


def alpha_at(spec: PlasticitySpec, epoch: int, epochs: int) -> float:
    """Return alpha of an epoch (1 to `epochs`): 0 while warming up, then decayed (000 §4.3.2).

    The thesis names "a scheduled decay" without its form; here it falls to 0 by a line or a half
    cosine, or stays.
    """
    if epoch <= spec.warm_up:
        return 0.0
    share = (epoch - spec.warm_up - 1) / max(1, epochs - spec.warm_up)
    factor = {
        "constant": 1.0,
        "linear": 1 - share,
        "cosine": 0.5 * (1 + math.cos(math.pi * share)),
    }[spec.decay]
    return spec.weight * factor


class WeightPlasticity:
    """Fisher information of the architectures so far, and the steps that respect it.

    Args:
        spec: settings.
        net: the super-net.
        epochs: of the whole training, for the decay.
    """

    def __init__(self, spec: PlasticitySpec, net: nn.Module, epochs: int) -> None:
        self.spec = spec
        self.epochs = epochs
        self.parameters = {n: p for n, p in net.named_parameters() if p.requires_grad}
        self.fisher = {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        self._squares: dict[str, Tensor] = {}
        self._before: dict[str, Tensor] = {}

    def begin_epoch(self, epoch: int) -> None:
        """Flush the information every few epochs, as it was not measured at an optimum."""
        if (epoch - 1) % self.spec.flush_every == 0:
            for value in self.fisher.values():
                value.zero_()

    @torch.no_grad()
    def observe(self) -> None:
        """Note the gradients of the task's loss, which are there after back-propagation.

        Call it before anything is added to them and before they are clipped.
        """
        self._squares = {
            name: p.grad.square() for name, p in self.parameters.items() if p.grad is not None
        }

    @torch.no_grad()
    def before_update(self) -> None:
        """Remember the weights that the update can move, theta^."""
        self._before = {
            name: p.detach().clone() for name, p in self.parameters.items() if p.grad is not None
        }

    @torch.no_grad()
    def after_update(self, epoch: int, rate: float) -> None:
        """Shorten the update by 1 + rate * alpha * F, then add its gradients to F.

        F becomes (1 - eta) F + eta g^2 (000 §4.3.2) for the weights that the architecture used;
        what it did not use, or got no gradient at all, keeps its F.

        Args:
            epoch: from 1.
            rate: learning rate of the update.
        """
        alpha = alpha_at(self.spec, epoch, self.epochs)
        if alpha > 0:
            for name, before in self._before.items():
                weight = self.parameters[name]
                damping = 1 + rate * alpha * self.fisher[name]
                weight.copy_(before + (weight - before) / damping)
        for name, square in self._squares.items():
            old = self.fisher[name]
            new = torch.lerp(old, square, self.spec.momentum)
            torch.where(square > 0, new, old, out=old)
        self._squares, self._before = {}, {}

    def tensors(self) -> dict[str, Tensor]:
        """Return the Fisher information by parameter name, for checkpoints."""
        return dict(self.fisher)

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Put back what `tensors` returned."""
        for name, value in tensors.items():
            self.fisher[name].copy_(value)
