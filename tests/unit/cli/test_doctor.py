"""The doctor and the self-check of the kernels: what is right, what is wrong, what to do."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from engine import doctor, kernel_check
from engine.cli import app
from engine.store_ping import ping


def test_an_old_python_fails_with_the_remedy() -> None:
    assert doctor.python((3, 11, 0)).verdict == "ok"
    old = doctor.python((3, 10, 9))
    assert old.verdict == "fail" and "3.11 or newer" in old.remedy


@pytest.mark.parametrize(
    ("lines", "verdict", "said"),
    [
        ("# nothing\n", "ok", "all 0"),
        ("numpy\n", "ok", "all 1"),
        ("numpy==0.0.1  # old\n", "warn", "instead of 0.0.1"),
        ("no-such-package==1\n", "fail", "missing: no-such-package"),
        ('no-such-package; platform_system == "Linux"\n', "warn", "missing: no-such-package"),
        ("numpy==0.0.1\nno-such-package==1\n", "fail", "no-such-package"),
    ],
)
def test_packages_are_compared_with_the_pins(
    tmp_path: Path, lines: str, verdict: str, said: str
) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(lines)
    found = doctor.packages(file)
    assert found.verdict == verdict and said in found.found
    assert bool(found.remedy) == (verdict != "ok")


def test_what_is_installed_here_is_what_is_pinned() -> None:
    assert doctor.packages(doctor.ROOT / "requirements.txt").verdict in ("ok", "warn")


def test_folders_that_cannot_be_written_fail(tmp_path: Path) -> None:
    assert doctor.writable("Runs", tmp_path / "new" / "runs", "NASW_RUNS").verdict == "ok"
    assert list(tmp_path.iterdir()) == [], "it leaves nothing"
    file = tmp_path / "file"
    file.touch()
    wrong = doctor.writable("Runs", file, "NASW_RUNS")
    assert wrong.verdict == "fail" and "NASW_RUNS" in wrong.remedy


@pytest.mark.parametrize(
    ("free", "verdict"), [(10**8, "fail"), (2 * 10**9, "warn"), (10**11, "ok")]
)
def test_little_disk_space_is_told(free: int, verdict: str) -> None:
    assert doctor.judged_disk(free).verdict == verdict


def test_a_gpu_that_torch_cannot_use_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(doctor, "_gpus", lambda: ["NVIDIA X"])
    found = doctor.torch_build()
    assert found.verdict == "warn" and "NVIDIA X" in found.found and found.remedy
    monkeypatch.setattr(doctor, "_gpus", lambda: [])
    assert doctor.torch_build().verdict == "ok"


# -- the store ----------------------------------------------------------------------------------
def served(*answers: bytes) -> tuple[int, list[bytes]]:
    """Start a server that gives these answers; return its port and what it is told."""
    listener, told = socket.create_server(("127.0.0.1", 0)), list[bytes]()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, listener:
            for answer in answers:
                told.append(connection.recv(1000))
                connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1], told


def test_the_store_is_asked_in_its_own_language() -> None:
    port, told = served(b"+OK\r\n", b"+PONG\r\n")
    where, seconds = ping(f"redis://:p%40ss@127.0.0.1:{port}/0")
    assert (where, 0 <= seconds < 3) == (f"127.0.0.1:{port}", True)
    assert told == [b"*2\r\n$4\r\nAUTH\r\n$4\r\np@ss\r\n", b"*1\r\n$4\r\nPING\r\n"]


def test_a_store_that_refuses_or_is_not_there_fails_without_its_password() -> None:
    port, _ = served(b"-WRONGPASS invalid\r\n")
    for url in (
        f"redis://:secret@127.0.0.1:{port}",
        "redis://:secret@127.0.0.1:9",
        "x",
        "http://y",
    ):
        found = doctor.reachable(url)
        assert found.verdict == "fail" and found.remedy
        assert "secret" not in found.found
    assert doctor.reachable("").verdict == "warn"


# -- kernels ------------------------------------------------------------------------------------
def test_the_self_check_finds_a_wrong_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    [right] = kernel_check.kernel_report(check=True, device="cpu")["operations"]
    assert right["sound"] and 0 < right["worst"] < 1e-5 and right["cases"] == 4
    plain = kernel_check._fused

    def wrong(*arguments: Any) -> Any:
        return plain(*arguments) * 1.001

    monkeypatch.setattr(kernel_check, "_fused", wrong)
    [found] = kernel_check.kernel_report(check=True, device="cpu")["operations"]
    assert found["sound"] is False and found["worst"] == pytest.approx(1e-3, rel=0.1)
    [looked] = kernel_check.kernel_report(check=False, device="cpu")["operations"]
    assert (looked["sound"], looked["worst"], looked["cases"]) == (None, None, 0)


# -- the commands -------------------------------------------------------------------------------
def test_the_commands_print_json_and_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASW_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("NASW_RUNS", str(tmp_path / "runs"))
    run = CliRunner().invoke
    findings = json.loads(run(app, ["doctor", "--json"]).stdout)["findings"]
    names = [one["name"] for one in findings]
    assert {"Python", "Packages", "torch", "Kernels", "Runs folder", "Disk", "CIFAR-10"} <= {
        *names
    }
    assert "Store" not in names
    assert {one["verdict"] for one in findings} <= {"ok", "warn", "fail"}
    assert list(tmp_path.iterdir()) == []
    assert "node_sum" in run(app, ["kernels", "--device", "cpu"]).stdout
    monkeypatch.setenv("NAS_KERNELS", "triton")
    with pytest.raises(kernel_check.TrainingError, match="cannot run in Triton here"):
        kernel_check.kernel_report(check=False, device="cpu")
