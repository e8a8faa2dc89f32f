"""The contract of what learns architectures while the super-net is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from pydantic import BaseModel
from torch import Tensor, nn

from engine.core.architecture import Architecture
from engine.core.registry import Registry
from engine.core.space import Cost, Space
from engine.datasets.batches import BatchStream
from engine.learners.optimiser_state import load_optimiser_tensors, optimiser_tensors
from engine.networks.supernet import SuperNet
from engine.paths.registry import PathPolicy


@dataclass(frozen=True)
class Step:
    """An update of the shared weights that is about to happen.

    Attributes:
        images: its training batch (B, C, H, W).
        labels: (B,).
        optimiser: of the shared weights, its learning rate already set.
        share: part of all updates that is done, 0 to 1.
    """

    images: Tensor
    labels: Tensor
    optimiser: torch.optim.Optimizer
    share: float


class Learned(Protocol):
    """A distribution over architectures with parameters; an `nn.Module` too."""

    def probabilities(self) -> list[Tensor]:
        """Return, per choice of `Space.mixture`, what each option counts, shape (options,).

        Differentiable; a softmax for most, gates between 0 and 1 for some.
        """
        ...

    def draw(self, rng: np.random.Generator) -> Architecture:
        """Draw a valid architecture."""
        ...


@dataclass
class LearnerContext:
    """What a learner may use; nothing else of a run is its business.

    Attributes:
        space: the search space.
        net: the super-net, whose weights it must leave as they are.
        settings: the recipe's own settings.
        learned: the module whose parameters it moves.
        paths: which routes its steps run.
        held_out: batches of the held-out part that nobody else draws from.
        rng: its own stream; nobody else draws from it.
        score: super-net accuracy in percent of any architectures, as the ranking has it.
        cost: parameters and FLOPs of an architecture in this skeleton.
        derive: from what each option counts to the best architectures, see `engine.derive`.
        arithmetic: `float32` or `bfloat16`.
        epochs: of the whole training.
        steps: updates of an epoch.
    """

    space: Space
    net: SuperNet
    settings: Any
    learned: Any
    paths: PathPolicy
    held_out: BatchStream
    rng: np.random.Generator
    score: Callable[[Sequence[Architecture]], list[float]]
    cost: Callable[[Architecture], Cost]
    derive: Callable[[Space, Sequence[Sequence[float]], int], list[Architecture]]
    arithmetic: str
    epochs: int
    steps: int

    @property
    def device(self) -> torch.device:
        """Where the super-net is."""
        return next(self.net.parameters()).device


class Learner:
    """Moves the parameters of a distribution over architectures.

    A sub-class overrides `step` or `end_epoch` and sets `optimiser`. Its forward passes move no
    buffers (they run outside `NormPolicy.tracking()`), leave no gradient in the super-net, and
    draw only from the context's stream. What it keeps besides parameters and optimiser goes into
    `state` and, for tensors, into a registered buffer of `learned`, so that a run resumes exactly.

    Args:
        context: what it may use.
    """

    optimiser: torch.optim.Optimizer | None = None

    def __init__(self, context: LearnerContext) -> None:
        self.context = context
        self.learned: nn.Module = context.learned

    def step(self, step: Step) -> None:
        """Learn before an update of the shared weights."""
        return None

    def end_epoch(self, epoch: int) -> None:
        """Learn after an epoch (from 1). Nothing is saved in between, so keep it short."""
        return None

    def stop_reason(self) -> str | None:
        """Say in a sentence why training should end now, or return None."""
        return None

    def proposals(self, count: int) -> list[Architecture]:
        """Return up to `count` different networks, the one it would choose first."""
        with torch.no_grad():
            weights = [one.tolist() for one in self.context.learned.probabilities()]
        return self.context.derive(self.context.space, weights, count)

    def draw(self, rng: np.random.Generator) -> Architecture:
        """Draw an architecture from what is learned."""
        with torch.no_grad():
            found: Architecture = self.context.learned.draw(rng)
        return found

    def report(self) -> dict[str, Any]:
        """Return what an epoch's event shows, JSON-able: at least `probabilities`, `entropy`."""
        with torch.no_grad():
            found = self.context.learned.probabilities()
            entropies = [float(-torch.xlogy(p, p).sum()) for p in found]
        return {
            "probabilities": [[round(x, 6) for x in one.tolist()] for one in found],
            "entropy": sum(entropies) / len(entropies),
        }

    # -- checkpoints ----------------------------------------------------------------------
    def state(self) -> dict[str, Any]:
        """Return the JSON-able part of what a checkpoint needs."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from `state`."""
        return None

    def saved(self) -> dict[str, Any]:
        """Return `state` with the position in the held-out batches."""
        return {"own": self.state(), "held_out": self.context.held_out.state()}

    def restore(self, saved: dict[str, Any]) -> None:
        """Continue from `saved`."""
        self.load_state(saved["own"])
        self.context.held_out.load_state(saved["held_out"])

    def tensors(self) -> dict[str, Tensor]:
        """Return parameters, buffers and the optimiser's tensors by name."""
        tensors = {f"learned/{name}": t for name, t in self.learned.state_dict().items()}
        if self.optimiser is not None:
            found = optimiser_tensors(self.learned, self.optimiser)
            tensors |= {f"optimiser/{name}": value for name, value in found.items()}
        return tensors

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Put back what `tensors` returned."""
        weights = {k: v for k, v in tensors.items() if k.startswith("learned/")}
        self.learned.load_state_dict({k.partition("/")[2]: v for k, v in weights.items()})
        if self.optimiser is not None:
            rest = {k: v for k, v in tensors.items() if k.startswith("optimiser/")}
            found = {k.partition("/")[2]: v for k, v in rest.items()}
            load_optimiser_tensors(self.learned, self.optimiser, found)


LEARNERS: Registry[Callable[[LearnerContext], Learner]] = Registry("learner", "algorithm")
# From space, recipe settings and a seeded generator to the module that is learned.
LEARNED: Registry[Callable[[Space, BaseModel, torch.Generator], nn.Module]] = Registry(
    "distribution over architectures", "algorithm"
)
