"""Is this machine fit for experiments? One finding a line, each with what to do about it."""

from __future__ import annotations

import os
import platform
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import psutil

from engine.lab_folders import data_folder
from engine.store_ping import ping

ROOT = Path(__file__).resolve().parent.parent
LEAST_PYTHON = (3, 11)
FEW_BYTES, LITTLE_BYTES = 1_000_000_000, 5_000_000_000
LITTLE_MEMORY = 1_000_000_000
INSTALL = "make clean run"
CUDA_BUILD = (
    ".venv/bin/pip install torch=={version} --index-url https://download.pytorch.org/whl/cu130"
)
_LINE = re.compile(r"(?P<name>[A-Za-z0-9_.-]+)(==(?P<version>[^\s;]+))?\s*(?P<marker>;.*)?")

Verdict = Literal["ok", "warn", "fail"]
Report = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what it is.
        verdict: ok, warn (something will not work, or not well) or fail (nothing will).
        found: what was found.
        remedy: what to do; empty where nothing needs to be done.
    """

    name: str
    verdict: Verdict
    found: str
    remedy: str = ""


def examine(store: bool, report: Report = lambda what, done, total: None) -> list[Finding]:
    """Look at everything.

    Args:
        store: ask the store at REDIS_URL, too.
        report: called with what is looked at.
    """
    runs = Path(os.environ.get("NASW_RUNS") or "runs").absolute()
    data = data_folder().absolute()
    looks: list[tuple[str, Callable[[], list[Finding]]]] = [
        ("Python", lambda: [python(sys.version_info[:3])]),
        ("Packages", lambda: [packages(ROOT / "requirements.txt")]),
        ("torch and GPU", lambda: [torch_build(), *kernels()]),
        ("Folders", lambda: [writable("Runs folder", runs, "NASW_RUNS"),
                             writable("Data folder", data, "NASW_DATA")]),
        ("Disk and memory", lambda: [disk(runs), memory()]),
        ("Data sets", lambda: data_sets(data / "datasets")),
    ]  # fmt: skip
    if store:
        looks.append(("Store", lambda: [reachable(os.environ.get("REDIS_URL", ""))]))
    findings: list[Finding] = []
    for position, (name, look) in enumerate(looks):
        report(f"Looking at {name}", position, len(looks))
        findings += look()
    return findings


def python(version: tuple[int, ...]) -> Finding:
    """Judge the version of Python."""
    found = f"{'.'.join(map(str, version))} on {platform.system()} {platform.machine()}"
    if version[:2] < LEAST_PYTHON:
        least = ".".join(map(str, LEAST_PYTHON))
        remedy = f"Install Python {least} or newer, then PYTHON=/path/to/it {INSTALL}."
        return Finding("Python", "fail", found, remedy)
    return Finding("Python", "ok", found)


def packages(file: Path) -> Finding:
    """Compare what is installed with the pinned requirements.

    A line with a marker is for some machines only, so that its lack is worth a warning.
    """
    missing, other, optional, count = [], [], [], 0
    for line in file.read_text(encoding="utf-8").splitlines():
        pinned = _LINE.match(line.partition("#")[0].strip())
        if pinned is None:
            continue
        count += 1
        have = _installed(pinned["name"])
        if have is None:
            (optional if pinned["marker"] else missing).append(pinned["name"])
        elif pinned["version"] and have.partition("+")[0] != pinned["version"]:
            other.append(f"{pinned['name']} {have} instead of {pinned['version']}")
    if missing:
        return Finding(
            "Packages", "fail", f"missing: {', '.join(missing)}", f"Install them: `{INSTALL}`."
        )
    if other:
        remedy = (
            f"Other versions may work but are not tested; `{INSTALL}` installs the pinned ones."
        )
        return Finding("Packages", "warn", "; ".join(other), remedy)
    if optional:
        return Finding("Packages", "warn", f"missing: {', '.join(optional)}",
                       "Needed for the GPU kernels only.")  # fmt: skip
    return Finding("Packages", "ok", f"all {count} as pinned")


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def torch_build() -> Finding:
    """Tell whether torch can use the GPU, if there is one."""
    try:
        import torch
    except (ImportError, OSError) as error:
        return Finding("torch", "fail", f"cannot be loaded: {error}", f"Reinstall: `{INSTALL}`.")
    gpus = _gpus()
    build = f"torch {torch.__version__}, CUDA {torch.version.cuda or 'not built in'}"
    if torch.cuda.is_available():
        names = {torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())}
        return Finding("torch", "ok", f"{build}; {', '.join(sorted(names))}")
    if gpus:
        version = torch.__version__.partition("+")[0]
        remedy = f"Install a CUDA build: `{CUDA_BUILD.format(version=version)}`."
        if torch.version.cuda:
            remedy = (
                "The driver may be too old for this build: update it, or install an older one."
            )
        return Finding("torch", "warn", f"{build}; it cannot use {', '.join(gpus)}", remedy)
    threads = f"{os.cpu_count()} cores"
    return Finding("torch", "ok", f"{build}; no GPU here, experiments run on {threads}")


def _gpus() -> list[str]:
    """Return the names of GPUs that the driver knows, asked without torch."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    command = [program, "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.strip().splitlines() if done.returncode == 0 else []


