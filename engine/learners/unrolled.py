"""DARTS, second order: the weights answer to the architecture by one step (§2.3, eq. 7-8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from engine.learners.gradient import GradientLearner
from engine.learners.registry import LEARNERS, Step

# Length of the finite difference is this over the norm of its direction, as in DARTS.
DIFFERENCE = 0.01

Loss = Callable[[], Tensor]


def unrolled_gradients(
    weights: Sequence[Tensor],
    parameters: Sequence[Tensor],
    train_loss: Loss,
    held_out_loss: Loss,
    virtual: Callable[[Sequence[Tensor]], list[Tensor]],
    rate: float,
) -> list[Tensor]:
    """Return d/d alpha of L_val(w - rate * g(w, alpha), alpha) by finite differences.

    Two gradients at w plus and minus a small step along the held-out gradient replace the
    product of Hessian and vector (DARTS, eq. 8). The weights are the same bits afterwards.

    Args:
        weights: leaf tensors w of the super-net.
        parameters: leaf tensors alpha.
        train_loss: the training loss with its graph, at the present values.
        held_out_loss: the held-out loss, likewise.
        virtual: from the training gradient per weight to the weights after the virtual step.
        rate: xi, by which that step depends on the gradient.
    """
    kept = [w.detach().clone() for w in weights]
    try:
        gradients = _gradients(train_loss(), weights)
        _put(weights, virtual(gradients))
        loss = held_out_loss()
        found = _gradients(loss, [*parameters, *weights])
        direct, vector = found[: len(parameters)], found[len(parameters) :]
        norm = torch.sqrt(sum((v.square().sum() for v in vector), torch.zeros(())))
        if norm == 0:  # the held-out loss does not depend on the weights
            return direct
        length = DIFFERENCE / norm
        _put(weights, [w + length * v for w, v in zip(kept, vector, strict=True)])
        ahead = _gradients(train_loss(), parameters)
        _put(weights, [w - length * v for w, v in zip(kept, vector, strict=True)])
        behind = _gradients(train_loss(), parameters)
    finally:
        _put(weights, kept)
    pairs = zip(direct, ahead, behind, strict=True)
    return [d - rate * (a - b) / (2 * length) for d, a, b in pairs]


def _gradients(loss: Tensor, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return gradients, zero for what the loss does not depend on."""
    found = torch.autograd.grad(loss, tensors, allow_unused=True)
    pairs = zip(found, tensors, strict=True)
    return [torch.zeros_like(t) if g is None else g for g, t in pairs]


@torch.no_grad()
def _put(weights: Sequence[Tensor], values: Sequence[Tensor]) -> None:
    for weight, value in zip(weights, values, strict=True):
        weight.copy_(value)


class UnrolledLearner(GradientLearner):
    """Replaces the gradient by that of the loss after one virtual step of the weights.

    The virtual step is that of SGD with the present learning rate, momentum and weight decay, on
    the training batch that comes next. Four passes forward and back instead of one.
    """

    def gradients(self, step: Step) -> list[Tensor | None]:
        """See `GradientLearner`."""
        images, labels = self.context.held_out.next()
        weights = [w for group in step.optimiser.param_groups for w in group["params"]]
        rate = step.optimiser.param_groups[0]["lr"]
        before = self.context.rng.bit_generator.state

        def train_loss() -> Tensor:
            # The same draws each time, so that the differences are those of the weights alone.
            self.context.rng.bit_generator.state = before
            return self.loss(step.images, step.labels, step.share)

        def virtual(gradients: Sequence[Tensor]) -> list[Tensor]:
            return _sgd_step(step.optimiser, weights, gradients)

        found = unrolled_gradients(
            weights,
            list(self.learned.parameters()),
            train_loss,
            lambda: self.loss(images, labels, step.share),
            virtual,
            rate,
        )
        return list(found)


@torch.no_grad()
def _sgd_step(
    optimiser: torch.optim.Optimizer, weights: Sequence[Tensor], gradients: Sequence[Tensor]
) -> list[Tensor]:
    """Return the weights after a step of SGD with momentum, without taking it (DARTS, eq. 7).

    As in DARTS the momentum is added in its plain form; its Nesterov form would scale the
    gradient by another constant only.
    """
    group = optimiser.param_groups[0]
    values = []
    for weight, gradient in zip(weights, gradients, strict=True):
        momentum = optimiser.state.get(weight, {}).get("momentum_buffer")
        change = gradient + group["weight_decay"] * weight
        if momentum is not None:
            change = change + group["momentum"] * momentum
        values.append(weight - group["lr"] * change)
    return values


LEARNERS.register("unrolled", UnrolledLearner)
