"""Which state may follow which, who may say so, and that two claims never both succeed."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from tiny_runs import new_run, read_state

from engine.runs import SILENT_SECONDS, RunFolder, RunState, create_run, open_run, write_json
from engine.spec.errors import RunError
from engine.states import RESUMABLE, STATES, TERMINAL, State

ROOT = Path(__file__).resolve().parents[3]

# queued -> running <-> paused -> finished | failed | stopped; interrupted when the owner vanished;
# deleted can be taken back; nothing leaves finished but into the bin.
ALLOWED: dict[State, str] = {
    "queued": "running stopped failed deleted",
    "running": "paused finished failed stopped interrupted",
    "paused": "queued running stopped deleted",
    "interrupted": "queued running stopped deleted",
    "stopped": "queued running deleted",
    "failed": "queued running deleted",
    "finished": "deleted",
    "deleted": "stopped failed finished paused interrupted queued",
}


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return new_run(tmp_path)


def put(folder: RunFolder, state: State, owner: str = "", age: float = 0.0) -> RunState:
    """Write a state by hand, as old as wanted."""
    then = time.time() - age
    value = RunState(state, "before", owner, then, then, then)
    write_json(folder.path / "state.json", asdict(value))
    return value


@pytest.mark.parametrize(("before", "after"), list(itertools.product(STATES, STATES)))
def test_transitions(before: State, after: State, folder: RunFolder) -> None:
    old = put(folder, before, owner="me")
    if after in ALLOWED[before].split():
        returned = folder.change_state(after, "why", owner="you")
        new = folder.state()
        assert new == returned
        assert (new.state, new.message, new.owner) == (after, "why", "you")
        assert new.created == old.created
        assert old.changed < new.changed == new.heartbeat
    else:
        with pytest.raises(RunError, match=f"is {before} and cannot become {after}; possible"):
            folder.change_state(after)
        assert folder.state() == old


def test_a_new_run_is_queued_and_nobody_owns_it(folder: RunFolder) -> None:
    state = folder.state()
    assert (state.state, state.owner, state.message) == ("queued", "", "")
    assert not folder.resumable


def test_sets_of_states() -> None:
    assert {"paused", "interrupted", "stopped", "failed"} == RESUMABLE
    assert {"finished", "failed", "stopped", "deleted"} == TERMINAL
    for state in RESUMABLE:
        assert {"queued", "running"} <= set(ALLOWED[state].split())


# -- silence ------------------------------------------------------------------------------------
def test_a_silent_owner_is_seen_as_interrupted(folder: RunFolder) -> None:
    state = put(folder, "running", "me")
    then = state.heartbeat
    assert state.seen_at(then + SILENT_SECONDS) == "running"
    assert state.seen_at(then + SILENT_SECONDS + 0.1) == "interrupted"
    assert put(folder, "paused").seen_at(then + 1e6) == "paused"


@pytest.mark.parametrize("after", STATES)
def test_a_silent_run_can_do_what_an_interrupted_one_can(after: State, folder: RunFolder) -> None:
    put(folder, "running", "me", age=SILENT_SECONDS + 1)
    assert folder.resumable
    if after in [*ALLOWED["interrupted"].split(), "interrupted"]:
        assert folder.change_state(after, owner="you").state == after
    else:
        with pytest.raises(RunError):
            folder.change_state(after)
        assert read_state(folder)["state"] == "running"


@pytest.mark.parametrize("age", [0.0, SILENT_SECONDS + 1])
def test_the_owner_itself_may_end_its_run_even_after_silence(
    age: float, folder: RunFolder
) -> None:
    put(folder, "running", "me", age)
    assert folder.change_state("finished", by="me").state == "finished"


@pytest.mark.parametrize(
    ("state", "owner"), [("running", "another"), ("paused", "me"), ("interrupted", "")]
)
def test_nobody_else_may_end_it(state: State, owner: str, folder: RunFolder) -> None:
    before = put(folder, state, owner)
    with pytest.raises(RunError, match="taken over"):
        folder.change_state("finished", by="me")
    with pytest.raises(RunError, match="taken over"):
        folder.beat("me")
    with pytest.raises(RunError, match="taken over"):
        folder.require_owner("me")
    assert folder.state() == before


def test_a_beat_renews_the_sign_of_life_only(folder: RunFolder) -> None:
    before = put(folder, "running", "me", age=30)
    folder.require_owner("me")
    folder.beat("me")
    after = folder.state()
    assert after.heartbeat > before.heartbeat + 25
    assert asdict(after) | {"heartbeat": 0} == asdict(before) | {"heartbeat": 0}


# -- damage -------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", ["", "{", "[]", '{"state": "running"}'])
def test_a_damaged_state_is_a_sentence(text: str, folder: RunFolder) -> None:
    (folder.path / "state.json").write_text(text)
    with pytest.raises(RunError, match=r"state\.json"):
        folder.state()
    with pytest.raises(RunError, match=r"state\.json"):
        folder.change_state("running", owner="me")


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "/etc", "-x", "x" * 101, "a b", "a\n"])
def test_run_ids_are_plain_names(name: str, tmp_path: Path, folder: RunFolder) -> None:
    with pytest.raises(RunError, match="is not a run id"):
        open_run(tmp_path, name)
    with pytest.raises(RunError, match="is not a run id"):
        create_run(tmp_path, folder.spec(), name or "\n")


def test_a_run_id_is_taken_once(tmp_path: Path, folder: RunFolder) -> None:
    before = read_state(folder)
    with pytest.raises(RunError, match="There is already a run run"):
        new_run(tmp_path)
    assert read_state(folder) == before
    with pytest.raises(RunError, match="There is no run other"):
        open_run(tmp_path, "other")


# -- two at once --------------------------------------------------------------------------------
CLAIM = """
import sys, time
from pathlib import Path
from engine.runs import list_runs
from engine.spec.errors import RunError
me, runs, go = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
folders = list_runs(runs)
Path(go.parent / me).touch()
while not go.exists():
    time.sleep(0.001)
for folder in folders:
    try:
        folder.change_state("running", owner=me)
        print(folder.run_id)
    except RunError:
        pass
"""


def test_two_processes_claim_and_exactly_one_wins(tmp_path: Path, folder: RunFolder) -> None:
    runs, names = tmp_path / "many", [f"run{number:02}" for number in range(40)]
    for name in names:
        create_run(runs, folder.spec(), name)
    go = tmp_path / "go"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM, me, str(runs), str(go)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for me in ("first", "second")
    ]
    while not all((tmp_path / me).exists() for me in ("first", "second")):
        assert all(process.poll() is None for process in processes)
        time.sleep(0.01)
    go.touch()
    first, second = (process.communicate(timeout=60)[0].split() for process in processes)
    assert sorted(first + second) == names
    for name, owner in [(n, "first") for n in first] + [(n, "second") for n in second]:
        assert open_run(runs, name).state().owner == owner