def kernels() -> list[Finding]:
    """Tell whether the fused operations compute what they say."""
    try:
        from engine.kernel_check import kernel_report

        found = kernel_report(check=True)
    except Exception as error:  # whatever a driver or compiler may raise is a finding
        remedy = "Set NAS_KERNELS=reference to go on without them."
        return [Finding("Kernels", "warn", f"{type(error).__name__}: {error}", remedy)]
    results = []
    for row in found["operations"]:
        said = f"{row['operation']} runs as {row['implementation']}: {row['reason']}"
        if row["sound"]:
            results.append(Finding("Kernels", "ok", said))
        else:
            wrong = f"{said}; it is wrong by {row['worst']:.1e}"
            remedy = "Set NAS_KERNELS=reference, and report the GPU and versions."
            results.append(Finding("Kernels", "fail", wrong, remedy))
    return results


def writable(name: str, folder: Path, variable: str) -> Finding:
    """Try to write into a folder, or into where it will be made."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    probe = place / f".doctor-{secrets.token_hex(4)}"
    try:
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        remedy = f"Make it writable, or name another folder with {variable}."
        return Finding(name, "fail", f"{folder} cannot be written ({error.strerror})", remedy)
    return Finding(name, "ok", str(folder) if place == folder else f"{folder} (not made yet)")


def disk(folder: Path) -> Finding:
    """Judge the free disk space where the runs are."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    return judged_disk(shutil.disk_usage(place).free)


def judged_disk(free: int) -> Finding:
    """Judge a number of free bytes."""
    found = f"{free / 1e9:.1f} GB free where the runs are"
    remedy = "Checkpoints need space: delete old runs, or move NASW_RUNS to a larger disk."
    if free < FEW_BYTES:
        return Finding("Disk", "fail", found, remedy)
    return Finding("Disk", "warn", found, remedy) if free < LITTLE_BYTES else Finding(
        "Disk", "ok", found
    )  # fmt: skip


def memory() -> Finding:
    """Judge the free memory."""
    free, total = psutil.virtual_memory().available, psutil.virtual_memory().total
    found = f"{free / 1e9:.1f} of {total / 1e9:.1f} GB free"
    if free < LITTLE_MEMORY:
        return Finding("Memory", "warn", found, "End other programs, or runs will be killed.")
    return Finding("Memory", "ok", found)


def data_sets(folder: Path) -> list[Finding]:
    """Tell which data sets that can be fetched are here; none of them is needed to begin."""
    from engine.datasets.cifar_layout import LAYOUTS

    found = [Finding("Handwritten digits", "ok", "come with scikit-learn")]
    for name, layout in sorted(LAYOUTS.items()):
        here = [a.file_name for a in layout.archives if (folder / a.file_name).is_file()]
        if here:
            found.append(Finding(layout.title, "ok", str(folder / here[0])))
        else:
            remedy = f"`python -m engine data fetch {name}` brings it."
            said = "not here; needed for experiments on it only"
            found.append(Finding(layout.title, "ok", said, remedy))
    return found


def reachable(url: str) -> Finding:
    """Ask the store whether it answers."""
    if not url:
        remedy = "Set REDIS_URL, or use `make run`, which brings a store of its own."
        return Finding("Store", "warn", "REDIS_URL is not set", remedy)
    try:
        where, seconds = ping(url)
    except (OSError, ValueError) as error:
        remedy = "Check that it runs, and address and password in REDIS_URL."
        return Finding("Store", "fail", str(error) or type(error).__name__, remedy)
    return Finding("Store", "ok", f"{where} answers within {1000 * seconds:.1f} ms")
