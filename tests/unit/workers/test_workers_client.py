"""The one door: what is refused with which sentence, and the list of runs."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ConnectionError

from engine.runs import RunFolder, create_run, write_json
from engine.spec.errors import RunError, SpecError, StoreError
from engine.spec.experiment import ExperimentSpec
from workers import submit, wishes
from workers.client import KEPT, Client
from workers.identity import new_owner
from workers.keys import Keys
from workers.queueing import RunQueue
from workers.server import EmbeddedStore
from workers.settings import Settings


@pytest.fixture
def client(settings: Settings, server: EmbeddedStore, redis: Redis) -> Client:
    return Client(replace(settings, redis_url=server.address.url))


@pytest.fixture
def alone(settings: Settings) -> Client:
    """A client whose store is away."""
    return Client(replace(settings, redis_url="redis://127.0.0.1:9/0"))


def running(client: Client, run_id: str = "r", owner: str | None = None) -> RunFolder:
    """Make a run that this process executes."""
    folder = create_run(client.settings.runs, ExperimentSpec(), run_id)
    folder.change_state("running", owner=owner or str(new_owner()))
    return folder


# -- submitting -------------------------------------------------------------------------------
def test_each_seed_becomes_a_run_with_a_valid_spec(client: Client) -> None:
    run_ids = client.submit(ExperimentSpec(name="x", seed=5), seeds=[7, 8])
    assert [client.folder(r).spec().seed for r in run_ids] == [7, 8]
    [single] = client.submit(ExperimentSpec(seed=5))
    assert client.folder(single).spec() == ExperimentSpec(seed=5)
    assert client.status().queue_length == 3


@pytest.mark.parametrize(
    ("changes", "seeds", "field"),
    [
        ({"space": "nonsense"}, None, "space"),
        ({"algorithm": "nonsense"}, None, "algorithm"),
        ({"data": {"path": "/no/such/file"}}, None, "data.path"),
        ({}, [], "seed"),
        ({}, [1, 2, 1], "seed"),
        ({}, [-1], "seed"),
    ],
)
def test_nothing_is_queued_when_it_cannot_run(
    client: Client, changes: dict, seeds: list[int] | None, field: str
) -> None:
    spec = ExperimentSpec.model_validate(changes)
    with pytest.raises(SpecError) as caught:
        client.submit(spec, seeds)
    assert field in f"{caught.value.field} {caught.value}"
    assert client.list() == []
    assert client.status().queue_length == 0


def test_folders_that_cannot_all_be_made_are_taken_back(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = iter(["a", "b", "a"])
    monkeypatch.setattr("workers.client.new_run_id", lambda spec: next(names))
    with pytest.raises(RunError, match="already a run a"):
        client.submit(ExperimentSpec(), seeds=[1, 2, 3])
    assert client.list() == []
    assert client.status().queue_length == 0


def test_a_run_of_the_same_name_is_not_touched(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_run(client.settings.runs, ExperimentSpec(name="older"), "a")
    monkeypatch.setattr("workers.client.new_run_id", lambda spec: "a")
    with pytest.raises(RunError, match="already a run a"):
        client.submit(ExperimentSpec())
    assert [row.name for row in client.list()] == ["older"]


# -- steering ---------------------------------------------------------------------------------
def test_a_wish_is_left_for_a_running_run_only(client: Client, redis: Redis) -> None:
    running(client)
    client.pause("r")
    assert wishes.read(redis, Keys("nasw"), ["r"])["r"].wish == "pause"
    client.stop("r")
    assert wishes.read(redis, Keys("nasw"), ["r"])["r"].wish == "stop"
    create_run(client.settings.runs, ExperimentSpec(), "q")
    with pytest.raises(RunError, match="Run q is queued; only a running run can pause"):
        client.pause("q")
    running(client, "t", owner="host:12:abcd")
    with pytest.raises(RunError, match="runs in a terminal; press Ctrl-C there"):
        client.stop("t")


def test_what_cannot_be_done_in_a_state_is_said(client: Client) -> None:
    folder = running(client)
    with pytest.raises(RunError, match="stop it first"):
        client.delete("r")
    with pytest.raises(RunError, match="is running and cannot be resumed"):
        client.resume("r")
    with pytest.raises(RunError, match="is not deleted"):
        client.undelete("r")
    folder.change_state("finished")
    with pytest.raises(RunError, match="is finished and cannot be resumed"):
        client.resume("r")
    with pytest.raises(RunError, match="is finished and cannot become stopped"):
        client.stop("r")
    with pytest.raises(RunError, match="There is no run x"):
        client.stop("x")


@pytest.mark.parametrize("state", ["paused", "stopped", "failed", "interrupted"])
def test_resuming_forgets_the_wish_and_queues(client: Client, redis: Redis, state: str) -> None:
    folder = running(client)
    client.stop("r")
    folder.change_state(state, "why")
    client.resume("r")
    assert folder.state().state == "queued"
    assert wishes.read(redis, Keys("nasw"), ["r"]) == {}
    assert "r" in RunQueue(redis, Keys("nasw")).jobs().waiting


def test_a_run_being_started_is_stopped_by_the_process_that_starts(
    client: Client, redis: Redis
) -> None:
    [run_id] = client.submit(ExperimentSpec())
    key = RunQueue(redis, Keys("nasw")).queue.key
    redis.lmove(key, f"{key}:intermediate")
    client.stop(run_id)
    assert client.folder(run_id).state().state == "queued"
    assert wishes.read(redis, Keys("nasw"), [run_id])[run_id].wish == "stop"


def test_a_deleted_run_comes_back_with_its_sentence(client: Client) -> None:
    folder = running(client)
    folder.change_state("failed", "The loss is not finite.")
    client.delete("r")
    with pytest.raises(RunError, match="deleted"):
        client.delete("r")
    client.undelete("r")
    assert (folder.state().state, folder.state().message) == ("failed", "The loss is not finite.")


def test_without_a_store_sentences_come_and_nothing_changes(alone: Client) -> None:
    folder = running(alone)
    for call in (alone.pause, alone.stop):
        with pytest.raises(StoreError, match="cannot be reached"):
            call("r")
    folder.change_state("paused")
    with pytest.raises(StoreError, match="cannot be reached"):
        alone.resume("r")
    assert folder.state().state == "paused"
    alone.stop("r")
    assert folder.state().state == "stopped"
    alone.delete("r")
    create_run(alone.settings.runs, ExperimentSpec(), "q")
    alone.stop("q")
    assert [row.state for row in alone.list()] == ["stopped"]
    status = alone.status()
    assert (status.store_ok, status.workers, status.queue_length) == (False, (), 0)
    assert "127.0.0.1:9" in status.message
    assert status.free_disk > 0


def test_a_store_lost_between_two_steps_is_said(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = running(client)
    folder.change_state("paused")

    def lost(*_: object, **__: object) -> None:
        raise ConnectionError("gone")

    monkeypatch.setattr(RunQueue, "add", lost)
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        client.resume("r")
    assert str(caught.value).endswith(KEPT)
    assert folder.state().state == "queued"


def test_no_store_was_ever_started_here(settings: Settings) -> None:
    with pytest.raises(StoreError, match="start it with `make run`, or set REDIS_URL"):
        Client(settings).submit(ExperimentSpec())


# -- list -------------------------------------------------------------------------------------
def test_the_list_tells_what_a_table_shows(client: Client) -> None:
    spec = ExperimentSpec(name="Digits", tags=["a", "b"], seed=3)
    folder = create_run(client.settings.runs, spec, "r")
    [row] = client.list()
    assert (row.run_id, row.name, row.algorithm, row.space) == ("r", "Digits", "spos", "nb201")
    assert (row.data, row.seed, row.tags, row.metrics) == ("digits", 3, ("a", "b"), {})
    folder.change_state("running", owner=str(new_owner()))
    write_json(folder.path / "progress.json", {"fraction": 0.5})
    assert client.list()[0].progress == {"fraction": 0.5}
    write_json(folder.path / "result.json", {"metrics": {"kendall_tau": 0.7}})
    folder.change_state("finished")
    [row] = client.list()
    assert (row.state, row.metrics, row.progress) == ("finished", {"kendall_tau": 0.7}, None)


def test_the_list_has_best_accuracy_and_cost(client: Client) -> None:
    folder = create_run(client.settings.runs, ExperimentSpec(), "r")
    [row] = client.list()
    assert (row.best_accuracy, row.seconds) == (None, None)
    found = [{"stand_alone_accuracy": value} for value in (91.5, None, 92.25)]
    cost = {"seconds": {"training": 12.5, "search": 2}}
    write_json(folder.path / "result.json", {"architectures": found, "cost": cost})
    [row] = client.list()
    assert (row.best_accuracy, row.seconds) == (92.25, 14.5)


@pytest.mark.parametrize(
    "result", [{"architectures": 3, "cost": []}, {"architectures": [1], "cost": {"seconds": 5}}]
)
def test_a_damaged_result_hides_no_run(client: Client, result: dict[str, Any]) -> None:
    folder = create_run(client.settings.runs, ExperimentSpec(), "r")
    write_json(folder.path / "result.json", result)
    [row] = client.list()
    assert (row.best_accuracy, row.seconds) == (None, None)


def test_damaged_runs_are_shown_and_strangers_are_not(client: Client) -> None:
    runs = client.settings.runs
    for name in ("a", "b", "c"):
        create_run(runs, ExperimentSpec(), name)
    (runs / "a" / "state.json").write_text("{")
    (runs / "b" / "spec.yaml").write_text("[: - \x00")
    (runs / "c" / "result.json").write_text("[1]")
    (runs / "other").mkdir()
    (runs / "file").write_text("")
    rows = {row.run_id: row for row in client.list()}
    assert set(rows) == {"a", "b", "c"}
    assert rows["a"].state == "failed"
    assert "cannot be read" in rows["a"].message
    assert rows["b"].name == "b"
    assert rows["c"].metrics == {}


def test_five_hundred_runs_are_listed_quickly(client: Client, tmp_path: Path) -> None:
    runs = client.settings.runs
    text = create_run(runs, ExperimentSpec(), "r0").path
    files = {name: (text / name).read_bytes() for name in ("spec.yaml", "state.json")}
    result = json.dumps({"metrics": {"kendall_tau": 0.5}, "architectures": [{}] * 50})
    for number in range(1, 500):
        folder = runs / f"r{number}"
        folder.mkdir()
        for name, data in files.items():
            (folder / name).write_bytes(data)
        (folder / "result.json").write_text(result)
    assert len(client.list()) == 500
    times = []
    for _ in range(5):
        began = time.perf_counter()
        client.list()
        times.append(time.perf_counter() - began)
    assert min(times) < 0.3


# -- sweeps -----------------------------------------------------------------------------------
def test_a_sweep_is_queued_in_order_as_a_batch(client: Client) -> None:
    run_ids = client.submit_sweep({"name": "S", "sweep": {"seed": [4, 2], "search.keep": [1, 2]}})
    specs = [client.folder(run_id).spec() for run_id in run_ids]
    assert [(spec.seed, spec.search.keep) for spec in specs] == [(4, 1), (4, 2), (2, 1), (2, 2)]
    assert specs[1].name == "S · seed=4 · keep=2"
    assert client.status().queue_length == 4
    (single,) = client.submit_sweep({"seed": 9})
    assert client.folder(single).spec() == ExperimentSpec(seed=9)


@pytest.mark.parametrize(
    ("sweep", "field"),
    [
        ({"seed": []}, "sweep.seed"),
        ({"seed": [0, -1]}, "seed"),
        ({"search.parents": [5, 99]}, "search.parents"),
    ],
)
def test_a_sweep_with_one_bad_job_queues_nothing(client: Client, sweep: dict, field: str) -> None:
    with pytest.raises(SpecError) as caught:
        client.submit_sweep({"sweep": sweep})
    assert caught.value.field == field
    assert client.list() == []
    assert client.status().queue_length == 0


def test_a_sweep_is_queued_from_the_terminal(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    settings = client.settings
    monkeypatch.setenv("REDIS_URL", str(settings.redis_url))
    monkeypatch.setenv("NASW_RUNS", str(settings.runs))
    monkeypatch.setenv("NASW_DATA", str(settings.data))
    file = tmp_path / "sweep.yaml"
    file.write_text("sweep: {seed: [0, 1]}")
    assert submit.main([str(file)]) == 0
    said = capsys.readouterr()
    assert sorted(said.out.split()) == sorted(row.run_id for row in client.list())
    assert client.status().queue_length == 2
    file.write_text("sweep: {sed: [0, 1]}")
    assert submit.main([str(file)]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert said.err.startswith("error: sweep.sed: there is no such field.")
    assert client.status().queue_length == 2
