"""Who runs a run: an owner name from which every process can tell whether that one still lives."""

from __future__ import annotations

import functools
import hashlib
import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil

CLOCK_TOLERANCE = 3.0  # seconds by which a process's start time may differ when read again


@dataclass(frozen=True)
class Owner:
    """The process that executes a run.

    Attributes:
        machine: fingerprint of the machine, its boot and its process namespace.
        pid: process id there.
        started: Unix seconds when that process began.
        nonce: makes two executions by one process differ.
    """

    machine: str
    pid: int
    started: float
    nonce: str

    def __str__(self) -> str:
        return f"worker:{self.machine}:{self.pid}:{self.started:.2f}:{self.nonce}"

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """Read an owner name; None when it is not a worker's (a run in a terminal, say)."""
        parts = text.split(":")
        if len(parts) != 5 or parts[0] != "worker":
            return None
        try:
            return cls(parts[1], int(parts[2]), float(parts[3]), parts[4])
        except ValueError:
            return None

    def alive(self) -> bool | None:
        """Tell whether the process lives; None when it is on another machine."""
        if self.machine != this_machine():
            return None
        return process_alive(self.pid, self.started)


def new_owner() -> Owner:
    """Return a name for an execution by this process."""
    started = psutil.Process().create_time()
    return Owner(this_machine(), os.getpid(), started, secrets.token_hex(4))


def process_alive(pid: int, started: float) -> bool:
    """Tell whether a process lives and is the one that began at `started` (Unix seconds)."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return bool(abs(process.create_time() - started) <= CLOCK_TOLERANCE)
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # gone, or by now somebody else's
        return False


@functools.cache
def this_machine() -> str:
    """Return a fingerprint that differs between machines, boots and containers."""
    parts = [socket.gethostname(), str(os.getuid())]
    boot = Path("/proc/sys/kernel/random/boot_id")
    parts.append(boot.read_text().strip() if boot.is_file() else f"{psutil.boot_time():.0f}")
    namespace = Path("/proc/self/ns/pid")
    if namespace.is_symlink():
        parts.append(os.readlink(namespace))
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]
