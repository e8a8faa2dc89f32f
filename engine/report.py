"""What a finished run leaves: ranking, landmarks, result, and a folder per architecture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.core.architecture import Architecture
from engine.evaluators.truth import TableTruth, Truth
from engine.events import Events
from engine.export import FoundArchitecture, write_architecture_folder
from engine.export.tables import write_landmarks, write_ranking
from engine.lab import Lab
from engine.latency import how_measured, measure_latency
from engine.memory import Memory
from engine.metrics import best_rank, ranking_correlations, surpass_random
from engine.runs import RunFolder, write_json
from engine.searchers import Searcher

TOP = 3


class Report:
    """Writes the lasting results into the run folder.

    Args:
        folder: the run.
        lab: its parts.
        memory: what it learned.
        events: for the found architectures.
    """

    def __init__(self, folder: RunFolder, lab: Lab, memory: Memory, events: Events) -> None:
        self.folder = folder
        self.lab = lab
        self.memory = memory
        self.events = events

    def write(
        self,
        searchers: dict[str, Searcher],
        chosen: dict[str, list[Architecture]],
        truths: dict[str, list[Truth]],
    ) -> None:
        """Write everything.

        Args:
            searchers: by name, the main one first.
            chosen: per searcher its best architectures, best first.
            truths: per searcher the ground truth of these.
        """
        main = next(iter(searchers))
        rows = self._architectures(main, searchers[main], chosen[main], truths[main])
        self._tables()
        write_json(self.folder.path / "result.json", self._result(searchers, truths, rows))

    def _tables(self) -> None:
        space, network, memory = self.lab.space, self.lab.stand_alone_network, self.memory
        known = [one.architecture for one in memory.landmarks]
        write_ranking(
            self.folder.path / "ranking.csv",
            space,
            network,
            [*memory.sample, *known],
            [*memory.scores, *memory.landmark_scores],
            [*memory.truth, *(one.truth for one in memory.landmarks)],
            landmarks=known,
        )
        write_landmarks(self.folder.path / "landmarks.csv", space, memory.landmarks)

    def _architectures(
        self,
        name: str,
        searcher: Searcher,
        chosen: Sequence[Architecture],
        truths: Sequence[Truth],
    ) -> list[dict[str, Any]]:
        lab, rows = self.lab, []
        for rank, (architecture, truth) in enumerate(zip(chosen, truths, strict=True), start=1):
            cost = lab.space.cost(architecture, lab.stand_alone_network)
            latency = measure_latency(architecture, lab.stand_alone_network, lab.space, lab.device)
            row = {
                "rank": rank,
                "architecture": list(architecture.indices),
                "text": lab.space.to_text(architecture),
                "super_net_accuracy": searcher.scores[architecture],
                "stand_alone_accuracy": truth.value,
                "params": cost.params,
                "flops": cost.flops,
                "latency_ms": round(latency.milliseconds, 4),
            }
            rows.append(row)
            weights, trained_as = lab.truth.weights(architecture) or (None, None)
            found = FoundArchitecture(
                architecture=architecture,
                network=lab.stand_alone_network,
                space_settings=lab.spec.space_settings,
                super_net_accuracy=row["super_net_accuracy"],
                stand_alone_accuracy=truth.value,
                run_id=self.folder.run_id,
                data=lab.data.describe(),
                normalised=lab.spec.data.augmentation.normalise,
                weights=weights,
                trained_as=trained_as,
                run_name=lab.spec.name,
                algorithm=lab.spec.algorithm,
                searcher=name,
                seed=lab.spec.seed,
            )
            write_architecture_folder(self.folder.path / "architectures" / str(rank), found)
            self.events.emit(
                "architecture",
                rank=rank,
                text=row["text"],
                indices=row["architecture"],
                super_net_accuracy=row["super_net_accuracy"],
                stand_alone_accuracy=truth.value,
                params=cost.params,
                flops=cost.flops,
                searcher=name,
                measured={
                    "latency_ms": row["latency_ms"],
                    "repetitions": latency.repetitions,
                },
            )
        return rows

    def _population(self) -> list[float]:
        """Return the accuracies that ranks refer to: the whole table, or else the sample."""
        truth = self.lab.truth
        return truth.all_values() if isinstance(truth, TableTruth) else self.memory.truth

    def _search_summary(self, searcher: Searcher, truths: Sequence[Truth]) -> dict[str, Any]:
        values, population = [truth.value for truth in truths], self._population()
        found = values[:TOP]
        rank = best_rank(found, population)
        assert rank is not None, "a search ends with at least one architecture"
        return {
            "evaluated": len(searcher.scores),
            "top3_accuracy": sum(found) / len(found),
            "best_accuracy": max(values),
            "best_rank": rank,
            "best_rank_of": len(population),
            "surpass_random": surpass_random(rank, len(population), len(found)),
        }

    def _result(
        self,
        searchers: dict[str, Searcher],
        truths: dict[str, list[Truth]],
        rows: list[dict[str, Any]],
    ) -> dict[str, Any]:
        lab, memory, spec = self.lab, self.memory, self.lab.spec
        search = {name: self._search_summary(searchers[name], truths[name]) for name in truths}
        main = search[next(iter(search))]
        intervals = ranking_correlations(memory.truth, memory.scores, spec.evaluation.threshold)
        metrics = memory.metrics | {
            "best_rank": main["best_rank"],
            "best_rank_of": main["best_rank_of"],
            "best_accuracy": main["best_accuracy"],
            "surpass_random": main["surpass_random"],
            "final_accuracy": main["top3_accuracy"],
        }
        return {
            "run_id": self.folder.run_id,
            "status": "finished",
            "space": spec.space,
            "task": spec.task,
            "algorithm": spec.algorithm,
            "seed": spec.seed,
            "metrics": metrics,
            "intervals": {
                name: {"low": c.low, "high": c.high, "n": c.n} for name, c in intervals.items()
            },
            "search": search,
            "architectures": rows,
            "latency": how_measured(lab.stand_alone_network, lab.device),
            "cost": {
                "seconds": {k: round(v, 3) for k, v in sorted(memory.seconds.items())},
                "device": lab.device.type,
                "images": memory.images,
                "steps": memory.steps,
            },
            "published": {
                name: {"ours": metrics.get(name), "published": one.value, "source": one.source}
                for name, one in spec.published.items()
            },
        }
