"""Store, instance, supervised processes and the sweeper, each by itself."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from redis import Redis
from redis.exceptions import BusyLoadingError, ReadOnlyError, ResponseError

from engine.runs import create_run
from engine.spec.errors import RunError, StoreError
from engine.spec.experiment import ExperimentSpec
from workers import jobs, wishes
from workers.identity import new_owner
from workers.instance import Instance, InstanceError, Started, check_writable
from workers.keys import Keys
from workers.launch import choose_port, page_command
from workers.queueing import RunQueue
from workers.server import EmbeddedStore
from workers.settings import Settings
from workers.status import read_workers
from workers.store import check, connect, read_address, sentence, shown, store_url
from workers.supervisor import Child, end
from workers.sweeper import Sweeper


def wait_for(what: object, seconds: float = 20.0) -> None:
    """Wait until something is true."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


# -- store ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("error", "part"),
    [
        (ReadOnlyError("x"), "read-only"),
        (BusyLoadingError("x"), "still loading"),
        (ResponseError("OOM command not allowed"), "refuses to work: OOM"),
        (ResponseError("NOAUTH Authentication required."), "refuses the password"),
    ],
)
def test_a_store_in_trouble_is_a_sentence(error: Exception, part: str) -> None:
    assert part in sentence(error, "host:1")


def test_the_password_is_checked_and_never_shown(server: EmbeddedStore) -> None:
    wrong = f"redis://:not-it@127.0.0.1:{server.address.port}/0"
    with pytest.raises(StoreError, match="refuses the password") as caught:
        check(connect(wrong), shown(wrong))
    assert "not-it" not in str(caught.value)
    check(connect(server.address.url), "here")


def test_an_old_store_is_refused(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "info", lambda section: {"redis_version": "5.0.7"})
    with pytest.raises(StoreError, match=r"version 5\.0\.7; Redis 6\.2 or newer"):
        check(redis, "here")


def test_a_damaged_address_is_a_sentence(settings: Settings) -> None:
    settings.data.mkdir()
    (settings.data / "store.json").write_text('{"port": 1}')
    with pytest.raises(StoreError, match="is damaged; delete it"):
        store_url(settings)


def test_a_taken_store_port_is_a_sentence(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = replace(settings, store_port=taken.getsockname()[1])
        with pytest.raises(StoreError, match="NASW_STORE_PORT"):
            EmbeddedStore(wanted).start()


def test_a_store_moves_when_its_port_is_gone_and_keeps_its_password(settings: Settings) -> None:
    first = EmbeddedStore(settings)
    before = first.start()
    first.stop()
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", before.port))
        taken.listen()
        second = EmbeddedStore(settings)
        after = second.start()
        assert after.port != before.port
        assert after.password == before.password
        assert read_address(settings) == after
        second.stop()


def test_damaged_data_are_a_sentence_that_says_what_to_do(settings: Settings) -> None:
    store = EmbeddedStore(settings)
    connection = connect(store.start().url)
    connection.set("a", "b" * 1000)
    store.stop()
    [log] = (settings.store / "appendonlydir").glob("*.incr.aof")
    log.write_bytes(b"*3\r\n$3\r\nSET\r\n" + b"garbage\r\n" * 50)
    with pytest.raises(StoreError, match="Move that folder away and start again"):
        EmbeddedStore(settings).start()


def test_a_folder_that_cannot_be_written_is_a_sentence(settings: Settings) -> None:
    settings.data.write_text("a file")
    with pytest.raises(StoreError, match="NASW_DATA"):
        EmbeddedStore(settings).start()
    with pytest.raises(InstanceError, match="NASW_DATA"):
        check_writable(settings)
    with pytest.raises(InstanceError, match="NASW_DATA"):
        Instance(settings)


# -- instance ---------------------------------------------------------------------------------
def test_one_instance_at_a_time(settings: Settings) -> None:
    first = Instance(settings)
    with pytest.raises(InstanceError, match="just being started"):
        Instance(settings)
    first.announce("http://127.0.0.1:8501")
    with pytest.raises(InstanceError, match=f"at http://127.0.0.1:8501 .process {os.getpid()}."):
        Instance(settings)
    Instance(settings, "other-part").release()
    first.release()
    Instance(settings).release()


def test_leftovers_are_ended_but_nobody_else(settings: Settings) -> None:
    mine = [subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) for _ in range(3)]
    left, stubborn, other = mine
    instance = Instance(settings)

    def started(name: str, process: subprocess.Popen[bytes], shift: float = 0.0) -> Started:
        return Started(name, process.pid, psutil.Process(process.pid).create_time() + shift)

    instance.record([started("worker", left), started("store", stubborn), started("w", other, 99)])
    instance.release()
    again = Instance(settings)
    assert again.end_leftovers() == 0, "a clean end leaves nothing"
    again.record([started("worker", left), started("store", stubborn), started("w", other, 99)])
    assert again.end_leftovers() == 2
    assert [process.poll() is None for process in mine] == [False, False, True]
    assert again.end_leftovers() == 0
    (settings.data / "up.processes.json").write_text("[")
    assert again.end_leftovers() == 0
    other.kill()
    for process in mine:
        process.communicate()
    again.release()


