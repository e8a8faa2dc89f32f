"""Memory and load of a device, as its own program and the operating system tell them."""

from __future__ import annotations

import json
from dataclasses import asdict

import psutil
import pytest

from workers.devices import CPU, Device
from workers.gauge import Reading, parse_query, read_device


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1024, 81559, 37\n", Reading(1024 * 2**20, 81559 * 2**20, 0.37)),
        ("1024, 81559, [N/A]\n", Reading(1024 * 2**20, 81559 * 2**20, None)),
        ("[N/A], [N/A], [N/A]\n", None),
        ("", None),
        ("no devices were found", None),
    ],
)
def test_what_the_drivers_program_says(text: str, found: Reading | None) -> None:
    assert parse_query(text) == found


def test_a_cpu_has_the_machines_memory_and_a_gpu_without_its_program_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = read_device(CPU)
    assert found is not None and 0 < found.used < found.total == psutil.virtual_memory().total
    assert Reading.parse(json.dumps(asdict(found)).encode()) == found
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert read_device(Device("gpu0", "GPU", "GPU-1")) is None


@pytest.mark.parametrize("text", [None, b"", b"[1]", b'{"used": "x"}', b'{"used": 1}'])
def test_a_damaged_reading_is_none(text: bytes | None) -> None:
    assert Reading.parse(text) is None
