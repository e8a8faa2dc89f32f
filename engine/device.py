"""Which device computes, how much memory it has left, and in which precision."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

import psutil
import torch

from engine.spec.errors import SpecError
from engine.spec.network import NetworkSpec


def choose_device(wanted: str) -> torch.device:
    """Return the device for `auto`, `cpu` or `cuda`.

    Raises:
        SpecError: CUDA is asked for and there is none.
    """
    if wanted == "cpu":
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda")
    if wanted == "cuda":
        raise SpecError("device", "no CUDA device is visible here; use `cpu` or `auto`.")
    return torch.device("cpu")


# Below this many numbers in the stem's activations, handing work to a second thread costs more
# than it saves (C=8, 8x8, batch 64: 2 threads took 1.3 to 2.5 times as long as one).
SMALL_ACTIVATIONS = 262_144


def use_threads(device: torch.device, network: NetworkSpec, batch_size: int) -> None:
    """Choose the number of CPU threads from the size of the work alone.

    The rule must not look at the machine's load: the number of threads is part of what makes
    two runs of the same spec give identical bits.
    """
    if device.type == "cpu":
        numbers = batch_size * network.channels * network.resolution**2
        cores = os.cpu_count() or 1
        torch.set_num_threads(1 if numbers < SMALL_ACTIVATIONS else cores)


def describe_device(device: torch.device) -> str:
    """Return a readable name, such as `CPU (2 threads)`."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    count = torch.get_num_threads()
    return f"CPU ({count} thread{'s' if count != 1 else ''})"


def free_bytes(device: torch.device) -> int:
    """Return the memory that can still be allocated."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def peak_megabytes(device: torch.device) -> float:
    """Return the most memory used so far: the device's, or this process's on CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return psutil.Process().memory_info().rss / 2**20


def precision(name: str, device: torch.device) -> AbstractContextManager[object]:
    """Return the autocast context of a precision setting."""
    if name == "bfloat16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()
