"""What a realistic landmark-regularised search tells, without training anything.

Numbers follow simple laws: sub-net scores correlate with the truth more and more, the loss falls,
the landmark weight rises. The same spec always gives the same events apart from times.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from played_search import Learning, Population
from scipy.stats import kendalltau, spearmanr

from engine.core.architecture import Architecture
from engine.recipes import RECIPES
from engine.spaces import get_space
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import build

Action = tuple[str, dict[str, Any]]
TRUTH_TITLE = "Training the correlation sample stand-alone"
SEARCH_TITLE = "Searching by super-net accuracy: evolution"
WORTH = {
    "none": -1.0,
    "skip_connect": 0.8,
    "nor_conv_1x1": 1.2,
    "nor_conv_3x3": 2.0,
    "avg_pool_3x3": 0.1,
}


def small_spec(**changes: Any) -> ExperimentSpec:
    """Return a spec of the size of the laptop example."""
    value: dict[str, Any] = {
        "name": "Landmark-regularised SPOS on digits",
        "tags": ["demo"],
        "network": {"channels": 8, "cells": 1, "input_channels": 1, "resolution": 8},
        "addons": {"landmark": {"rounds": 2, "weight": 1.0}},
        "super_net": {"epochs": 120, "batch_size": 64},
        "evaluation": {"sample": 60, "every": 5},
        "search": {"population": 20, "generations": 8},
    }
    return build(value | changes)


class Script:
    """The actions of one run, in order; every number comes from the seed."""

    def __init__(self, spec: ExperimentSpec) -> None:
        self.spec = spec
        self.space = get_space(spec.space, spec.space_settings)
        self.rng = np.random.default_rng(spec.seed)
        self.sample = self._draw(spec.evaluation.sample)
        landmark = spec.addons.landmark
        self.rounds = landmark.rounds if landmark else 1
        count = landmark.per_round * landmark.rounds if landmark else 0
        self.landmarks = self._draw(count)
        recipe = RECIPES[spec.algorithm]
        self.searchers = (recipe.searcher, *recipe.baselines)
        self.learning = None if recipe.learner is None else Learning(spec, self.space)
        self.truth = {a: self._truth(a) for a in [*self.sample, *self.landmarks]}

    def _draw(self, count: int) -> list[Architecture]:
        return [self.space.sample(self.rng) for _ in range(count)]

    def _truth(self, architecture: Architecture) -> float:
        worths = [WORTH.get(op, 0.0) for op in self.space.decode(architecture).values()]
        worth = 6 * sum(worths) / len(worths)  # as many as the edges of NAS-Bench-201
        return round(float(np.clip(62 + 2.6 * worth + self.rng.normal(0, 2), 10, 97)), 2)

    def entry(self, architecture: Architecture) -> dict[str, Any]:
        cost = self.space.cost(architecture, self.spec.network)
        return self._named(architecture) | {"params": cost.params, "flops": cost.flops}

    def _named(self, architecture: Architecture) -> dict[str, Any]:
        return {"text": self.space.to_text(architecture), "indices": list(architecture.indices)}

    def actions(self) -> Iterator[Action]:
        """Yield (`progress` or an event type, fields)."""
        spec = self.spec
        yield (
            "run_started",
            {
                "name": spec.name,
                "seed": spec.seed,
                "device": "cpu",
                "task": spec.task,
                "space": spec.space,
                "algorithm": spec.algorithm,
                "addons": ["landmark"] if spec.addons.landmark else [],
                "data": {
                    "name": spec.data.name,
                    "source": "scikit-learn",
                    "classes": [*"0123456789"],
                },
                "network": spec.network.model_dump(),
                "size": self.space.size,
            },
        )
        yield "note", {"level": "info", "message": "Kernels: reference (no GPU on this machine)."}
        yield "sample", {"architectures": [self.entry(a) for a in self.sample]}
        yield from self._stage("ground_truth", TRUTH_TITLE, None, self._truths())
        yield from self._train()
        yield from self._stage("search", SEARCH_TITLE, None, self._search())
        yield from self._found()

    def _stage(
        self, name: str, title: str, round_: int | None, inside: Iterator[Action]
    ) -> Iterator[Action]:
        fields = {"stage": name, "title": title, "round": round_}
        yield "stage", fields | {"state": "started"}
        yield from inside
        yield "stage", fields | {"state": "finished", "measured": {"seconds": 1.5}}

    def _truths(self) -> Iterator[Action]:
        for purpose, group in (("sample", self.sample), ("landmark", self.landmarks[:10])):
            for position, architecture in enumerate(group):
                value = self.truth[architecture]
                yield (
                    "ground_truth",
                    self._named(architecture)
                    | {
                        "purpose": purpose,
                        "value": value,
                        "held_out": value,
                        "test": value,
                        "position": position + 1,
                        "total": len(group),
                        "measured": {"origin": "trained", "seconds": 0.2},
                    },
                )
            yield self._progress(
                "ground_truth",
                TRUTH_TITLE,
                None,
                60,
                60,
                "architectures",
                0.1,
                "architectures/s",
                4.0,
            )

    def _progress(
        self,
        stage: str,
        title: str,
        round_: int | None,
        done: int,
        total: int,
        unit: str,
        fraction: float,
        speed_unit: str,
        speed: float,
    ) -> Action:
        return "progress", {
            "stage": stage,
            "title": title,
            "round": round_,
            "done": done,
            "total": total,
            "unit": unit,
            "fraction": fraction,
            "eta_seconds": round(180 * (1 - fraction), 1),
            "speed": speed,
            "speed_unit": speed_unit,
        }

    def _train(self) -> Iterator[Action]:
        epochs = self.spec.super_net.epochs
        share = math.ceil(epochs / self.rounds)
        for round_ in range(1, self.rounds + 1):
            yield from self._landmarks(round_)
            part = range((round_ - 1) * share + 1, min(round_ * share, epochs) + 1)
            title = "Training the super-net"
            inside = (action for epoch in part for action in self._epoch(epoch, round_, title))
            yield from self._stage("training", title, round_, inside)

    def _count(self, round_: int) -> int:
        landmark = self.spec.addons.landmark
        return landmark.per_round * round_ if landmark else 0

    def _landmarks(self, round_: int) -> Iterator[Action]:
        landmark = self.spec.addons.landmark
        if landmark is None:
            return
        count = landmark.per_round
        new = self.landmarks[count * (round_ - 1) : count * round_]
        listed = [self.entry(a) | {"value": self.truth[a]} for a in new]
        yield "landmarks", {"round": round_, "architectures": listed}

    def _epoch(self, epoch: int, round_: int, title: str) -> Iterator[Action]:
        epochs, landmark = self.spec.super_net.epochs, self.spec.addons.landmark
        done = epoch / epochs
        weight = 0.5 * landmark.weight * (1 - math.cos(math.pi * done)) if landmark else None
        yield (
            "epoch",
            {
                "epoch": epoch,
                "epochs": epochs,
                "round": round_,
                "loss": 0.4 + 1.9 * math.exp(-4 * done) + self.rng.normal(0, 0.02),
                "accuracy": 88 - 60 * math.exp(-4 * done) + self.rng.normal(0, 0.4),
                "landmark_loss": 0.3 * math.exp(-2 * done) if landmark else None,
                "landmark_weight": weight,
                "learning_rate": 0.0125 * (1 + math.cos(math.pi * done)),
                "measured": {
                    "seconds": 0.05,
                    "images_per_second": 6000 + self.rng.normal(0, 300),
                    "memory_mb": 410.0,
                },
            },
        )
        yield self._progress(
            "training",
            title,
            round_,
            epoch,
            epochs,
            "epochs",
            0.1 + 0.75 * done,
            "images/s",
            6000.0,
        )
        if self.learning is not None:
            yield "learner", self.learning.report(epoch)
        if epoch % self.spec.evaluation.every == 0 or epoch == epochs:
            yield self._ranking(epoch, done, round_)
        if epoch % self.spec.super_net.checkpoint_every == 0:
            yield "checkpoint", {"epoch": epoch}

    def _ranking(self, epoch: int, done: float, round_: int) -> Action:
        truth = np.array([self.truth[a] for a in self.sample])
        noise = self.rng.normal(0, 10 * (1.15 - done), len(truth))
        scores = np.round(np.clip(0.8 * truth + noise - 12 * (1 - done), 5, 99), 2)
        tau = float(kendalltau(truth, scores)[0])
        metrics = {
            "kendall_tau": tau,
            "sparse_kendall_tau": float(kendalltau(truth.round(1), scores)[0]),
            "spearman": float(spearmanr(truth, scores)[0]),
            "sparse_spearman": float(spearmanr(truth.round(1), scores)[0]),
            "super_net_accuracy": float(scores.mean()),
            "final_accuracy": float(truth.max()),
            "sample_size": float(len(truth)),
            "best_rank": None,
            "surpass_random": None,
        }
        known = self.landmarks[: self._count(round_)]
        marked = [round(0.8 * self.truth[a] - 12 * (1 - done), 2) for a in known]
        self.last_scores, self.last_metrics = scores.tolist(), metrics
        return "ranking", {
            "epoch": epoch,
            "metrics": metrics,
            "scores": scores.tolist(),
            "truth": truth.tolist(),
            "landmark_scores": marked,
        }

    def _search(self) -> Iterator[Action]:
        for searcher in self.searchers:
            for fields in Population(self.spec, self.space, searcher).generations():
                yield "generation", fields
                yield self._progress(
                    "search",
                    SEARCH_TITLE,
                    None,
                    fields["generation"],
                    fields["generations"],
                    "generations",
                    0.9,
                    "",
                    0.0,
                )

    def _found(self) -> Iterator[Action]:
        order = sorted(self.sample, key=lambda a: -self.truth[a])
        self.found = order[: self.spec.search.keep]
        for rank, architecture in enumerate(self.found, start=1):
            yield (
                "architecture",
                self.entry(architecture)
                | {
                    "rank": rank,
                    "super_net_accuracy": 86.0 - rank,
                    "stand_alone_accuracy": self.truth[architecture],
                    "searcher": self.searchers[0],
                },
            )
