"""Training the shared weights, step by step, resumable after any step."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.addons.landmark import LandmarkRegulariser
from engine.addons.plasticity import WeightPlasticity
from engine.core.streams import Streams
from engine.datasets.batches import BatchStream, DeviceImages
from engine.device import precision
from engine.learners.registry import Learner, Step
from engine.networks.encoding import Encode
from engine.networks.route import Route
from engine.networks.supernet import SuperNet
from engine.networks.touched import forget_touched
from engine.paths.registry import PathPolicy
from engine.spec.data import AugmentationSpec
from engine.spec.errors import TrainingError
from engine.spec.training import SuperNetSpec
from engine.tasks import classification
from engine.training.checkpoint import pack, unpack
from engine.training.forgetting_meter import ForgettingMeter
from engine.training.optim import (
    apply_update,
    learning_rate,
    make_optimiser,
    set_learning_rate,
)


@dataclass(frozen=True)
class EpochReport:
    """Means over one epoch.

    Attributes:
        loss: cross-entropy of the sampled paths.
        accuracy: their training accuracy in percent.
        landmark_loss: mean of the landmark term before its weight; None while it is off.
        landmark_weight: lambda of this epoch.
        learning_rate: at the end of the epoch.
        seconds: wall-clock time of the part done by this process.
        images: training images seen in that time.
        forgetting: how much architectures of this epoch lost by its end; None: not measured.
    """

    loss: float
    accuracy: float
    landmark_loss: float | None
    landmark_weight: float
    learning_rate: float
    seconds: float
    images: int
    forgetting: dict[str, float | None] | None = None


class SuperNetTrainer:
    """Owns the optimiser and the position in the data; knows no stage and no file.

    Args:
        net: the super-net on its device.
        spec: protocol.
        parts: `train` and `held_out` images on the device.
        augmentation: changes to training images.
        paths: which routes an update runs.
        regulariser: landmark term, or None.
        streams: random streams of the run.
        learner: what learns architectures, or None.
        encode: how a landmark runs in the super-net.
        plasticity: weight plasticity, or None.
        forgetting_meter: measures forgetting, or None.
    """

    def __init__(
        self,
        net: SuperNet,
        spec: SuperNetSpec,
        parts: dict[str, DeviceImages],
        augmentation: AugmentationSpec,
        paths: PathPolicy,
        regulariser: LandmarkRegulariser | None,
        streams: Streams,
        learner: Learner | None = None,
        encode: Encode = Route.of,
        plasticity: WeightPlasticity | None = None,
        forgetting_meter: ForgettingMeter | None = None,
    ) -> None:
        self.net = net
        self.spec = spec
        self.images = parts["train"]
        self.device = self.images.device
        self.augmentation = augmentation
        self.paths = paths
        self.regulariser = regulariser
        self.streams = streams
        self.learner = learner
        self.encode = encode
        self.plasticity = plasticity
        self.forgetting_meter = forgetting_meter
        self.optimiser = make_optimiser(net.parameters(), spec.optimiser)
        self.steps = self.images.batches_per_epoch(spec.batch_size)
        self.held_out = BatchStream(parts["held_out"], spec.batch_size, streams.held_out)
        self.epoch = 0
        self.step = 0
        self._order: dict[str, Any] | None = None
        self._sums = torch.zeros(4, dtype=torch.float64)

    def run_epoch(self, after_step: Callable[[], None]) -> EpochReport:
        """Train one epoch, or the rest of an interrupted one.

        Args:
            after_step: called after each update but the last, when `state` describes a point to
                resume from; may raise to stop.

        Raises:
            TrainingError: the loss is not finite.
        """
        started, first = time.perf_counter(), self.step
        epoch = self.epoch + 1
        weight = self.regulariser.weight(epoch) if self.regulariser else 0.0
        if self._order is None:
            self._order = self.streams.data.bit_generator.state
        else:
            self.streams.data.bit_generator.state = self._order
        if self.plasticity is not None and self.step == 0:
            self.plasticity.begin_epoch(epoch)
        self.net.train()
        sums = self._sums.to(self.device, torch.float32)
        batches = self.images.epoch(
            self.spec.batch_size, self.streams.data, self.augmentation, first=self.step
        )
        for x, y in batches:
            sums += self._update(x, y, weight)
            self.step += 1
            self._sums = sums
            if self.step < self.steps:
                after_step()
        if self.learner is not None:
            self.learner.end_epoch(epoch)
        forgotten = (
            None if self.forgetting_meter is None else self.forgetting_meter.end_epoch(self.net)
        )
        report = self._report(sums, weight, time.perf_counter() - started, first, forgotten)
        self.epoch, self.step, self._order = epoch, 0, None
        self._sums = torch.zeros(4, dtype=torch.float64)
        return report

    def _update(self, x: Tensor, y: Tensor, weight: float) -> Tensor:
        """Do one update; return (loss sum, right answers, landmark term, images) on the device."""
        share = (self.epoch * self.steps + self.step) / (self.spec.epochs * self.steps)
        set_learning_rate(self.optimiser, learning_rate(self.spec.optimiser, share))
        if self.learner is not None:
            self.learner.step(Step(x, y, self.optimiser, share))
            forget_touched(self.net.parameters())
        self.optimiser.zero_grad(set_to_none=True)
        with torch.no_grad():  # architecture parameters are the learner's business
            routes = self.paths.routes(self.streams.paths, share)
        loss, right = torch.zeros((), device=self.device), torch.zeros((), device=self.device)
        for route in routes:
            with precision(self.spec.precision, self.device), self.net.policy.tracking():
                logits = self.net(x, route)
            value = classification.loss(logits, y)
            # Averaged, not added: the learning rate means the same for any number of paths.
            (value / len(routes)).backward()
            loss = loss + value.detach()
            right = right + classification.correct(logits.detach(), y)
        if self.plasticity is not None:
            self.plasticity.observe()
        term = torch.zeros((), device=self.device)
        if self.regulariser is not None and weight > 0:
            xh, yh = self.held_out.next()
            with precision(self.spec.precision, self.device):
                term = self.regulariser.term(
                    self.net, xh, yh, self.streams.landmarks, encode=self.encode
                )
            (weight * term).backward()
            term = term.detach()
        self._apply()
        if self.forgetting_meter is not None:
            self.forgetting_meter.after_update(self.net, routes[-1], self.step, self.steps)
        count, paths = len(y), len(routes)
        return torch.stack([loss * count / paths, right / paths, term, loss.new_tensor(count)])

    def _apply(self) -> None:
        """Clip once, step once, and let weight plasticity shorten the step."""
        plasticity = self.plasticity
        if plasticity is not None:
            plasticity.before_update()
        apply_update(self.optimiser, self.spec.optimiser.gradient_clip, self.spec.unsampled)
        if plasticity is not None:
            plasticity.after_update(self.epoch + 1, self.optimiser.param_groups[0]["lr"])

    @property
    def steps_done(self) -> int:
        """Updates so far."""
        return self.epoch * self.steps + self.step

    @property
    def images_done(self) -> int:
        """Training images of these updates."""
        return self.steps_done * min(self.spec.batch_size, len(self.images))

    def _require_finite(self, sums: Tensor) -> None:
        if not torch.isfinite(sums).all():
            raise TrainingError(
                f"The loss of the super-net is not finite in epoch {self.epoch + 1}. Lower "
                "`super_net.optimiser.learning_rate` or the weight of the landmarks, or set "
                "`gradient_clip`; the last checkpoint is kept."
            )

    def _report(
        self,
        sums: Tensor,
        weight: float,
        seconds: float,
        first: int,
        forgotten: dict[str, float | None] | None,
    ) -> EpochReport:
        self._require_finite(sums)
        loss, right, term, count = sums.double().tolist()
        return EpochReport(
            loss=loss / count,
            accuracy=100 * right / count,
            landmark_loss=term / self.steps if weight > 0 else None,
            landmark_weight=weight,
            learning_rate=self.optimiser.param_groups[0]["lr"],
            seconds=seconds,
            images=int(count * (self.steps - first) / self.steps),
            forgetting=forgotten,
        )

    @property
    def finished(self) -> bool:
        """Whether no epoch is left, or the learner has seen enough."""
        return self.epoch >= self.spec.epochs or self.stop_reason is not None

    @property
    def stop_reason(self) -> str | None:
        """Why the learner wants to end before the last epoch."""
        return None if self.learner is None else self.learner.stop_reason()

    def tensors(self) -> dict[str, Tensor]:
        """Return every tensor that a checkpoint needs, see `load_tensors`."""
        tensors = pack(self.net, self.optimiser)
        if self.learner is not None:
            tensors |= {f"learner/{k}": v for k, v in self.learner.tensors().items()}
        if self.plasticity is not None:
            tensors |= {f"plasticity/{k}": v for k, v in self.plasticity.tensors().items()}
        return tensors

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Put back what `tensors` returned.

        Raises:
            RunError: the weights do not fit the network.
        """
        unpack(tensors, self.net, self.optimiser)
        if self.learner is not None:
            self.learner.load_tensors(_under("learner/", tensors))
        if self.plasticity is not None:
            self.plasticity.load_tensors(_under("plasticity/", tensors))

    def state(self) -> dict[str, Any]:
        """Return the JSON-able position; tensors are the checkpoint's business.

        Raises:
            TrainingError: the loss is not finite, so that this is no point to go on from.
        """
        self._require_finite(self._sums)
        return {
            "epoch": self.epoch,
            "step": self.step,
            "order": self._order,
            "sums": self._sums.double().tolist(),
            "held_out": self.held_out.state(),
            "learner": None if self.learner is None else self.learner.saved(),
            "forgetting": None if self.forgetting_meter is None else self.forgetting_meter.state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue exactly where `state` was taken."""
        self.epoch, self.step, self._order = state["epoch"], state["step"], state["order"]
        self._sums = torch.tensor(state["sums"], dtype=torch.float64)
        self.held_out.load_state(state["held_out"])
        if self.learner is not None:
            self.learner.restore(state["learner"])
        if self.forgetting_meter is not None:
            self.forgetting_meter.load_state(state["forgetting"])


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
