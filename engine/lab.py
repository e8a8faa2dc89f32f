"""Everything a run works with, built from its spec: data, networks, trainers, truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from engine.addons.landmark import LandmarkRegulariser
from engine.addons.plasticity import WeightPlasticity
from engine.compose import recipe_settings, require_runnable, skeleton
from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.core.streams import Streams, derive_seed
from engine.datasets import PreparedData, prepare
from engine.datasets.batches import BatchStream, DeviceImages
from engine.device import choose_device, use_threads
from engine.evaluators.supernet import SuperNetScorer
from engine.evaluators.truth import TableTruth, TrainedTruth, TruthSource
from engine.events import Events
from engine.lab_folders import data_folder
from engine.learning import learning_parts
from engine.networks import Route, SuperNet, build_supernet
from engine.networks.encoding import Encode, SoftOneHot
from engine.recipes import RECIPES, Recipe
from engine.recipes.settings import EncodingSettings
from engine.searchers import SEARCHERS, Searcher
from engine.spaces import get_space
from engine.spec.experiment import ExperimentSpec
from engine.spec.network import NetworkSpec
from engine.tables.bank import Bank
from engine.tables.bank_reading import keep_protocol
from engine.training.forgetting_meter import ForgettingMeter
from engine.training.stand_alone import StandAloneTrainer, protocol_key
from engine.training.supernet_trainer import SuperNetTrainer

PARTS: tuple[Literal["train", "held_out", "test"], ...] = ("train", "held_out", "test")


@dataclass
class Lab:
    """The parts of one run, on one device."""

    spec: ExperimentSpec
    space: Space
    recipe: Recipe
    network: NetworkSpec
    device: torch.device
    data: PreparedData
    parts: dict[str, DeviceImages]
    streams: Streams
    truth: TruthSource
    trainer: SuperNetTrainer
    scorer: SuperNetScorer
    regulariser: LandmarkRegulariser | None

    @classmethod
    def build(cls, spec: ExperimentSpec, events: Events, folder: Path | None = None) -> Lab:
        """Load the data and build all parts.

        Args:
            spec: a valid spec.
            events: for notes on what runs how.
            folder: where bank and downloads live; None: `data_folder()`.

        Raises:
            WorkbenchError: the spec cannot run, or the data cannot be used.
        """
        require_runnable(spec)
        home = folder or data_folder()
        device = choose_device(spec.device)
        data = prepare(spec.data, home / "datasets")
        space = get_space(spec.space, spec.space_settings)
        streams = Streams(spec.seed)
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
        # Nothing here draws from torch's own generator yet, but its state is in checkpoints.
        torch.manual_seed(derive_seed(spec.seed, "torch"))
        seed = derive_seed(spec.seed, "super-net")
        net = build_supernet(space, network, seed)
        net = net.to(device, memory_format=torch.channels_last)
        net.recompute(spec.super_net.recompute)
        landmark = spec.addons.landmark
        regulariser = LandmarkRegulariser(landmark, spec.super_net.epochs) if landmark else None
        recipe = RECIPES[spec.algorithm]
        encode = _encode(recipe, spec, space, device)
        scorer = SuperNetScorer(
            net,
            network.norm,
            parts["held_out"],
            parts["train"],
            spec.super_net.batch_size,
            spec.evaluation.images,
            spec.super_net.precision,
            lambda chunk: events.note(
                f"Memory ran out; architectures are now scored {chunk} at a time.", "warning"
            ),
            encode,
        )
        paths, learner = learning_parts(spec, space, network, scorer, parts, streams)
        trainer = SuperNetTrainer(
            net,
            spec.super_net,
            parts,
            spec.data.augmentation,
            paths,
            regulariser,
            streams,
            learner,
            encode,
            _plasticity(spec, net),
            _meter(spec, parts["held_out"], streams),
        )
        truth = _truth(spec, space, network, data, parts, home)
        return cls(
            spec,
            space,
            recipe,
            network,
            device,
            data,
            parts,
            streams,
            truth,
            trainer,
            scorer,
            regulariser,
        )

    @property
    def stand_alone_network(self) -> NetworkSpec:
        """The skeleton of stand-alone networks; `network` is that of the super-net."""
        return self.spec.stand_alone.skeleton(self.network)

    def searcher(self, name: str) -> Searcher:
        """Build a searcher on super-net accuracy that draws from the `search` stream."""
        landmark = self.spec.addons.landmark
        return SEARCHERS[name](
            self.space,
            self.spec.search,
            self.streams.search,
            self.allowed,
            self.trainer.learner,
            # A round of landmarks may find its best among those it knows, and among the sample.
            0 if landmark is None else landmark.per_round * (landmark.rounds + 1),
        )

    def allowed(self, architecture: Architecture) -> bool:
        """Tell whether an architecture keeps within the user's limits."""
        limits = self.spec.search
        if limits.max_params is None and limits.max_flops is None:
            return True
        cost = self.space.cost(architecture, self.stand_alone_network)
        return not (
            (limits.max_params is not None and cost.params > limits.max_params)
            or (limits.max_flops is not None and cost.flops > limits.max_flops)
        )


def _encode(recipe: Recipe, spec: ExperimentSpec, space: Space, device: torch.device) -> Encode:
    """Return how one architecture runs in the super-net: hard, unless the recipe says soft."""
    settings = recipe_settings(spec)
    if isinstance(settings, EncodingSettings) and settings.encoding == "soft_one_hot":
        return SoftOneHot(space, settings.surplus, device)
    return Route.of


def _plasticity(spec: ExperimentSpec, net: SuperNet) -> WeightPlasticity | None:
    settings = spec.addons.plasticity
    return None if settings is None else WeightPlasticity(settings, net, spec.super_net.epochs)


def _meter(
    spec: ExperimentSpec, held_out: DeviceImages, streams: Streams
) -> ForgettingMeter | None:
    if spec.evaluation.forgetting == 0:
        return None
    batches = BatchStream(held_out, spec.super_net.batch_size, streams.plasticity)
    return ForgettingMeter(batches, spec.evaluation.forgetting)


def _truth(
    spec: ExperimentSpec,
    space: Space,
    network: NetworkSpec,
    data: PreparedData,
    parts: dict[str, DeviceImages],
    home: Path,
) -> TruthSource:
    wanted = spec.evaluation.ground_truth
    if wanted.source == "table":
        assert wanted.table and wanted.column, "compose checks both"
        return TableTruth(space, wanted.table, wanted.column, wanted.landmark_column, home)
    augmentation = spec.data.augmentation
    protocol = protocol_key(data.fingerprint, augmentation, network, spec.stand_alone)
    trainer = StandAloneTrainer(space, network, spec.stand_alone, augmentation, parts, protocol)
    bank = Bank(home / "bank")
    keep_protocol(bank.folder, protocol, _protocol(spec, network, data))
    return TrainedTruth(space, trainer, bank, wanted.part)


def _protocol(spec: ExperimentSpec, network: NetworkSpec, data: PreparedData) -> dict[str, Any]:
    """Return what a protocol's hash stands for, for people who look at the bank."""
    sizes = {
        f"{part}_images": len(getattr(data, f"{part}_labels"))
        for part in ("train", "held_out", "test")
    }
    return {
        "data": {"name": data.name, "classes": len(data.classes), "resolution": data.resolution}
        | sizes
        | {"augmentation": spec.data.augmentation.model_dump(mode="json")},
        "network": spec.stand_alone.skeleton(network).model_dump(mode="json"),
        "training": spec.stand_alone.model_dump(mode="json", exclude={"replicates"}),
    }
