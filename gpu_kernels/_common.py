"""What every operation here shares: data types, memory layouts and launch sizes.

Only torch is imported: Triton is an optional part, and this file must load without it.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor

STORAGE_TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)

# Kernels add up offsets in 32-bit integers: 64-bit ones cost registers that no size met in
# architecture search needs.
LARGEST_INDEX = 2**31 - 1


def accumulation_type(dtype: torch.dtype) -> torch.dtype:
    """The type sums are kept in: float64 for float64, float32 for everything smaller."""
    return torch.float64 if dtype is torch.float64 else torch.float32


@functools.cache
def triton_is_installed() -> bool:
    """Whether `import triton` would find something; does not import it."""
    return importlib.util.find_spec("triton") is not None


def interpreter_is_asked_for() -> bool:
    """Whether TRITON_INTERPRET is set, in the spellings Triton itself takes for true."""
    return os.environ.get("TRITON_INTERPRET", "").lower() in {"1", "true", "yes", "on", "y"}


def common_memory_format(tensors: Sequence[Tensor]) -> torch.memory_format:
    """The layout most of the (N, C, H, W) tensors already have; contiguous when in doubt."""
    last = sum(t.is_contiguous(memory_format=torch.channels_last) for t in tensors)
    first = sum(t.is_contiguous() for t in tensors)
    return torch.channels_last if last > first else torch.contiguous_format


def on_device(tensor: Tensor) -> AbstractContextManager[object]:
    """Makes the tensor's GPU current, as Triton launches on the current one; nothing on a CPU."""
    if tensor.device.type != "cuda" or tensor.device.index == torch.cuda.current_device():
        return contextlib.nullcontext()
    return torch.cuda.device(tensor.device)


def power_of_two_from(value: int) -> int:
    """The smallest power of two that is not below `value` (at least 1)."""
    return 1 << max(0, value - 1).bit_length()


def power_of_two_up_to(value: int) -> int:
    """The largest power of two that is not above `value` (at least 1)."""
    return 1 << (max(1, value).bit_length() - 1)
