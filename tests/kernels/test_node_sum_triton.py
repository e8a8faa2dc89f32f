"""The Triton kernels of `node_sum` without a GPU: interpreted in a process of their own, and
compiled for two GPU generations."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from node_sum_cases import Case, by_node_sum, problem

from gpu_kernels import _common

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    not _common.triton_is_installed(), reason="the package triton is not installed"
)


def test_the_interpreted_kernels_pass_their_own_tests() -> None:
    done = subprocess.run(
        [
            sys.executable,
            *("-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"),
            str(Path(__file__).with_name("test_node_sum_interpret.py")),
        ],
        cwd=ROOT,
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout and "skipped" not in done.stdout, done.stdout


class _Driver:
    """As much of a GPU driver as compiling asks for: which GPU to compile for."""

    def __init__(self, capability: int) -> None:
        self.capability = capability

    def get_current_target(self) -> Any:
        from triton.backends.compiler import GPUTarget

        return GPUTarget("cuda", self.capability, 32)

    def get_current_device(self) -> int:
        # Compiled kernels are kept per device: a number of its own for every generation.
        return self.capability

    def get_current_stream(self, device: int) -> int:
        return 0


class _CompileOnly:
    """Stands for a kernel: a launch compiles it, for the very arguments, and keeps the result."""

    def __init__(self, kernel: Any, results: dict[str, Any]) -> None:
        self.kernel, self.results = kernel, results

    def __getitem__(self, grid: tuple[int, ...]) -> Any:
        def launch(*arguments: Any, **constants: Any) -> None:
            compiled = self.kernel.warmup(*arguments, grid=grid, **constants)
            self.results[self.kernel.__name__] = compiled

        return launch


KERNELS = (
    "partial_statistics",
    "weighted_sum",
    "partial_gradient_sums",
    "input_gradients",
    "parameter_gradients",
)


@pytest.fixture
def compiled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[dict[str, Any]]:
    """By kernel name, what compiling it gave; the parameter is the compute capability."""
    if _common.interpreter_is_asked_for():
        pytest.skip("TRITON_INTERPRET is set: kernels cannot be compiled in this process")
    from triton.runtime import driver

    from gpu_kernels.node_sum import autograd, kernel

    results: dict[str, Any] = {}
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(driver, "_active", _Driver(request.param))
    monkeypatch.setattr(kernel, "INTERPRETED", True)
    for name in KERNELS:
        monkeypatch.setattr(kernel, name, _CompileOnly(getattr(kernel, name), results))
    monkeypatch.setattr("gpu_kernels.dispatch._device_obstacle", lambda device, remedy: None)
    monkeypatch.setenv("NAS_KERNELS", "triton")
    assert autograd.kernel is kernel
    yield results


@pytest.mark.filterwarnings("ignore:TRITON_DEFAULT_FP_FUSION")
@pytest.mark.parametrize(
    ("compiled", "case"),
    [
        (80, Case((4, 16, 16, 16), "BGp", 2, True, False, torch.float32)),
        (90, Case((4, 16, 16, 16), "Bbgp", 2, True, True, torch.bfloat16)),
        (80, Case((2, 17, 7, 7), "bpG", 1, False, True, torch.float16)),
        (90, Case((2, 17, 7, 7), "Bp", 1, True, False, torch.float64)),
    ],
    ids=str,
    indirect=["compiled"],
)
def test_every_kernel_compiles(compiled: dict[str, Any], case: Case) -> None:
    """Through the real argument binding, down to machine code, for the launches of one step."""
    p = problem(case)
    y, _ = by_node_sum(p)
    y.backward(p.upstream)
    assert set(compiled) == set(KERNELS)
    for name, result in compiled.items():
        assert f".target sm_{result.metadata.target.arch}" in result.asm["ptx"], name
        assert len(result.asm["cubin"]) > 1000, name
        assert result.metadata.shared <= 48 * 1024, name
        assert ".local" not in result.asm["ptx"], f"{name} does not fit the registers"
        if case.shape[1] % 16 == 0 and name != "parameter_gradients":
            assert "ld.global.v4" in result.asm["ptx"], f"{name} reads element by element"
