"""What every training of an experiment starts from: device, data on it, space and skeleton."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from engine.compose import skeleton
from engine.core.space import Space
from engine.datasets import PreparedData, prepare
from engine.datasets.batches import DeviceImages
from engine.device import choose_device, use_threads
from engine.evaluators.truth import TrainedTruth
from engine.spaces import get_space
from engine.spec.experiment import ExperimentSpec
from engine.spec.network import NetworkSpec
from engine.tables.bank import Bank
from engine.training.stand_alone import StandAloneTrainer, protocol_key

PARTS: tuple[Literal["train", "held_out", "test"], ...] = ("train", "held_out", "test")


@dataclass(frozen=True)
class Materials:
    """Attributes are those of `Lab`; `network` is the skeleton of the super-net."""

    device: torch.device
    data: PreparedData
    space: Space
    network: NetworkSpec
    parts: dict[str, DeviceImages]

    @classmethod
    def gather(cls, spec: ExperimentSpec, home: Path) -> Materials:
        """Choose the device, load the data onto it, and fit the skeleton to them.

        Args:
            spec: a valid spec.
            home: where downloaded data are.

        Raises:
            WorkbenchError: there is no such device, or the data cannot be used.
        """
        device = choose_device(spec.device)
        data = prepare(spec.data, home / "datasets")
        space = get_space(spec.space, spec.space_settings)
        network = skeleton(spec).model_copy(
            update={
                **space.fixed,
                "classes": len(data.classes),
                "input_channels": data.channels,
                "resolution": data.resolution,
            }
        )
        use_threads(device, network, spec.super_net.batch_size)
        parts = {
            part: DeviceImages.from_prepared(
                data, part, spec.data.augmentation, device, torch.channels_last
            )
            for part in PARTS
        }
        return cls(device, data, space, network, parts)

    def trained_truth(self, spec: ExperimentSpec, home: Path) -> TrainedTruth:
        """Return the ground truth of a protocol by training, with the lab's results bank.

        Args:
            spec: its sections `data`, `stand_alone` and `evaluation` make the protocol.
            home: where the bank is.
        """
        augmentation = spec.data.augmentation
        protocol = protocol_key(
            self.data.fingerprint, augmentation, self.network, spec.stand_alone
        )
        trainer = StandAloneTrainer(
            self.space, self.network, spec.stand_alone, augmentation, self.parts, protocol
        )
        bank, part = Bank(home / "bank"), spec.evaluation.ground_truth.part
        return TrainedTruth(self.space, trainer, bank, part, self._protocol(spec))

    def _protocol(self, spec: ExperimentSpec) -> dict[str, Any]:
        """Return what a protocol's hash stands for, for people who look at the bank."""
        data = self.data
        sizes = {f"{part}_images": len(getattr(data, f"{part}_labels")) for part in PARTS}
        return {
            "data": {
                "name": data.name, "classes": len(data.classes), "resolution": data.resolution,
            }
            | sizes
            | {"augmentation": spec.data.augmentation.model_dump(mode="json")},
            "network": spec.stand_alone.skeleton(self.network).model_dump(mode="json"),
            "training": spec.stand_alone.model_dump(mode="json", exclude={"replicates"}),
        }  # fmt: skip
