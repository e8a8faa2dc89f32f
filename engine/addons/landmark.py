"""Landmark regularisation: keep the known ranking of a few architectures (002 §4; 000 §7.3)."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.networks.encoding import Encode, forward_each
from engine.networks.route import Route
from engine.networks.supernet import SuperNet
from engine.spec.addons import LandmarkSpec, LossForm
from engine.spec.errors import SpecError
from engine.tasks import classification

RAMP_EPOCHS = 10
SOFTPLUS_K = 3.0


@dataclass(frozen=True)
class Landmark:
    """An architecture whose stand-alone accuracy is known.

    Attributes:
        architecture: which one.
        value: its stand-alone accuracy on the held-out part, by which landmarks are ranked.
        truth: its ground truth as that of the correlation sample, for plots beside it.
        round: the round in which it joined, from 1.
    """

    architecture: Architecture
    value: float
    truth: float
    round: int

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form."""
        return {
            "architecture": self.architecture.to_json(),
            "value": self.value,
            "truth": self.truth,
            "round": self.round,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Landmark:
        """Read what `to_json` wrote."""
        architecture = Architecture.from_json(value["architecture"])
        return cls(architecture, value["value"], value["truth"], value["round"])


def choose_diverse(
    space: Space,
    count: int,
    min_distance: int,
    rng: np.random.Generator,
    exclude: Collection[str] = (),
) -> list[Architecture]:
    """Draw landmarks as in Algorithm 1: a random root and mutations further than `min_distance`.

    The root is the first landmark ("we then generate M-1 diverse architectures by mutating the
    root", 002 §4). No network appears twice (canonical forms count).

    Args:
        space: the search space.
        count: landmarks wanted, M.
        min_distance: threshold tau; distances to the root are larger.
        rng: source of randomness.
        exclude: canonical forms that must not become landmarks, such as the correlation sample.

    Raises:
        SpecError: so many cannot be found that far from the root.
    """
    root = next((a for a in _draws(space, rng) if space.canonical(a) not in exclude), None)
    found, seen = [root] if root else [], {*exclude, space.canonical(root) if root else ""}
    largest = sum(len(choice.options) > 1 for choice in space.choices)
    for _ in range(2_000 * count if root else 0):
        if len(found) == count:
            return found
        changes = int(rng.integers(min_distance + 1, largest + 1))
        candidate = space.mutate(root, rng, changes)
        key = space.canonical(candidate)
        if key not in seen:
            seen.add(key)
            found.append(candidate)
    raise SpecError(
        "addons.landmark.per_round",
        f"only {len(found)} different networks further than {min_distance} choices from the first "
        f"landmark were found, {count} are wanted; lower `min_distance` or `per_round`.",
    )


def _draws(space: Space, rng: np.random.Generator) -> Iterator[Architecture]:
    for _ in range(10_000):
        yield space.sample(rng)


def weight_at(spec: LandmarkSpec, epoch: int, epochs: int) -> float:
    """Return lambda of an epoch (1 to `epochs`).

    `cos_up` rises from 0 at the end of the warm-up to the full weight in the last epoch: the
    schedule that the text and Table 5 of 002 call best. `cos_down` is eq. 7 as it is printed,
    which falls although the text says it rises. The constant and falling schedules first rise
    linearly over 10 epochs (002 §5.4). The steps are thirds of the remaining epochs; the paper
    shows them only in a picture.
    """
    warm_up = round(spec.warm_up * epochs, 6)  # 0.29 * 100 is 28.999999999999996
    if epoch <= warm_up:
        return 0.0
    share = (epoch - warm_up) / (epochs - warm_up)
    if spec.schedule == "cos_up":
        return spec.weight * 0.5 * (1 - math.cos(math.pi * share))
    if spec.schedule == "step_up":
        return spec.weight * math.ceil(3 * share) / 3
    ramp = min(1.0, (epoch - warm_up) / min(RAMP_EPOCHS, epochs - warm_up))
    if spec.schedule == "const":
        return spec.weight * ramp
    if spec.schedule == "cos_down":
        angle = math.pi * (epoch - warm_up) / epochs
        return spec.weight * ramp * 0.5 * (1 + math.cos(angle))
    return spec.weight * ramp * (4 - math.ceil(3 * share)) / 3


def penalty(form: LossForm, better: Tensor, worse: Tensor) -> Tensor:
    """Sum f(L_i - L_j) over pairs (002 eq. 6; forms of 000 §7.4.4, Table 7.8).

    Args:
        form: `relu` max(0, d); `softplus` ln(1 + exp(3 d)) / 3; `relu_norm` as relu after
            dividing by the largest loss present, so that losses lie in [0, 1]; `sign`
            max(0, sign(d)), whose gradient is zero as printed; `tanh` max(0, tanh(d)).
        better: shape (m,), super-net losses of the landmarks that rank higher.
        worse: shape (m,), those of their partners.

    Returns:
        A scalar.
    """
    difference = better - worse
    match form:
        case "relu":
            values = torch.relu(difference)
        case "softplus":
            values = torch.nn.functional.softplus(difference, beta=SOFTPLUS_K)
        case "relu_norm":
            largest = torch.maximum(better.max(), worse.max()).detach()
            values = torch.relu(difference / largest.clamp_min(1e-12))
        case "sign":
            values = torch.relu(torch.sign(difference))
        case "tanh":
            values = torch.relu(torch.tanh(difference))
    return values.sum()


class LandmarkRegulariser:
    """Holds the landmarks and computes the term of a step.

    Args:
        spec: settings.
        epochs: epochs of the whole training, for the schedule.
    """

    def __init__(self, spec: LandmarkSpec, epochs: int) -> None:
        self.spec = spec
        self.epochs = epochs
        self.landmarks: list[Landmark] = []

    def add(self, landmarks: Sequence[Landmark]) -> None:
        """Add landmarks; they are kept best first."""
        self.landmarks = sorted([*self.landmarks, *landmarks], key=lambda one: -one.value)

    def weight(self, epoch: int) -> float:
        """Return lambda of an epoch, 0 while no pair has an order."""
        return weight_at(self.spec, epoch, self.epochs) if self._ordered() else 0.0

    def _ordered(self) -> bool:
        values = {landmark.value for landmark in self.landmarks}
        return len(values) > 1

    def pairs(self, rng: np.random.Generator) -> list[tuple[int, int]]:
        """Draw m pairs (better, worse), uniform over pairs of different accuracy."""
        chosen: list[tuple[int, int]] = []
        count = len(self.landmarks)
        while len(chosen) < self.spec.pairs:
            first, second = sorted(int(i) for i in rng.choice(count, size=2, replace=False))
            if self.landmarks[first].value > self.landmarks[second].value:
                chosen.append((first, second))
        return chosen

    def term(
        self,
        net: SuperNet,
        images: Tensor,
        labels: Tensor,
        rng: np.random.Generator,
        losses: Callable[[Tensor, Tensor], Tensor] = classification.losses,
        encode: Encode = Route.of,
    ) -> Tensor:
        """Return the sum of penalties of m pairs on one held-out batch, with gradient.

        Args:
            net: the super-net; its buffers are left alone.
            images: shape (B, C, H, W).
            labels: shape (B,).
            rng: source of the pairs.
            losses: per-route losses (R,) of logits (R, B, classes).
            encode: how an architecture runs in the super-net.
        """
        pairs = self.pairs(rng)
        used = sorted({index for pair in pairs for index in pair})
        place = {index: position for position, index in enumerate(used)}
        routes = [encode(self.landmarks[index].architecture) for index in used]
        each = losses(forward_each(net, images, routes), labels)
        better = each[[place[first] for first, _ in pairs]]
        worse = each[[place[second] for _, second in pairs]]
        return penalty(self.spec.loss, better, worse)
