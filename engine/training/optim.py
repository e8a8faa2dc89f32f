"""Optimisers, learning-rate schedules, and the policy for weights that a step did not use."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from engine.networks.touched import take_untouched
from engine.spec.training import OptimiserSpec


def make_optimiser(parameters: Iterable[nn.Parameter], spec: OptimiserSpec) -> torch.optim.SGD:
    """Build SGD; architecture parameters and controllers never go in here."""
    return torch.optim.SGD(
        parameters,
        lr=spec.learning_rate,
        momentum=spec.momentum,
        nesterov=spec.nesterov and spec.momentum > 0,
        weight_decay=spec.weight_decay,
    )


def learning_rate(spec: OptimiserSpec, done: float) -> float:
    """Return the learning rate after a share `done` (0 to 1) of all steps."""
    if spec.schedule == "constant":
        return spec.learning_rate
    if spec.schedule == "linear":
        return spec.learning_rate * (1 - done)
    return spec.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def set_learning_rate(optimiser: torch.optim.Optimizer, value: float) -> None:
    """Set the learning rate of every group."""
    for group in optimiser.param_groups:
        group["lr"] = value


def apply_update(optimiser: torch.optim.SGD, clip: float | None, unsampled: str) -> None:
    """Clip once and step once.

    SGD skips weights whose gradient is None, so that unsampled weights stay `frozen`; parts of
    sampled tensors that no gradient reached (see `engine.networks.touched`) are put back, weights
    and momentum. For `decayed` all of these get a zero gradient, and momentum and weight decay go
    on moving them.
    """
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    masks = {parameter: take_untouched(parameter) for parameter in parameters}
    if unsampled == "decayed":
        masks = {}
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
    if clip is not None:
        torch.nn.utils.clip_grad_norm_([p for p in parameters if p.grad is not None], clip)
    kept = [_Kept(p, mask, optimiser) for p, mask in masks.items() if mask is not None]
    optimiser.step()
    for one in kept:
        one.put_back()


class _Kept:
    """What a parameter and its momentum were before a step, where no gradient reached them."""

    def __init__(
        self, parameter: nn.Parameter, untouched: Tensor, optimiser: torch.optim.SGD
    ) -> None:
        self.parameter = parameter
        self.untouched = untouched
        self.state = optimiser.state[parameter]
        self.weights = parameter.detach().clone()
        momentum = self.state.get("momentum_buffer")
        # The first step takes the gradient as momentum, which is what a buffer of 0 gives, too.
        self.momentum = torch.zeros_like(self.weights) if momentum is None else momentum.clone()

    @torch.no_grad()
    def put_back(self) -> None:
        """Undo the step where no gradient came."""
        torch.where(self.untouched, self.weights, self.parameter, out=self.parameter)
        momentum = self.state.get("momentum_buffer")
        if momentum is not None:
            torch.where(self.untouched, self.momentum, momentum, out=momentum)


def momentum_tensors(net: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Any]:
    """Return the momentum buffers by parameter name, for checkpoints."""
    buffers = {}
    for name, parameter in net.named_parameters():
        found = optimiser.state.get(parameter, {}).get("momentum_buffer")
        if found is not None:
            buffers[name] = found
    return buffers


def load_momentum(
    net: nn.Module, optimiser: torch.optim.Optimizer, buffers: dict[str, torch.Tensor]
) -> None:
    """Put back what `momentum_tensors` returned."""
    parameters = dict(net.named_parameters())
    for name, buffer in buffers.items():
        # Same memory format as the parameter, which the optimiser's fast path needs.
        copy = torch.empty_like(parameters[name]).copy_(buffer)
        optimiser.state[parameters[name]]["momentum_buffer"] = copy.detach()
