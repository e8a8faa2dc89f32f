"""The same experiment and seed give the same run; another seed shares its ground truth."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tiny_runs import finished, outcome, tiny, told, weights

from engine.events import Events, comparable
from engine.lab import Lab
from engine.runs import RunFolder
from engine.spaces import get_space
from engine.tables.bank import Bank
from engine.training.stand_alone import StandAloneTrainer


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, str, int]]:
    """Count stand-alone trainings by protocol, canonical form and replicate."""
    counted: Counter[tuple[str, str, int]] = Counter()
    real = StandAloneTrainer.train

    def train(self: StandAloneTrainer, *args: Any, **kwargs: Any) -> Any:
        counted[self.protocol, args[1], args[2]] += 1
        return real(self, *args, **kwargs)

    monkeypatch.setattr(StandAloneTrainer, "train", train)
    return counted


def test_a_repeated_run_tells_the_same_events(whole: RunFolder, tmp_path: Path) -> None:
    again = finished(tmp_path)
    assert [comparable(e) for e in again.events()] == [comparable(e) for e in whole.events()]
    assert outcome(again) == outcome(whole)
    assert weights(again) == weights(whole)


def test_another_seed_gives_another_run(whole: RunFolder, tmp_path: Path) -> None:
    other = finished(tmp_path, tiny(seed=1))
    for kind in ("sample", "landmarks", "epoch", "ranking"):
        mine = [event for event in told(other) if event["type"] == kind]
        assert mine != [event for event in told(whole) if event["type"] == kind], kind


def test_no_network_is_trained_twice_within_a_run(
    tmp_path: Path, bank: Path, trainings: Counter[tuple[str, str, int]]
) -> None:
    spec = tiny(stand_alone={"replicates": 2, "epochs": 1}, super_net={"epochs": 2})
    folder = finished(tmp_path, spec)
    assert set(trainings.values()) == {1}
    rows = Bank(bank).rows()
    assert Counter((r.protocol, r.canonical, r.replicate) for r in rows) == trainings
    space = get_space("nb201")
    asked = [e["text"] for e in folder.events() if e["type"] == "ground_truth"]
    needed = {space.canonical(space.parse(text)) for text in asked}
    assert {row.canonical for row in rows} == needed
    assert len(trainings) == 2 * len(needed)


def test_a_repeated_run_trains_nothing_stand_alone(
    tmp_path: Path, trainings: Counter[tuple[str, str, int]]
) -> None:
    first = finished(tmp_path / "first")
    trainings.clear()
    second = finished(tmp_path / "second")
    assert not trainings
    assert outcome(second) == outcome(first)
    assert [comparable(e) for e in second.events()] == [comparable(e) for e in first.events()]
    truths = [e for e in second.events() if e["type"] == "ground_truth"]
    assert {event["measured"]["origin"] for event in truths} == {"bank"}


def test_seeds_share_ground_truth_through_the_bank(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trainings: Counter[tuple[str, str, int]]
) -> None:
    architecture = get_space("nb201").parse(
        "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|skip_connect~1|avg_pool_3x3~2|"
    )

    def ask(seed: int) -> Any:
        lab = Lab.build(tiny(seed=seed), Events([]))
        return lab.truth.get(architecture, lambda: None)

    trained, shared = ask(0), ask(1)
    assert (trained.origin, shared.origin) == ("trained", "bank")
    assert sum(trainings.values()) == 1
    assert (shared.value, shared.held_out, shared.test) == (
        trained.value,
        trained.held_out,
        trained.test,
    )
    monkeypatch.setenv("NASW_DATA", str(tmp_path / "another bank"))
    apart = ask(1)
    assert apart.origin == "trained"
    assert (apart.held_out, apart.test) == (trained.held_out, trained.test)


@pytest.mark.parametrize(
    "change",
    [
        {"stand_alone": {"epochs": 3}},
        {"network": {"channels": 3}},
        {"data": {"split_seed": 1}},
        {"data": {"augmentation": {"crop_padding": 1}}},
    ],
)
def test_another_protocol_is_other_ground_truth(change: dict[str, Any]) -> None:
    labs = [Lab.build(spec, Events([])) for spec in (tiny(), tiny(**change))]
    protocols = {lab.truth.trainer.protocol for lab in labs}  # type: ignore[attr-defined]
    assert len(protocols) == 2


def test_replicates_do_not_make_another_protocol() -> None:
    labs = [Lab.build(tiny(stand_alone={"replicates": n}), Events([])) for n in (1, 3)]
    first, second = (lab.truth.trainer.protocol for lab in labs)  # type: ignore[attr-defined]
    assert first == second
