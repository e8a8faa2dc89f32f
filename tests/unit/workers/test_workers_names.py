"""Settings, keys, job ids, owners and devices."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers import devices
from workers.devices import CPU, parse_listing, visible_devices
from workers.identity import Owner, new_owner, process_alive
from workers.keys import new_job_id, run_of
from workers.settings import Settings, SettingsError

LISTING = """\
GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-11111111-aaaa-bbbb-cccc-000000000000)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-22222222-aaaa-bbbb-cccc-000000000000)
  MIG 3g.20gb     Device  0: (UUID: MIG-33333333-aaaa-bbbb-cccc-000000000000)
  MIG 2g.10gb     Device  1: (UUID: MIG-44444444-aaaa-bbbb-cccc-000000000000)
"""
run_ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", fullmatch=True)


# -- settings ---------------------------------------------------------------------------------
def test_settings_have_defaults_and_survive_the_way_to_another_process(tmp_path: Path) -> None:
    plain = Settings.from_environment({})
    assert (plain.data, plain.runs) == (Path(".data").absolute(), Path("runs").absolute())
    assert (plain.redis_url, plain.port, plain.host) == (None, None, "127.0.0.1")
    values = {
        "NASW_DATA": str(tmp_path / "a b"),
        "NASW_RUNS": str(tmp_path / "r"),
        "NASW_QUEUE_PREFIX": "team.a",
        "REDIS_URL": "redis://:secret@host:6379/2",
        "NASW_SWEEP_SECONDS": "2.5",
        "NASW_ALLOWED_HOSTS": "a.example, b.example",
        "NASW_DEVICES": "0,1",
    }
    chosen = Settings.from_environment(values)
    assert chosen.allowed_hosts == ("a.example", "b.example")
    assert chosen.sweep_seconds == 2.5
    assert Settings.from_environment(chosen.to_environment()) == chosen


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NASW_PORT", "0"),
        ("NASW_PORT", "70000"),
        ("NASW_PORT", "-1"),
        ("NASW_STORE_PORT", "x"),
        ("NASW_QUEUE_PREFIX", "a b"),
        ("NASW_QUEUE_PREFIX", "a" * 41),
        ("NASW_SWEEP_SECONDS", "0"),
        ("NASW_STOP_SECONDS", "nan"),
        ("NASW_SHUTDOWN_SECONDS", "soon"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"{name} is `{value}`; "):
        Settings.from_environment({name: value})


# -- job ids ----------------------------------------------------------------------------------
@given(run_ids)
def test_a_job_id_tells_its_run_and_is_one_that_rq_accepts(run_id: str) -> None:
    from rq.job import validate_job_id

    first, second = new_job_id(run_id), new_job_id(run_id)
    validate_job_id(first)
    assert run_of(first) == run_of(second) == run_id
    assert first != second


@pytest.mark.parametrize(
    "job_id", ["", "x", "a" * 40, "a_b_x00000000", "a/b_x00000000", "a_xABCDEF00", "é_x00000000"]
)
def test_what_is_no_job_id_of_ours_has_no_run(job_id: str) -> None:
    assert run_of(job_id) is None


# -- owners -----------------------------------------------------------------------------------
def test_an_owner_tells_whether_its_process_lives() -> None:
    me = new_owner()
    assert Owner.parse(str(me)) == Owner(me.machine, me.pid, round(me.started, 2), me.nonce)
    assert Owner.parse(str(me)).alive() is True
    assert str(new_owner()) != str(new_owner())
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    gone = Owner(me.machine, child.pid, me.started, "")
    child.wait()
    assert gone.alive() is False
    assert Owner("elsewhere", os.getpid(), me.started, "").alive() is None
    assert process_alive(os.getpid(), me.started - 60) is False, "another process had this id"


def test_a_process_that_ended_but_was_not_collected_is_dead() -> None:
    import psutil

    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    began = psutil.Process(child.pid).create_time()
    assert process_alive(child.pid, began)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not process_alive(child.pid, began)
    child.communicate()


@pytest.mark.parametrize(
    "text", ["", "host:12:ab", "worker:a:b:c:d", "worker:a:1:2.0", "x:a:1:2:3"]
)
def test_other_owners_are_not_ours(text: str) -> None:
    assert Owner.parse(text) is None


# -- devices ----------------------------------------------------------------------------------
def labels(found: list[devices.Device]) -> list[str]:
    """Return the labels of devices."""
    return [device.label for device in found]


def test_gpus_and_their_slices_are_read() -> None:
    found = parse_listing(LISTING)
    assert labels(found) == ["gpu0", "gpu1.0", "gpu1.1"]
    assert found[0].name == "NVIDIA H100 80GB HBM3 (GPU 0)"
    assert found[0].visible == "GPU-11111111-aaaa-bbbb-cccc-000000000000"
    assert "3g.20gb" in found[1].name
    assert found[2].visible.startswith("MIG-4444")
    assert parse_listing("No devices were found\n") == []


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a stand-in for nvidia-smi on the path, as this machine may have none."""
    path = tmp_path / "nvidia-smi"
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{LISTING}END\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return path


@pytest.mark.parametrize(
    ("wanted", "environment", "expected"),
    [
        ("auto", {}, ["gpu0", "gpu1.0", "gpu1.1"]),
        ("auto", {"CUDA_VISIBLE_DEVICES": "0"}, ["gpu0"]),
        ("auto", {"CUDA_VISIBLE_DEVICES": ""}, ["cpu"]),
        ("auto", {"CUDA_VISIBLE_DEVICES": "-1"}, ["cpu"]),
        ("auto", {"CUDA_VISIBLE_DEVICES": "MIG-4444,9,0"}, ["gpu1.1"]),
        ("0", {}, ["gpu0"]),
        ("gpu1.1,0", {}, ["gpu1.1", "gpu0"]),
        ("GPU-11111111-aaaa-bbbb-cccc-000000000000", {}, ["gpu0"]),
        ("cpu", {}, ["cpu"]),
    ],
)
def test_devices_are_chosen(
    program: Path, wanted: str, environment: dict[str, str], expected: list[str]
) -> None:
    assert labels(visible_devices(wanted, environment)) == expected


@pytest.mark.parametrize("wanted", ["5", "0,5", ",", "gpu"])
def test_a_gpu_that_is_not_there_is_a_sentence(program: Path, wanted: str) -> None:
    with pytest.raises(SettingsError, match=r"visible: gpu0, gpu1\.0, gpu1\.1.*`cpu`"):
        visible_devices(wanted, {})


def test_a_driver_that_does_not_answer_means_no_gpu(program: Path) -> None:
    program.write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed'\nexit 9\n")
    assert visible_devices("auto", {}) == [CPU]
    program.write_text("not a program")
    assert visible_devices("auto", {}) == [CPU]


def test_the_pages_door_and_the_worker_load_no_torch() -> None:
    code = (
        "import sys, workers.client, workers.worker, workers.jobs, workers.launch\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
