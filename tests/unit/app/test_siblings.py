"""Which runs are seeds of one setting, and what is read of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from played_client import PlayedClient
from played_run import played, small_spec

from app import siblings
from app.siblings import Record, Siblings
from engine.compare import group_runs
from engine.runs import create_run

SHORT: dict[str, Any] = {
    "super_net": {"epochs": 10, "batch_size": 64},
    "evaluation": {"sample": 8, "every": 5},
}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(siblings, "FRESH_SECONDS", 0.0)


def test_the_other_seeds_of_a_setting_are_those_that_comparisons_group(
    runs: Path, lab: PlayedClient
) -> None:
    own, other = played(runs, seed=0, **SHORT), played(runs, seed=1, name="other name", **SHORT)
    played(runs, seed=2, **SHORT | {"evaluation": {"sample": 9, "every": 5}})
    create_run(runs, small_spec(seed=3, **SHORT))  # queued: nothing to draw yet
    found = Siblings(runs).of(own.run_id, lab.list)
    assert set(found) == {1}
    (group,) = [g for g in group_runs([own, other]).values() if own in g]
    assert {folder.run_id for folder in group} == {own.run_id, other.run_id}
    (last,) = [e for e in other.events() if e["type"] == "ranking" and e["epoch"] == 10]
    assert found[1]["kendall_tau"][10] == last["metrics"]["kendall_tau"]
    assert set(found[1]["kendall_tau"]) == {5, 10}


def test_a_repeat_of_a_seed_is_no_further_sample(runs: Path, lab: PlayedClient) -> None:
    own = played(runs, seed=0, **SHORT)
    played(runs, seed=0, **SHORT)
    assert Siblings(runs).of(own.run_id, lab.list) == {}


def test_a_queued_repeat_does_not_hide_what_is_known(runs: Path, lab: PlayedClient) -> None:
    own = played(runs, seed=0, **SHORT)
    played(runs, seed=1, **SHORT)
    create_run(runs, small_spec(seed=1, **SHORT))
    assert set(Siblings(runs).of(own.run_id, lab.list)) == {1}


def test_experiments_are_compared_only_when_the_list_has_changed(
    runs: Path, lab: PlayedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = played(runs, seed=0, **SHORT)
    played(runs, seed=1, **SHORT)
    finder, looked = Siblings(runs), []
    members = finder._members
    monkeypatch.setattr(finder, "_members", lambda *a: looked.append(1) or members(*a))
    for _ in range(3):
        finder.of(own.run_id, lab.list)
    assert len(looked) == 1
    played(runs, seed=2, **SHORT)
    assert set(finder.of(own.run_id, lab.list)) == {1, 2} and len(looked) == 2


def line(epoch: int, value: float | None) -> str:
    event = {"seq": epoch, "time": 1.0, "type": "ranking", "epoch": epoch}
    return json.dumps(event | {"metrics": {"kendall_tau": value}}) + "\n"


def test_a_record_is_read_as_it_grows_and_anew_when_the_run_went_back(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    record = Record(path)
    record.refresh()
    assert record.curves == {}
    path.write_text(
        line(5, 0.1) + '{"seq": 6, "type": "epoch"}\n' + line(10, None) + line(15, 0.2)[:20]
    )
    record.refresh()
    assert record.curves == {"kendall_tau": {5: 0.1}}
    with open(path, "a") as file:
        file.write(line(15, 0.2)[20:])
    record.refresh()
    assert record.curves["kendall_tau"] == {5: 0.1, 15: 0.2}
    path.write_text(line(5, 0.3))
    record.refresh()
    assert record.curves == {"kendall_tau": {5: 0.3}}


def test_a_damaged_neighbour_is_left_out(runs: Path, lab: PlayedClient) -> None:
    own, bad, odd = (played(runs, seed=seed, **SHORT) for seed in range(3))
    (bad.path / "spec.yaml").write_text("seed: [")
    (odd.path / "events.jsonl").write_text(
        '{"type": "ranking", "metrics": 3}\nno json "type": "ranking"\n'
    )
    assert Siblings(runs).of(own.run_id, lab.list) == {}
