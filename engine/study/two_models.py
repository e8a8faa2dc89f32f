"""Multi-model forgetting in its simplest form: two networks that share layers (000 §4.4.1).

Model A, a feed-forward network of four layers, is trained first; model B has six layers and shares
all of A's. Training B makes A forget; the weight plasticity loss (eq. 4.8) should prevent that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engine.core.streams import derive_seed
from engine.datasets.batches import DeviceImages
from engine.metrics import forgetting_reduction
from engine.spec.data import AugmentationSpec
from engine.tasks import classification

HIDDEN = 128
SHARED, PRIVATE = 4, 2
FISHER_IMAGES = 200  # "calculated on 200 images in the validation set"


@dataclass(frozen=True)
class TwoModels:
    """What happened to A and B; accuracies on the test part in percent.

    Attributes:
        before: A's accuracy before B is trained, acc_A*.
        a_plain, b_plain: A's and B's accuracy after every epoch of B, without the loss.
        a_plastic, b_plastic: with it.
        reduction: (d - d_WPL) / d, where d is what A lost by B's last epoch; None where nothing
            was lost without the loss.
    """

    before: float
    a_plain: list[float]
    b_plain: list[float]
    a_plastic: list[float]
    b_plastic: list[float]
    reduction: float | None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form."""
        return asdict(self)


class SharedLayers(nn.Module):
    """Both models: A's four layers, and two that only B has, before the common last one."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        widths = [inputs, *[HIDDEN] * (SHARED - 1), classes]
        pairs = zip(widths, widths[1:], strict=False)
        self.shared = nn.ModuleList([nn.Linear(a, b) for a, b in pairs])
        self.private = nn.ModuleList([nn.Linear(HIDDEN, HIDDEN) for _ in range(PRIVATE)])

    def forward(self, x: Tensor, model: str) -> Tensor:
        """Return logits (B, classes) of images (B, C, H, W); model is `a` or `b`."""
        x = x.flatten(1)
        inner = [*self.shared[:-1], *(self.private if model == "b" else [])]
        for layer in inner:
            x = torch.relu(layer(x))
        return self.shared[-1](x)


def run_two_models(
    parts: dict[str, DeviceImages],
    classes: int,
    *,
    epochs_a: int,
    epochs_b: int,
    alpha: float,
    learning_rate: float = 0.05,
    batch_size: int = 64,
    seed: int = 0,
) -> TwoModels:
    """Train A, then B twice from there: without and with the weight plasticity loss.

    Both trainings of B see the same batches. `train` trains, the first 200 images of `held_out`
    give the Fisher information, `test` the accuracies.

    Args:
        parts: images of the three parts.
        classes: number of classes.
        epochs_a: few for loose convergence, many for strict.
        epochs_b: of each training of B.
        alpha: weight of the term; 0 trains as without.
        learning_rate, batch_size: plain SGD, as in the thesis.
        seed: of initial values and the order of batches.
    """
    images, _ = next(iter(parts["train"].batches(1)))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "two-models"))
        net = SharedLayers(images[0].numel(), classes).to(images.device)
    for x, y in _epochs(parts["train"], epochs_a, batch_size, seed):
        _step(net, classification.loss(net(x, "a"), y), learning_rate)
    before = _accuracy(net, "a", parts["test"])
    anchors = [p.detach().clone() for p in net.shared.parameters()]
    fisher = fisher_diagonal(net, parts["held_out"])
    start = {name: value.clone() for name, value in net.state_dict().items()}
    curves: list[list[float]] = []
    for weight in (0.0, alpha):
        net.load_state_dict(start)
        a, b = list[float](), list[float]()
        steps = parts["train"].batches_per_epoch(batch_size)
        batches = _epochs(parts["train"], epochs_b, batch_size, seed + 1)
        for number, (x, y) in enumerate(batches, start=1):
            _step(net, classification.loss(net(x, "b"), y), learning_rate)
            _pull(net.shared, anchors, fisher, learning_rate * weight)
            if number % steps == 0:
                a.append(_accuracy(net, "a", parts["test"]))
                b.append(_accuracy(net, "b", parts["test"]))
        curves += [a, b]
    lost = [before - curve[-1] for curve in (curves[0], curves[2])]
    return TwoModels(before, *curves, forgetting_reduction(*lost))


def fisher_diagonal(net: SharedLayers, images: DeviceImages) -> list[Tensor]:
    """Return mean over images of the squared gradient of model A's loss, per shared weight.

    Args:
        net: both models.
        images: of which the first 200 are used.

    Returns:
        One tensor per parameter of `net.shared`, of its shape.
    """
    names = [f"shared.{name}" for name, _ in net.shared.named_parameters()]
    weights = {name: p.detach() for name, p in net.named_parameters()}

    def loss(chosen: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        logits = torch.func.functional_call(net, {**weights, **chosen}, (x.unsqueeze(0), "a"))
        return classification.loss(logits, y.unsqueeze(0))

    x, y = next(iter(images.batches(min(FISHER_IMAGES, len(images)))))
    each = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))
    gradients = each({name: weights[name] for name in names}, x, y)
    return [gradients[name].square().mean(0) for name in names]


def _epochs(
    images: DeviceImages, epochs: int, batch_size: int, seed: int
) -> Iterator[tuple[Tensor, Tensor]]:
    rng = np.random.Generator(np.random.PCG64(derive_seed(seed, "two-models", "data")))
    for _ in range(epochs):
        yield from images.epoch(batch_size, rng, AugmentationSpec())


def _step(net: nn.Module, loss: Tensor, rate: float) -> None:
    """Take one step of plain SGD."""
    net.zero_grad(set_to_none=True)
    loss.backward()
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.grad is not None:
                parameter -= rate * parameter.grad


@torch.no_grad()
def _pull(shared: nn.Module, anchors: list[Tensor], fisher: list[Tensor], strength: float) -> None:
    """Take the implicit step of the term, theta = (theta + s F theta^) / (1 + s F).

    It solves theta = before - rate * alpha * F * (theta - theta^) for any alpha, where an explicit
    step of SGD swings up as soon as rate * alpha * F exceeds 2.
    """
    for weight, anchor, f in zip(shared.parameters(), anchors, fisher, strict=True):
        weight.copy_((weight + strength * f * anchor) / (1 + strength * f))


@torch.no_grad()
def _accuracy(net: SharedLayers, model: str, images: DeviceImages) -> float:
    right = sum(classification.correct(net(x, model), y).item() for x, y in images.batches(1024))
    return 100.0 * right / len(images)
