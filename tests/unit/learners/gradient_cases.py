"""Learners on small networks in float64, and the operations that a network runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import learner_cases
import numpy as np
import torch
from torch import Tensor

from engine.core.space import Space
from engine.datasets.batches import BatchStream, DeviceImages
from engine.learners import Learner, LearnerContext, Step
from engine.networks import Route, SuperNet
from engine.networks.dag_cell import DagCell

torch.set_num_threads(1)
RNG_SEED = 7


def held_out(batch: int = 8) -> BatchStream:
    """Return batches of random pictures of three classes, in float64."""
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 256, (4 * batch, 8, 8, 1)).astype(np.uint8)
    labels = rng.integers(0, 3, 4 * batch)
    images = DeviceImages(pixels, labels, "cpu", (0.5,), (0.3,), dtype=torch.float64)
    return BatchStream(images, batch, np.random.default_rng(4))


def learner(recipe: str, space: str = "nb201", **settings: Any) -> Learner:
    """Return the learner of a recipe, all in float64; its logits lie far apart."""
    made = learner_cases.learner(recipe, space, settings)
    made.context.net.double()
    made.learned.double()
    made.context.held_out = held_out()
    made.context.rng = np.random.default_rng(RNG_SEED)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for alpha in made.context.learned.alphas:
            alpha.copy_(torch.randn(alpha.shape, generator=generator, dtype=torch.float64))
    return made


def step_at(share: float, net: SuperNet) -> Step:
    """Return an update; its own batch does not matter to these learners."""
    empty = torch.empty(0)
    return Step(empty, empty, torch.optim.SGD(net.parameters(), lr=0.1), share)


def logits(one: LearnerContext) -> np.ndarray:
    """Return a copy of the logits, (choices, options)."""
    return np.stack([alpha.detach().numpy().copy() for alpha in one.learned.alphas])


def softmax(values: np.ndarray) -> np.ndarray:
    """Return the softmax over the last axis."""
    exponents = np.exp(values - values.max(-1, keepdims=True))
    return exponents / exponents.sum(-1, keepdims=True)


def dense_gradient(
    net: SuperNet, space: Space, weights: np.ndarray, loss: Callable[[Tensor], Tensor]
) -> np.ndarray:
    """Return the gradient of a loss of logits by the weight of every option, all computed.

    Args:
        net: a super-net in float64.
        space: its space.
        weights: (choices, options).
        loss: of logits (B, classes); called with those of the first held-out batch.
    """
    images, _ = held_out().next()
    given = [torch.tensor(row, requires_grad=True) for row in weights]
    everything = tuple(tuple(range(len(choice.options))) for choice in space.mixture)
    found = torch.autograd.grad(
        loss(net(images, Route(everything, tuple(given)))), given, allow_unused=True
    )
    rows = [
        np.zeros(len(w)) if g is None else g.numpy() for w, g in zip(given, found, strict=True)
    ]
    return np.stack(rows)


def counted(net: SuperNet) -> Counter[tuple[str, str]]:
    """Return a counter of (cell's edge, option) that every operation raises when it runs."""
    runs: Counter[tuple[str, str]] = Counter()
    for name, cell in net.named_modules():
        if isinstance(cell, DagCell):
            for edge, options in enumerate(cell.edges):
                for option, op in options.items():
                    _count(op, runs, (f"{name}.{edge}", option))
    return runs


def _count(op: Any, runs: Counter[tuple[str, str]], key: tuple[str, str]) -> None:
    body = op.body
    op.shared = None  # else edges from the same node would share one pooling

    def counting(*given: Any, **named: Any) -> Tensor:
        runs[key] += 1
        return body(*given, **named)

    op.body = counting


def per_edge(runs: Counter[tuple[str, str]]) -> Counter[str]:
    """Return how many different operations ran on every cell's edge."""
    return Counter(edge for edge, _ in runs)


def edges_of(net: SuperNet) -> int:
    """Return the number of edges of all cells."""
    return sum(len(cell.edges) for cell in net.modules() if isinstance(cell, DagCell))


def without_zero(one: LearnerContext) -> None:
    """Make `none` so unlikely that it is not drawn, so that all edges are alive."""
    for choice, alpha in zip(one.space.mixture, one.learned.alphas, strict=True):
        with torch.no_grad():
            alpha[choice.options.index("none")] = -60.0