# -- supervised processes ---------------------------------------------------------------------
def child(tmp_path: Path, code: str) -> Child:
    """Return a child that runs some Python."""
    log = tmp_path / "logs" / "child.log"
    return Child("child", [sys.executable, "-c", code], os.environ, log, tmp_path)


def test_a_dead_process_is_started_again_after_a_growing_wait(tmp_path: Path) -> None:
    one = child(tmp_path, "print('hello', flush=True)")
    one.start()
    starts = 1
    began = time.monotonic()
    while one.quick_deaths < 3:
        starts += one.keep()
        time.sleep(0.01)
    assert starts == 3
    assert time.monotonic() - began > 1.5, "half a second, then a whole one"
    assert one.log_path.read_text().count("hello") == 3
    assert one.identity() is None


def test_a_process_that_ignores_us_is_killed_with_its_children(tmp_path: Path) -> None:
    code = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)'],"
        " start_new_session=True)\n"
        "print(p.pid, flush=True)\n"
        "time.sleep(99)\n"
    )
    one = child(tmp_path, code)
    one.start()
    wait_for(lambda: one.log_path.is_file() and one.log_path.read_text().strip())
    grandchild = psutil.Process(int(one.log_path.read_text()))
    one.send(signal.SIGKILL)
    wait_for(lambda: not one.running)
    wait_for(lambda: not grandchild.is_running() or grandchild.status() == "zombie")


def test_ending_waits_for_an_orderly_end(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\n"
        "def leave(*_):\n    time.sleep(0.3); print('saved', flush=True); sys.exit()\n"
        "signal.signal(signal.SIGTERM, leave)\n"
        "print('ready', flush=True)\n"
        "time.sleep(99)\n"
    )
    one = child(tmp_path, code)
    one.start()
    wait_for(lambda: "ready" in one.log_path.read_text())
    end([one], 10.0)
    assert "saved" in one.log_path.read_text()
    assert not one.running


def test_a_long_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.supervisor.LOG_BYTES", 10)
    one = child(tmp_path, "print('a long line of output')")
    for _ in range(2):
        one.start()
        wait_for(lambda: not one.running)
    assert (tmp_path / "logs" / "child.log.1").is_file()
    assert one.log_path.read_text().count("line") == 1


