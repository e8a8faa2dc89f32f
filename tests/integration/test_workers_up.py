"""The one command: starts everything, survives its parts, ends cleanly, finds all as it was."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from workers_lab import fake_spec, wait_for

from workers.client import Client
from workers.launch import page_answers
from workers.settings import ROOT, Settings
from workers.store import read_address

UP = (sys.executable, str(Path(__file__).with_name("fake_up.py")))


class House:
    """Instances started in one folder, and everything they leave behind."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.settings = settings
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *command: str, **extra: str) -> subprocess.Popen[str]:
        """Start an instance."""
        environment = os.environ | self.settings.to_environment() | {"PYTHONPATH": str(ROOT)}
        instance = subprocess.Popen(
            command or UP,
            env=environment | extra,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self.started.append(instance)
        return instance

    def up(self) -> tuple[subprocess.Popen[str], str]:
        """Start an instance and wait for the line with its address."""
        instance = self.start()
        line = instance.stdout.readline()
        assert line.startswith("NAS Workbench is at http://127.0.0.1:"), instance.stderr.read()
        return instance, line.split()[4]

    def processes(self) -> list[psutil.Process]:
        """Return all processes that work in this folder."""
        found = []
        for process in psutil.process_iter():
            try:
                here = process.environ().get("NASW_DATA") == str(self.settings.data)
                here = here or process.cwd().startswith(str(self.folder))
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue
            if here and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        return found

    def named(self, part: str) -> psutil.Process:
        """Return the process with a word in its command."""
        matching = [p for p in self.processes() if part in " ".join(p.cmdline())]
        return min(matching, key=lambda p: p.create_time())

    def end(self) -> None:
        """Leave nothing behind."""
        for process in [*self.processes()]:
            process.kill()
        for instance in self.started:
            instance.kill()
            instance.communicate()


def finish(instance: subprocess.Popen[str], number: int = signal.SIGINT) -> tuple[int, str, str]:
    """Send a signal and return exit code, and the rest of both outputs."""
    instance.send_signal(number)
    out, err = instance.communicate(timeout=30)
    return instance.returncode, out, err


def notes(client: Client, run_id: str) -> list[str]:
    """Return what a fake run has told."""
    return [e["message"] for e in client.folder(run_id).events() if e["type"] == "note"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    page = tmp_path / "page.py"
    page.write_text("import streamlit as st\nst.write('hello')\n")
    settings = Settings(
        data=tmp_path / "data",
        runs=tmp_path / "runs",
        page=page,
        devices="cpu",
        sweep_seconds=1.0,
        shutdown_seconds=10.0,
    )
    house = House(tmp_path, settings)
    yield house
    house.end()


def websocket_status(port: int, name: str) -> int:
    """Return the answer to a page opened under a host name."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.putrequest("GET", "/_stcore/stream", skip_host=True)
    for key, value in {
        "Host": f"{name}:{port}",
        "Origin": f"http://{name}:{port}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }.items():
        connection.putheader(key, value)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


def test_start_work_end_and_start_again(house: House) -> None:
    instance, address = house.up()
    port = int(address.rpartition(":")[2])
    assert websocket_status(port, "localhost") == 101
    assert websocket_status(port, "evil.example") == 403, "no other site may drive the page"

    second = house.start()
    assert second.wait(20) == 1
    refusal = second.stderr.read().strip()
    assert "\n" not in refusal
    assert f"already runs at {address}" in refusal
    assert f"(process {instance.pid})" in refusal

    client = Client(house.settings)
    going, waiting = client.submit(fake_spec(steps=40, hold=7), seeds=[1, 2])
    wait_for(lambda: len(notes(client, going)) == 7)
    code, out, err = finish(instance)
    assert (code, out) == (0, ""), "one line in all, and a clean end"
    assert err == "" or err.startswith("Ending; running runs write a checkpoint")
    assert house.processes() == []
    assert client.folder(going).state().state == "queued"
    assert len(notes(client, going)) == 7
    assert [row.state for row in client.list()] == ["queued", "queued"]

    instance, _ = house.up()
    wait_for(lambda: client.folder(going).state().state == "finished", 30)
    assert notes(client, going) == [f"step {n}" for n in range(1, 41)]
    wait_for(lambda: len(notes(client, waiting)) == 7)
    assert finish(instance, signal.SIGTERM)[0] == 0
    assert house.processes() == []


def test_killed_parts_come_back_and_a_killed_instance_is_cleaned_up(house: House) -> None:
    instance, address = house.up()
    client = Client(house.settings)
    [run_id] = client.submit(fake_spec(steps=40, hold=12))
    wait_for(lambda: len(notes(client, run_id)) == 12)
    before = read_address(house.settings)
    house.named("valkey-server").kill()
    wait_for(lambda: read_address(house.settings).pid != before.pid)
    assert read_address(house.settings).port == before.port
    wait_for(lambda: client.status().store_ok)
    page = house.named("streamlit")
    page.kill()
    wait_for(lambda: page_answers("127.0.0.1", int(address.rpartition(":")[2])))
    assert house.named("streamlit").pid != page.pid

    instance.kill()
    instance.communicate()
    left = len(house.processes())
    assert left >= 3
    again, _ = house.up()
    wait_for(lambda: client.folder(run_id).state().state == "finished", 30)
    assert notes(client, run_id) == [f"step {n}" for n in range(1, 41)]
    code, _, err = finish(again)
    assert code == 0
    assert "An earlier instance was killed" in err
    assert house.processes() == []


def test_a_taken_port_is_a_sentence_and_the_usual_one_gives_way(house: House) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        instance = house.start(NASW_PORT=str(port))
        assert instance.wait(20) == 1
    error = instance.stderr.read().strip()
    assert error.startswith(f"Port {port} (NASW_PORT) is taken")
    assert "\n" not in error
    assert instance.stdout.read() == ""
    assert house.processes() == []


def test_what_cannot_start_says_why(house: House) -> None:
    (house.folder / "file").write_text("not a folder")
    cases = [
        ({"NASW_RUNS": str(house.folder / "file")}, "NASW_RUNS"),
        ({"NASW_PAGE": str(house.folder / "none.py")}, "There is no page"),
        ({"REDIS_URL": "redis://127.0.0.1:9/0"}, "cannot be reached"),
        ({"NASW_DEVICES": "77"}, "There is no GPU 77"),
    ]
    running = [
        (house.start(**({"NASW_DATA": str(house.folder / str(number))} | extra)), part)
        for number, (extra, part) in enumerate(cases)
    ]
    for instance, part in running:
        out, error = instance.communicate(timeout=60)
        assert instance.returncode == 1
        assert part in error
        assert error.count("\n") == 1, error
        assert out == ""


def test_a_page_that_cannot_start_ends_it_with_a_sentence(house: House) -> None:
    broken = house.folder / "broken"
    broken.mkdir()
    (broken / "streamlit.py").write_text("raise ImportError('half installed')")
    instance = house.start(PYTHONPATH=f"{broken}{os.pathsep}{ROOT}")
    out, error = instance.communicate(timeout=60)
    assert instance.returncode == 1
    assert "page ends again and again; see" in error
    assert out == ""
    time.sleep(0.1)
    assert house.processes() == []


def test_an_incomplete_installation_is_a_sentence(house: House) -> None:
    broken = house.folder / "broken"
    broken.mkdir()
    (broken / "rq.py").write_text("raise ImportError('half installed')")
    instance = house.start(
        sys.executable, "-m", "workers.up", PYTHONPATH=f"{broken}{os.pathsep}{ROOT}"
    )
    out, error = instance.communicate(timeout=60)
    assert instance.returncode == 1
    assert "The installation is not complete" in error
    assert error.count("\n") == 1
    assert out == ""
