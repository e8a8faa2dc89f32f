"""The conductor: one run from its first event to its result, resumable at every step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from engine.addons.landmark import Landmark, choose_diverse
from engine.control import Control
from engine.core.architecture import Architecture
from engine.device import describe_device, peak_megabytes
from engine.earlier_runs import earlier_landmarks
from engine.estimates import planned_work
from engine.evaluators.truth import Truth
from engine.events import Events
from engine.ground_truth import learn_truth
from engine.lab import Lab
from engine.memory import Memory
from engine.metrics import ranking_metrics
from engine.paths.gumbel import temperature
from engine.recipes.settings import TemperatureSettings
from engine.report import Report
from engine.runs import RunFolder
from engine.search import search
from engine.searchers import Searcher
from engine.spec.errors import SpecError, StopRequested
from engine.training.checkpoint import Checkpoints
from engine.training.supernet_trainer import EpochReport
from engine.work_plan import WorkPlan

TRAINING = "Training the super-net"


class Conductor:
    """Runs the stages of one experiment.

    Args:
        folder: the run.
        lab: its parts.
        events: where events go.
        control: wishes to pause or stop.
        alive: raises when this process lost the run.
        tell: called after every step of the super-net, to report what is waiting. Not while
            ground truth is learned: what the bank knows must not move other events.
    """

    def __init__(
        self,
        folder: RunFolder,
        lab: Lab,
        events: Events,
        control: Control,
        alive: Callable[[], None] = lambda: None,
        tell: Callable[[], None] = lambda: None,
    ) -> None:
        self.folder = folder
        self.lab = lab
        self.spec = lab.spec
        self.events = events
        self.control = control
        self.alive = alive
        self.tell = tell
        self.memory = Memory()
        self.checkpoints = Checkpoints(folder.path / "checkpoints")
        self.work = planned_work(lab)
        self.plan = WorkPlan(events, dict(self.work))

    def run(self) -> None:
        """Run or resume to the end.

        Raises:
            StopRequested: somebody asked; the run can be resumed.
            WorkbenchError: it cannot go on.
        """
        if not self._restore():
            self.events.rewind(0)
            self._announce()
            self._draw_sample()
            self._first_landmarks()
            self._learn_truth()
            self._save()
        self._train()
        found = self._search()
        self._finish(found)

    # -- pausing and resuming -------------------------------------------------------------
    def _poll(self) -> None:
        self.alive()
        wish = self.control.wish()
        if wish is not None:
            raise StopRequested(wish)

    def _save(self) -> None:
        trainer = self.lab.trainer
        self._count_cost()
        self.events.emit("checkpoint", epoch=trainer.epoch)
        state = {
            "seq": self.events.seq,
            "memory": self.memory.to_json(),
            "streams": self.lab.streams.state(),
            "trainer": trainer.state(),
            "plan": self.plan.state(),
        }
        number = trainer.epoch * trainer.steps + trainer.step
        self.checkpoints.save(number, state, trainer.tensors())

    def _restore(self) -> bool:
        found = self.checkpoints.latest()
        if found is None:
            return False
        state, tensors = found
        trainer = self.lab.trainer
        self.memory = Memory.from_json(state["memory"])
        if self.lab.regulariser is not None:
            self.lab.regulariser.add(self.memory.landmarks)
        self.lab.streams.load_state(state["streams"])
        trainer.load_state(state["trainer"])
        trainer.load_tensors(tensors)
        self.events.rewind(state["seq"])
        self.plan.load_state(state["plan"], self.memory.seconds)
        return True

    def _count_cost(self) -> None:
        """Bring time, steps and images up to date in the memory, which survives this process."""
        for stage, seconds in self.plan.take_seconds().items():
            self.memory.seconds[stage] = self.memory.seconds.get(stage, 0.0) + seconds
        self.memory.steps = self.lab.trainer.steps_done
        self.memory.images = self.lab.trainer.images_done

    @contextmanager
    def _stage(self, stage: str, title: str, round_: int | None = None) -> Iterator[None]:
        self.events.emit("stage", stage=stage, title=title, round=round_, state="started")
        self.plan.begin(stage, title, round_)
        started = time.perf_counter()
        yield
        self.plan.end()
        self.events.emit(
            "stage",
            stage=stage,
            title=title,
            round=round_,
            state="finished",
            measured={"seconds": round(time.perf_counter() - started, 3)},
        )

    # -- before training ------------------------------------------------------------------
    def _announce(self) -> None:
        spec, lab = self.spec, self.lab
        self.events.emit(
            "run_started",
            name=spec.name,
            seed=spec.seed,
            device=lab.device.type,
            task=spec.task,
            space=spec.space,
            algorithm=spec.algorithm,
            addons=sorted(k for k, v in spec.addons.model_dump().items() if v is not None),
            data=lab.data.describe(),
            network=lab.network.model_dump(mode="json"),
            stand_alone_network=lab.stand_alone_network.model_dump(mode="json"),
            size=lab.space.size,
            measured={"device": describe_device(lab.device)},
        )

    def _draw_sample(self) -> None:
        """Draw different networks for the correlation; landmarks are chosen around them."""
        lab, wanted = self.lab, self.spec.evaluation.sample
        seen: set[str] = set()
        for _ in range(200 * wanted):
            if len(self.memory.sample) == wanted:
                break
            candidate = lab.space.sample(lab.streams.architectures)
            key = lab.space.canonical(candidate)
            if key not in seen:
                seen.add(key)
                self.memory.sample.append(candidate)
        if len(self.memory.sample) < wanted:
            raise SpecError(
                "evaluation.sample",
                f"only {len(self.memory.sample)} different networks were found in "
                f"`{lab.space.name}`; ask for fewer.",
            )
        rows = [self._row(architecture) for architecture in self.memory.sample]
        self.events.emit("sample", architectures=rows)

    def _row(self, architecture: Architecture) -> dict[str, Any]:
        cost = self.lab.space.cost(architecture, self.lab.stand_alone_network)
        return {
            "text": self.lab.space.to_text(architecture),
            "indices": list(architecture.indices),
            "params": cost.params,
            "flops": cost.flops,
        }

    def _first_landmarks(self) -> None:
        spec = self.spec.addons.landmark
        if spec is None:
            return
        taken = self._sample_forms()
        space, runs = self.lab.space, self.folder.path.parent
        chosen = earlier_landmarks(spec.earlier_runs, runs, space, spec.per_round, taken)
        taken |= {space.canonical(one) for one in chosen}
        missing = spec.per_round - len(chosen)
        if missing:
            stream = self.lab.streams.landmarks
            chosen += choose_diverse(space, missing, spec.min_distance, stream, exclude=taken)
        with self._stage("ground_truth", "Training the first landmarks stand-alone", 1):
            self._add_landmarks(chosen, 1)

    def _sample_forms(self) -> set[str]:
        return {self.lab.space.canonical(one) for one in self.memory.sample}

    def _learn_truth(self) -> None:
        with self._stage("ground_truth", "Training the correlation sample stand-alone"):
            truths = self._truths(self.memory.sample, "sample")
        self.memory.truth = [truth.value for truth in truths]

    def _truths(self, chosen: Sequence[Architecture], purpose: str) -> list[Truth]:
        return learn_truth(self.lab, self.events, self.plan, self._poll, chosen, purpose)

    def _add_landmarks(self, chosen: Sequence[Architecture], round_: int) -> None:
        truths = self._truths(chosen, "landmark")
        pairs = zip(chosen, truths, strict=True)
        new = [Landmark(a, truth.landmark_value, truth.value, round_) for a, truth in pairs]
        self.memory.landmarks += new
        self.memory.round = round_
        assert self.lab.regulariser is not None, "only called with landmarks on"
        self.lab.regulariser.add(new)
        rows = [
            self._row(one.architecture) | {"value": one.value, "truth": one.truth} for one in new
        ]
        self.events.emit("landmarks", round=round_, architectures=rows)

    # -- training -------------------------------------------------------------------------
    def _train(self) -> None:
        trainer, epochs = self.lab.trainer, self.spec.super_net.epochs
        if self.memory.pending_rank:
            with self._stage("training", TRAINING, self._round_of(trainer.epoch)[0]):
                self._rank()
        while not trainer.finished:
            round_, last = self._round_of(trainer.epoch + 1)
            if round_ is not None and self.memory.round < round_:
                self._next_round(round_ - 1)
                self._save()
            with self._stage("training", TRAINING, round_):
                while trainer.epoch < last and not trainer.finished:
                    self._one_epoch(round_)
            self._save()
        if trainer.epoch < epochs:
            self.events.note(f"Training ended after {trainer.epoch} epochs: {trainer.stop_reason}")
        self.plan.settle("ground_truth", "training")

    def _round_of(self, epoch: int) -> tuple[int | None, int]:
        """Return the round that an epoch belongs to and that round's last epoch."""
        epochs, landmark = self.spec.super_net.epochs, self.spec.addons.landmark
        if landmark is None:
            return None, epochs
        ends = [round(epochs * t / landmark.rounds) for t in range(1, landmark.rounds + 1)]
        index = next(i for i, end in enumerate(ends) if epoch <= end)
        return index + 1, ends[index]

    def _after_step(self) -> None:
        self.tell()
        self._show_training()
        self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        """Save a checkpoint first, so that nothing is lost."""
        self.alive()
        wish = self.control.wish()
        if wish is not None:
            self._save()
            raise StopRequested(wish)

    def _show_training(self) -> None:
        trainer, epochs = self.lab.trainer, self.spec.super_net.epochs
        work = self.work["training"] * trainer.steps_done / (epochs * trainer.steps)
        self.plan.show(work, trainer.epoch, epochs, "epochs")

    def _one_epoch(self, round_: int | None) -> None:
        trainer = self.lab.trainer
        report = trainer.run_epoch(self._after_step)
        self._emit_epoch(report, round_)
        self._emit_learner()
        evaluation = self.spec.evaluation
        if trainer.epoch % evaluation.every == 0 or trainer.finished:
            self._rank()
        if trainer.epoch % self.spec.super_net.checkpoint_every == 0:
            self._save()
        self._after_step()

    def _emit_learner(self) -> None:
        trainer = self.lab.trainer
        if trainer.learner is None:
            return
        report, settings = trainer.learner.report(), trainer.learner.context.settings
        if isinstance(settings, TemperatureSettings):  # the paths' own, which no learner knows
            share = trainer.epoch / self.spec.super_net.epochs
            report["temperature"] = temperature(settings, share)
        self.events.emit("learner", epoch=trainer.epoch, **report)

    def _emit_epoch(self, report: EpochReport, round_: int | None) -> None:
        self.events.emit(
            "epoch",
            epoch=self.lab.trainer.epoch,
            epochs=self.spec.super_net.epochs,
            round=round_,
            loss=report.loss,
            accuracy=report.accuracy,
            landmark_loss=report.landmark_loss,
            landmark_weight=report.landmark_weight,
            learning_rate=report.learning_rate,
            forgetting=report.forgetting,
            measured={
                "seconds": round(report.seconds, 3),
                "images_per_second": round(report.images / max(report.seconds, 1e-9), 1),
                "memory_mb": round(peak_megabytes(self.lab.device), 1),
            },
        )

    def _rank(self) -> None:
        """Score the correlation sample and report how well the ranking agrees."""

        memory = self.memory
        memory.pending_rank = True

        def poll(done: int) -> None:
            self._show_training()
            self._stop_if_asked()

        known = [one.architecture for one in memory.landmarks]
        scores = self.lab.scorer.scores([*memory.sample, *known], poll)
        memory.scores = scores[: len(memory.sample)]
        memory.landmark_scores = scores[len(memory.sample) :]
        memory.metrics = ranking_metrics(
            memory.truth, memory.scores, self.spec.evaluation.threshold
        )
        memory.pending_rank = False
        self.events.emit(
            "ranking",
            epoch=self.lab.trainer.epoch,
            metrics=memory.metrics,
            scores=memory.scores,
            truth=memory.truth,
            landmark_scores=memory.landmark_scores,
        )

    def _next_round(self, finished: int) -> None:
        """Train the best of the super-net stand-alone and add them to the landmarks."""
        spec = self.spec.addons.landmark
        assert spec is not None, "only landmarks have rounds"
        with self._stage("search", f"Searching landmarks after round {finished}", finished):
            searcher = search(
                self.lab, self.events, self.plan, self._poll, self.lab.recipe.searcher
            )
        taken = self._sample_forms() | {
            self.lab.space.canonical(one.architecture) for one in self.memory.landmarks
        }
        ranked = searcher.best(len(searcher.scores))
        fresh = [a for a in ranked if self.lab.space.canonical(a) not in taken]
        chosen = fresh[: spec.per_round]
        if len(chosen) < spec.per_round:
            self.events.note(
                f"Only {len(chosen)} new landmarks were found after round {finished}.", "warning"
            )
        title = f"Training the landmarks of round {finished + 1} stand-alone"
        with self._stage("ground_truth", title, finished + 1):
            self._add_landmarks(chosen, finished + 1)

    # -- search and result ----------------------------------------------------------------
    def _search(self) -> dict[str, Searcher]:
        found = {}
        names = (self.lab.recipe.searcher, *self.lab.recipe.baselines)
        for name in names:
            with self._stage("search", f"Searching by super-net accuracy: {name}"):
                found[name] = search(
                    self.lab, self.events, self.plan, self._poll, name, report=True
                )
        return found

    def _finish(self, searchers: dict[str, Searcher]) -> None:
        keep = self.spec.search.keep
        chosen = {name: searcher.best(keep) for name, searcher in searchers.items()}
        truths: dict[str, list[Truth]] = {}
        self.plan.settle("search")
        with self._stage("final", "Training the found architectures stand-alone"):
            for name, architectures in chosen.items():
                truths[name] = self._truths(architectures, "found")
            self.plan.settle("final")
            total = sum(map(len, truths.values()))
            self.plan.show(self.plan.done["final"], total, total, "architectures", force=True)
        self._count_cost()
        Report(self.folder, self.lab, self.memory, self.events).write(searchers, chosen, truths)
