"""Everything a run works with, built from its spec: data, networks, trainers, truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from engine.addons.landmark import LandmarkRegulariser
from engine.addons.plasticity import WeightPlasticity
from engine.compose import recipe_settings, require_runnable
from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.core.streams import Streams, derive_seed
from engine.datasets import PreparedData
from engine.datasets.batches import BatchStream, DeviceImages
from engine.evaluators.supernet import SuperNetScorer
from engine.evaluators.truth import TableTruth, TruthSource
from engine.events import Events
from engine.lab_folders import data_folder
from engine.learning import learning_parts
from engine.materials import Materials
from engine.networks import Route, SuperNet, build_supernet
from engine.networks.encoding import Encode, SoftOneHot
from engine.recipes import RECIPES, Recipe
from engine.recipes.settings import EncodingSettings
from engine.searchers import SEARCHERS, Searcher
from engine.spec.experiment import ExperimentSpec
from engine.spec.network import NetworkSpec
from engine.training.forgetting_meter import ForgettingMeter
from engine.training.supernet_trainer import SuperNetTrainer


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
        gathered = Materials.gather(spec, home)
        device, data, space = gathered.device, gathered.data, gathered.space
        network, parts = gathered.network, gathered.parts
        streams = Streams(spec.seed)
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
        truth = _truth(spec, gathered, home)
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


def _truth(spec: ExperimentSpec, gathered: Materials, home: Path) -> TruthSource:
    wanted = spec.evaluation.ground_truth
    if wanted.source == "table":
        assert wanted.table and wanted.column, "compose checks both"
        return TableTruth(
            gathered.space, wanted.table, wanted.column, wanted.landmark_column, home
        )
    return gathered.trained_truth(spec, home)