def test_the_usual_port_gives_way(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        first = taken.getsockname()[1]
        monkeypatch.setattr("workers.launch.FIRST_PORT", first)
        assert choose_port(settings) > first
        monkeypatch.setattr("workers.launch.PORTS", 1)
        with pytest.raises(InstanceError, match="are all taken; set NASW_PORT"):
            choose_port(settings)


def test_a_page_for_this_machine_only_is_bound_to_its_names(settings: Settings) -> None:
    assert page_command(settings, 1).count("--server.allowedHosts") == 2
    opened = replace(settings, host="0.0.0.0")
    assert "--server.allowedHosts" not in page_command(opened, 1)


# -- sweeper ----------------------------------------------------------------------------------
def test_a_sweep_leaves_healthy_runs_alone(settings: Settings, redis: Redis) -> None:
    folder = create_run(settings.runs, ExperimentSpec(), "mine")
    folder.change_state("running", owner=str(new_owner()))
    create_run(settings.runs, ExperimentSpec(), "young")
    create_run(settings.runs, ExperimentSpec(), "damaged")
    (settings.runs / "damaged" / "state.json").write_text("{")
    wishes.ask(redis, Keys("nasw"), "mine", "pause")
    swept = Sweeper(settings, redis).sweep()
    assert (swept.interrupted, swept.queued, swept.killed) == ([], [], [])
    assert folder.state().state == "running"


def test_only_one_sweeps_at_a_time(settings: Settings, redis: Redis) -> None:
    redis.set(Keys("nasw").sweep_lock, "1")
    assert Sweeper(settings, redis).sweep() is None
    redis.delete(Keys("nasw").sweep_lock)
    assert Sweeper(settings, redis).sweep() is not None
    assert not redis.exists(Keys("nasw").sweep_lock)


def test_runs_that_had_begun_go_first_when_the_queue_is_rebuilt(
    settings: Settings, redis: Redis
) -> None:
    for number, name in enumerate(["a", "b", "c", "d"]):
        path = create_run(settings.runs, ExperimentSpec(), name).path
        state = json.loads((path / "state.json").read_text()) | {"changed": 1000.0 + number}
        (path / "state.json").write_text(json.dumps(state))
        if name in "bd":
            (path / "events.jsonl").touch()
    queue = RunQueue(redis, Keys("nasw"))
    queue.add(["waiting"])
    assert Sweeper(settings, redis).sweep().queued == ["b", "d", "a", "c"]
    entries = [entry.decode()[0] for entry in redis.lrange(queue.queue.key, 0, -1)]
    assert entries == ["b", "d", "w", "a", "c"]


# -- jobs -------------------------------------------------------------------------------------
def test_a_stop_before_the_start_is_honoured(
    settings: Settings,
    server: EmbeddedStore,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen = replace(settings, redis_url=server.address.url)

    def never(*_: object, **__: object) -> str:
        raise AssertionError("it must not run")

    folder = create_run(chosen.runs, ExperimentSpec(), "r")
    wishes.ask(redis, Keys("nasw"), "r", "stop")
    monkeypatch.setattr(jobs, "_workplace", jobs.Workplace(chosen, never))
    jobs.run_experiment("r")
    assert folder.state().state == "stopped"
    leaving = create_run(chosen.runs, ExperimentSpec(), "s")
    jobs.set_workplace(jobs.Workplace(chosen, never, shutdown=wishes.Shutdown(True)))
    jobs.run_experiment("s")
    assert leaving.state().state == "queued"


def test_an_engine_that_cannot_be_loaded_fails_the_run(
    settings: Settings,
    server: EmbeddedStore,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen = replace(settings, redis_url=server.address.url)
    folder = create_run(chosen.runs, ExperimentSpec(), "r")
    monkeypatch.setitem(sys.modules, "engine.experiment", None)
    monkeypatch.setattr(jobs, "_workplace", jobs.Workplace(chosen))
    with pytest.raises(RunError, match="The engine cannot be loaded"):
        jobs.run_experiment("r")
    assert folder.state().state == "failed"
    assert "make clean run" in folder.state().message


# -- status -----------------------------------------------------------------------------------
def test_workers_known_to_be_dead_are_not_shown(redis: Redis) -> None:
    queue = RunQueue(redis, Keys("t")).queue
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
    then = "2020-01-01T00:00:00.000000Z"
    alive, machine = str(new_owner()), new_owner().machine
    rows = {
        "idle": {"last_heartbeat": now, "state": "idle", "process": alive, "device": "CPU"},
        "silent": {"last_heartbeat": then, "state": "busy", "process": "worker:x:1:1.0:a"},
        "dead": {"last_heartbeat": now, "process": f"worker:{machine}:4194304:1.0:a"},
        "left": {"last_heartbeat": now, "death": now},
        "expired": {},
    }
    for name, fields in rows.items():
        redis.sadd("rq:workers:t-runs", f"rq:worker:{name}")
        if fields:
            redis.hset(f"rq:worker:{name}", mapping=fields)
    found = {worker.name: worker for worker in read_workers(redis, queue, Keys("t"))}
    assert set(found) == {"idle", "silent"}
    assert (found["idle"].state, found["idle"].device) == ("idle", "CPU")
    assert found["silent"].state == "silent"
