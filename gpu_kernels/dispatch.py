"""Which implementation of an operation runs, why, and who is told.

The environment variable `NAS_KERNELS` decides:

- `auto` (default): Triton where it can run and is expected to help, else the reference;
- `reference`: plain torch, always;
- `triton`: Triton, or a `KernelUnavailableError` that says what stands in the way.

Every choice has a reason. The first time a reason comes up it is logged, and every subscriber is
told once, so that no measurement runs on a fall-back unknowingly.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch

from gpu_kernels import _common

ENVIRONMENT_VARIABLE = "NAS_KERNELS"
MODES = ("auto", "reference", "triton")

# The oldest GPU generation the kernels are compiled for in the tests.
LEAST_CAPABILITY = (8, 0)

_INFO = logging.INFO
_log = logging.getLogger("gpu_kernels")
_needs_double_backward: ContextVar[bool] = ContextVar("needs_double_backward", default=False)


class KernelUnavailableError(RuntimeError):
    """`NAS_KERNELS=triton` cannot be had; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One decision: `operation` ran as `implementation` ('reference' or 'triton'), and why."""

    operation: str
    implementation: str
    reason: str


@dataclass(frozen=True, slots=True)
class Request:
    """What a decision depends on.

    Args:
        operation: name of the operation, such as `node_sum`.
        device: where its tensors are.
        dtype: their type.
        elements: entries of the largest tensor the kernel would index.
        impossible: why the kernel cannot take this shape, or an empty text.
        better_without: why torch's own operations are the better choice although Triton could
            run, or an empty text. Only `auto` listens to it.
    """

    operation: str
    device: torch.device
    dtype: torch.dtype
    elements: int
    impossible: str = ""
    better_without: str = ""


@dataclass(frozen=True, slots=True)
class _Obstacle:
    reason: str
    remedy: str


class _Board:
    """Remembers the last choice of each operation and tells each listener each choice once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, Choice] = {}
        self._logged: set[Choice] = set()
        self._told: dict[int, tuple[Callable[[Choice], None], set[Choice]]] = {}
        # Choices that nobody is left to tell: almost every call ends with a look at this set.
        self._settled: set[Choice] = set()
        self._next = 0

    def add(self, choice: Choice, level: int) -> None:
        """Record `choice`; callbacks run outside the lock, so that they may use this module."""
        self._last[choice.operation] = choice
        if choice in self._settled:
            return
        with self._lock:
            is_new = choice not in self._logged
            self._logged.add(choice)
            listeners = [call for call, told in self._told.values() if choice not in told]
            for _, told in self._told.values():
                told.add(choice)
            self._settled.add(choice)
        if is_new:
            text = "%s runs as %s: %s"
            _log.log(level, text, choice.operation, choice.implementation, choice.reason)
        for call in listeners:
            call(choice)

    def last(self, operation: str) -> Choice | None:
        return self._last.get(operation)

    def listen(self, callback: Callable[[Choice], None]) -> Callable[[], None]:
        with self._lock:
            key = self._next
            self._next += 1
            self._told[key] = (callback, set())
            self._settled.clear()

        def stop() -> None:
            with self._lock:
                self._told.pop(key, None)

        return stop


_board = _Board()


def last_choice(operation: str) -> Choice | None:
    """The newest choice made for `operation` in this process; None before its first call."""
    return _board.last(operation)


def subscribe(callback: Callable[[Choice], None]) -> Callable[[], None]:
    """Call `callback` with each distinct choice made from now on, once; returns the way out.

    A choice that was already made before is told again to a new subscriber when it recurs, so
    that every run in a long-lived process learns which implementation it used.
    """
    return _board.listen(callback)


@contextmanager
def double_backward() -> Iterator[None]:
    """Inside, operations are chosen so that their gradients can be differentiated again.

    Triton kernels here have no second derivative, so `auto` takes the reference, and
    `NAS_KERNELS=triton` is an error. Wrap the forward pass, not only the call of `grad`.
    """
    token = _needs_double_backward.set(True)
    try:
        yield
    finally:
        _needs_double_backward.reset(token)


