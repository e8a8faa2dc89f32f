"""Which devices this machine has, found without loading torch or touching CUDA."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from workers.settings import SettingsError

_GPU = re.compile(r"GPU (\d+): (.+) \(UUID: (GPU-[0-9a-zA-Z-]+)\)")
_SLICE = re.compile(r"\s+MIG (.+?)\s+Device\s+(\d+): \(UUID: (MIG-[0-9a-zA-Z/-]+)\)")


@dataclass(frozen=True)
class Device:
    """What one worker computes on.

    Attributes:
        label: short, for names of workers and logs: `cpu`, `gpu0`, `gpu0.1`.
        name: for people, such as `NVIDIA H100 (GPU 0)`.
        visible: value of CUDA_VISIBLE_DEVICES that shows a process this device only.
    """

    label: str
    name: str
    visible: str


CPU = Device("cpu", "CPU", "")


def parse_listing(text: str) -> list[Device]:
    """Read the output of `nvidia-smi -L`; a GPU cut into slices gives its slices instead."""
    whole: dict[str, Device] = {}
    slices: dict[str, list[Device]] = {}
    number = ""
    for line in text.splitlines():
        if match := _GPU.match(line):
            number, name, uuid = match.groups()
            whole[number] = Device(f"gpu{number}", f"{name} (GPU {number})", uuid)
        elif match := _SLICE.match(line):
            profile, position, uuid = match.groups()
            label = f"{whole[number].name}, slice {position} ({profile})"
            slices.setdefault(number, []).append(Device(f"gpu{number}.{position}", label, uuid))
    return [d for one, gpu in whole.items() for d in slices.get(one, [gpu])]


def all_gpus() -> list[Device]:
    """Ask the driver's own program; no program or no answer means no GPU."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        found = subprocess.run(
            [program, "-L"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return parse_listing(found.stdout) if found.returncode == 0 else []


def visible_devices(
    wanted: str = "auto", environment: Mapping[str, str] | None = None
) -> list[Device]:
    """Return the devices to give a worker each; the CPU when there is no GPU.

    Args:
        wanted: `auto` for all GPUs, `cpu`, or numbers or UUIDs of GPUs, separated by commas.
        environment: where CUDA_VISIBLE_DEVICES may already have made a choice.

    Raises:
        SettingsError: a wanted GPU is not there.
    """
    if wanted == "cpu":
        return [CPU]
    values = os.environ if environment is None else environment
    gpus = all_gpus()
    chosen = values.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        gpus = _listed(chosen, gpus)
    if wanted == "auto":
        return gpus or [CPU]
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    picked = [_find(name, gpus) for name in names]
    missing = [name for name, device in zip(names, picked, strict=True) if device is None]
    if missing or not names:
        there = ", ".join(device.label for device in gpus) or "none"
        raise SettingsError(
            f"There is no GPU {', '.join(missing) or wanted} here (visible: {there}); "
            "choose another with NASW_DEVICES or --device, or use `cpu`."
        )
    return [device for device in picked if device is not None]


def _listed(chosen: str, gpus: list[Device]) -> list[Device]:
    """Keep what CUDA_VISIBLE_DEVICES shows; like CUDA, stop at the first unknown name."""
    kept = []
    for name in (part.strip() for part in chosen.split(",")):
        device = _find(name, gpus)
        if device is None:
            break
        kept.append(device)
    return kept


def _find(name: str, gpus: list[Device]) -> Device | None:
    for device in gpus:
        number = device.label.removeprefix("gpu")
        if name and (name in (number, device.label) or device.visible.startswith(name)):
            return device
    return None
