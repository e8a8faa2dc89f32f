"""Training one architecture by itself: the ground truth of NAS (001 §5.2.3)."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.core.streams import derive_seed
from engine.datasets.batches import DeviceImages
from engine.networks import Route, SuperNet, build_stand_alone
from engine.spec.data import AugmentationSpec
from engine.spec.errors import TrainingError
from engine.spec.network import NetworkSpec
from engine.spec.training import StandAloneSpec
from engine.tasks import classification
from engine.training.optim import (
    apply_update,
    learning_rate,
    make_optimiser,
    set_learning_rate,
)

# Raise it when the meaning of a stored result changes, so that old rows are not reused.
PROTOCOL_VERSION = 2


@dataclass(frozen=True)
class Trained:
    """Result of one training.

    Attributes:
        held_out: accuracy on the held-out part in percent.
        test: accuracy on the test part in percent.
        loss: cross-entropy on the held-out part.
        seconds: wall-clock time.
    """

    held_out: float
    test: float
    loss: float
    seconds: float


def protocol_key(
    fingerprint: str, augmentation: AugmentationSpec, network: NetworkSpec, spec: StandAloneSpec
) -> str:
    """Hash everything that a stand-alone result depends on, but for architecture and replicate.

    Args:
        fingerprint: of the data.
        augmentation: changes to the training images.
        network: skeleton of the super-net, or of stand-alone networks (see
            `StandAloneSpec.skeleton`).
        spec: protocol.
    """
    # The skeleton has them; options that are off leave the keys of older rows as they are.
    unused = {"replicates", "channels", "cells", "affine"}
    unused |= {name for name in ("auxiliary_weight", "drop_path") if not getattr(spec, name)}
    settings = spec.model_dump(mode="json", exclude=unused)
    skeleton = spec.skeleton(network).model_dump(mode="json")
    for name in ("statistics", "recalibration_batches"):  # of the super-net's evaluation only
        skeleton["norm"].pop(name)
    skeleton.pop("sharing")
    content = {
        "version": PROTOCOL_VERSION,
        "task": "classification",
        "data": fingerprint,
        "augmentation": augmentation.model_dump(mode="json"),
        "network": skeleton,
        "training": settings,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


class StandAloneTrainer:
    """Trains architectures of one protocol.

    A training's seed depends on protocol, network and replicate only, so that runs with other
    seeds share ground truth.

    Args:
        space: the search space.
        network: skeleton of the super-net, see `StandAloneSpec.skeleton`.
        spec: protocol.
        augmentation: changes to the training images.
        parts: the images of `train`, `held_out` and `test` on the device.
        protocol: see `protocol_key`.
    """

    def __init__(
        self,
        space: Space,
        network: NetworkSpec,
        spec: StandAloneSpec,
        augmentation: AugmentationSpec,
        parts: dict[str, DeviceImages],
        protocol: str,
    ) -> None:
        self.space = space
        self.network = spec.skeleton(network)
        self.spec = spec
        self.augmentation = augmentation
        self.parts = parts
        self.protocol = protocol

    def train(
        self,
        architecture: Architecture,
        canonical: str,
        replicate: int,
        poll: Callable[[], None] = lambda: None,
    ) -> tuple[SuperNet, Trained]:
        """Train from scratch and evaluate.

        Args:
            architecture: what to train.
            canonical: its canonical form, part of the seed.
            replicate: 0, 1, ... for other initialisations.
            poll: called after every step; may raise to stop.

        Raises:
            TrainingError: the loss is not finite.
        """
        started = time.perf_counter()
        seed = derive_seed(self.protocol, canonical, replicate)
        auxiliary = self.spec.auxiliary_weight > 0
        net = build_stand_alone(architecture, self.network, seed, self.space, auxiliary)
        images = self.parts["train"]
        net = net.to(images.device, memory_format=torch.channels_last)
        if net.drop_path is not None:  # masks of its own, whatever else is drawn
            masks = torch.Generator(images.device)
            net.drop_path.generator = masks.manual_seed(derive_seed(seed, "drop-path"))
        self._fit(net, Route.of(architecture), np.random.Generator(np.random.PCG64(seed)), poll)
        net.discard_auxiliary(Route.of(architecture))
        held_out, loss = self._evaluate(net, Route.of(architecture), self.parts["held_out"])
        test, _ = self._evaluate(net, Route.of(architecture), self.parts["test"])
        _require_finite(loss)
        return net, Trained(held_out, test, loss, time.perf_counter() - started)

    def _fit(
        self,
        net: SuperNet,
        route: Route,
        rng: np.random.Generator,
        poll: Callable[[], None],
    ) -> None:
        images, spec = self.parts["train"], self.spec
        optimiser = make_optimiser(net.parameters(), spec.optimiser)
        steps = images.batches_per_epoch(spec.batch_size)
        total, done = steps * spec.epochs, 0
        net.train()
        for epoch in range(spec.epochs):
            if net.drop_path is not None:
                net.drop_path.probability = spec.drop_path * epoch / spec.epochs
            last: Any = None
            for x, y in images.epoch(spec.batch_size, rng, self.augmentation):
                set_learning_rate(optimiser, learning_rate(spec.optimiser, done / total))
                optimiser.zero_grad(set_to_none=True)
                with net.policy.tracking():
                    last = self._loss(net, x, y, route)
                last.backward()
                apply_update(optimiser, spec.optimiser.gradient_clip, "frozen")
                done += 1
                poll()
            _require_finite(last.item())

    def _loss(self, net: SuperNet, x: Tensor, y: Tensor, route: Route) -> Tensor:
        if not self.spec.auxiliary_weight:
            return classification.loss(net(x, route), y)
        logits, auxiliary = net.forward_with_auxiliary(x, route)
        extra = classification.loss(auxiliary, y)
        return classification.loss(logits, y) + self.spec.auxiliary_weight * extra

    def _evaluate(self, net: SuperNet, route: Route, images: DeviceImages) -> tuple[float, float]:
        """Return (accuracy in percent, mean loss) with moving averages."""
        net.eval()
        right = torch.zeros((), device=images.device)
        loss = torch.zeros((), device=images.device)
        with net.probing():
            for x, y in images.batches(1024):
                logits = net(x, route)
                right += classification.correct(logits, y)
                loss += classification.loss(logits, y) * len(y)
        count = len(images)
        return 100.0 * right.item() / count, loss.item() / count


def _require_finite(loss: float) -> None:
    if not math.isfinite(loss):
        raise TrainingError(
            "The loss of a stand-alone training is not finite; lower "
            "`stand_alone.optimiser.learning_rate` or set its `gradient_clip`."
        )


def pack_weights(net: SuperNet) -> bytes:
    """Return weights and buffers as safetensors."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in net.state_dict().items()}
    return save(tensors)