def choose(request: Request) -> Choice:
    """Decide for one call, record the decision, and raise if an explicit wish cannot be met."""
    mode = _mode()
    if torch.compiler.is_compiling():
        return _while_compiling(request.operation, mode)
    choice, level = _decide(request, mode)
    _board.add(choice, level)
    return choice


def _mode() -> str:
    mode = os.environ.get(ENVIRONMENT_VARIABLE, "auto")
    if mode not in MODES:
        raise ValueError(
            f"{ENVIRONMENT_VARIABLE}={mode} was given; allowed are {', '.join(MODES)}."
        )
    return mode


def _decide(request: Request, mode: str) -> tuple[Choice, int]:
    """The choice and the level to log it at: a GPU that goes unused is worth a warning."""
    name = request.operation
    if mode == "reference":
        return Choice(name, "reference", f"{ENVIRONMENT_VARIABLE}=reference asks for it"), _INFO
    obstacle = _obstacle(request)
    if mode == "triton":
        if obstacle is not None:
            raise _unavailable(name, obstacle)
        return Choice(name, "triton", f"{ENVIRONMENT_VARIABLE}=triton asks for it"), _INFO
    if obstacle is not None:
        level = _INFO if request.device.type == "cpu" else logging.WARNING
        return Choice(name, "reference", obstacle.reason), level
    if _common.interpreter_is_asked_for():
        reason = "TRITON_INTERPRET would run the kernel step by step"
        return Choice(name, "reference", reason), _INFO
    if request.better_without:
        return Choice(name, "reference", request.better_without), _INFO
    return Choice(name, "triton", f"a CUDA device and {request.dtype} tensors"), _INFO


def _while_compiling(operation: str, mode: str) -> Choice:
    """torch.compile traces this call: nothing may be recorded, as tracing happens only once."""
    reason = "torch.compile traces and fuses the plain operations"
    if mode == "triton":
        raise _unavailable(operation, _Obstacle(reason, f"Set {ENVIRONMENT_VARIABLE}=auto"))
    return Choice(operation, "reference", reason)


def _unavailable(operation: str, obstacle: _Obstacle) -> KernelUnavailableError:
    return KernelUnavailableError(
        f"{ENVIRONMENT_VARIABLE}=triton was given, but {operation} cannot run in Triton here: "
        f"{obstacle.reason}. {obstacle.remedy}."
    )


def _obstacle(request: Request) -> _Obstacle | None:
    """The first thing that makes Triton impossible for this request, or None."""
    auto = f"Set {ENVIRONMENT_VARIABLE}=auto"
    if _needs_double_backward.get():
        return _Obstacle("the gradient is to be differentiated again", auto)
    if not _common.triton_is_installed():
        return _Obstacle("the package triton is not installed", f"Install triton, or s{auto[1:]}")
    if request.dtype not in _common.STORAGE_TYPES:
        allowed = ", ".join(str(t) for t in _common.STORAGE_TYPES)
        return _Obstacle(f"{request.dtype} is none of {allowed}", auto)
    if request.elements > _common.LARGEST_INDEX:
        return _Obstacle(f"{request.elements} elements do not fit a 32-bit index", auto)
    if request.elements == 0:
        return _Obstacle("the tensors are empty", auto)
    if request.impossible:
        return _Obstacle(request.impossible, auto)
    return _device_obstacle(request.device, auto)


def _device_obstacle(device: torch.device, auto: str) -> _Obstacle | None:
    if device.type == "cpu":
        if _common.interpreter_is_asked_for():
            return None
        return _Obstacle(
            "the tensors are on the CPU",
            f"{auto}, or set TRITON_INTERPRET=1 before Python starts to run the interpreter",
        )
    if device.type != "cuda":
        return _Obstacle(f"the tensors are on {device.type}, the kernels are for CUDA", auto)
    if torch.version.hip is not None:
        return _Obstacle("the kernels have not been tested on AMD GPUs", auto)
    capability = torch.cuda.get_device_capability(device)
    if capability < LEAST_CAPABILITY:
        have, least = ".".join(map(str, capability)), ".".join(map(str, LEAST_CAPABILITY))
        return _Obstacle(f"the GPU's compute capability {have} is below {least}", auto)
    return None
