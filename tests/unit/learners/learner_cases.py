"""Small super-nets and learners for these tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from engine.core.space import Space
from engine.datasets.batches import BatchStream, DeviceImages
from engine.derive import DERIVERS
from engine.learners import LEARNED, LEARNERS, Learner, LearnerContext, Step
from engine.networks import SuperNet, build_supernet
from engine.paths import PATHS, PathContext
from engine.recipes import RECIPES
from engine.spaces import SPACES, get_space
from engine.spec.network import NetworkSpec

NETWORK = NetworkSpec(channels=2, cells=1, classes=3, input_channels=1, resolution=8)
EPOCHS, STEPS = 4, 3
# Settings of recipes whose defaults do much work at once, nothing with the first draw, or need
# more channels.
QUICK: dict[str, dict[str, Any]] = {
    "enas": {"policy_steps": 2},
    "reinforce_shared": {"policy_steps": 2},
    "tunas": {"policy_samples": 5},
    "pc_darts": {"partial_channels": 2},
    "nao": {"pool": 10, "seeds": 4, "new": 3, "new_random": 1, "coder_epochs": 3}
    | {"coder_width": 8},
}


def home(recipe: str) -> str:
    """Return a space that the recipe fits."""
    needs = RECIPES[recipe].requires
    fitting = [name for name, space in SPACES.items() if needs <= space.provides]
    return "nb201" if "nb201" in fitting else fitting[0]


def images(count: int = 8, seed: int = 0) -> DeviceImages:
    """Return random pictures of three classes."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (count, 8, 8, 1)).astype(np.uint8)
    return DeviceImages(pixels, rng.integers(0, 3, count), "cpu", (0.5,), (0.3,))


def learner(
    recipe: str,
    space: str | Space = "nb201",
    settings: dict[str, Any] | None = None,
    net: SuperNet | None = None,
    score: Any = None,
    seed: int = 0,
) -> Learner:
    """Return the learner of a recipe beside a fresh super-net."""
    found, row = get_space(space) if isinstance(space, str) else space, RECIPES[recipe]
    assert row.learned is not None and row.learner is not None
    given = row.settings.model_validate(settings or {})
    learned = LEARNED[row.learned](found, given, torch.Generator().manual_seed(seed))
    context = PathContext(found, given, learned)
    return LEARNERS[row.learner](
        LearnerContext(
            space=found,
            net=net or build_supernet(found, NETWORK, seed),
            settings=given,
            learned=learned,
            paths=PATHS[row.learner_paths or row.paths](context),
            held_out=BatchStream(images(), 4, np.random.default_rng(seed)),
            rng=np.random.default_rng(seed + 1),
            score=score or (lambda chosen: [float(sum(one.indices)) for one in chosen]),
            cost=lambda one: found.cost(one, NETWORK),
            derive=DERIVERS[row.derive],
            arithmetic="float32",
            epochs=EPOCHS,
            steps=STEPS,
        )
    )


def step(net: SuperNet, share: float = 0.5, rate: float = 0.1) -> Step:
    """Return an update that is about to happen."""
    optimiser = torch.optim.SGD(net.parameters(), lr=rate, momentum=0.9, weight_decay=1e-3)
    x, y = next(iter(images(6, seed=5).batches(6)))
    return Step(x, y, optimiser, share)


def alphas(made: Learner) -> torch.Tensor:
    """Return all learned parameters in one vector, copied."""
    return torch.cat([p.detach().flatten().clone() for p in made.learned.parameters()])
