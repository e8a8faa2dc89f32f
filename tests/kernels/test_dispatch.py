"""Which implementation runs, why, and who is told; and what importing costs."""

from __future__ import annotations

import ast
import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import gpu_kernels
from gpu_kernels import Choice, KernelUnavailableError, _common, dispatch, last_choice, node_sum

ROOT = Path(__file__).resolve().parents[2]
ON_GPU = dispatch.Request("node_sum", torch.device("cuda", 0), torch.float32, 4096)
X = torch.zeros(4, 3, 2, 2)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wish in the environment, an empty record, and a GPU that exists as far as asked."""
    monkeypatch.delenv("NAS_KERNELS", raising=False)
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    monkeypatch.setattr(dispatch, "_board", dispatch._Board())
    monkeypatch.setattr(_common, "triton_is_installed", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    monkeypatch.setattr(torch.version, "hip", None)


def test_auto_takes_triton_on_a_gpu_and_the_reference_on_a_cpu() -> None:
    assert dispatch.choose(ON_GPU).implementation == "triton"
    on_cpu = dispatch.choose(replace(ON_GPU, device=torch.device("cpu")))
    assert on_cpu == Choice("node_sum", "reference", "the tensors are on the CPU")


OBSTACLES = {
    "float8": replace(ON_GPU, dtype=torch.float8_e4m3fn),
    "32-bit index": replace(ON_GPU, elements=2**31),
    "the tensors are empty": replace(ON_GPU, elements=0),
    "70000 groups": replace(ON_GPU, impossible="70000 groups are too many"),
    "the tensors are on the CPU": replace(ON_GPU, device=torch.device("cpu")),
    "the kernels are for CUDA": replace(ON_GPU, device=torch.device("mps")),
}


@pytest.mark.parametrize("reason", OBSTACLES)
def test_what_stands_in_the_way_is_a_reason_in_auto_and_an_error_when_asked_for(
    reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = dispatch.choose(OBSTACLES[reason])
    assert choice.implementation == "reference" and reason in choice.reason
    monkeypatch.setenv("NAS_KERNELS", "triton")
    with pytest.raises(KernelUnavailableError, match="NAS_KERNELS=auto") as refusal:
        dispatch.choose(OBSTACLES[reason])
    assert reason in str(refusal.value)


def test_a_missing_triton_an_old_gpu_and_an_amd_gpu_are_obstacles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    assert "capability 7.5 is below 8.0" in dispatch.choose(ON_GPU).reason
    monkeypatch.setattr(torch.version, "hip", "6.4")
    assert "AMD" in dispatch.choose(ON_GPU).reason
    monkeypatch.setattr(_common, "triton_is_installed", lambda: False)
    assert "triton is not installed" in dispatch.choose(ON_GPU).reason
    monkeypatch.setenv("NAS_KERNELS", "triton")
    with pytest.raises(KernelUnavailableError, match="Install triton, or set NAS_KERNELS=auto"):
        dispatch.choose(ON_GPU)


def test_auto_listens_to_the_operation_and_an_explicit_wish_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    single = replace(ON_GPU, better_without="nothing to fuse")
    assert dispatch.choose(single) == Choice("node_sum", "reference", "nothing to fuse")
    monkeypatch.setenv("NAS_KERNELS", "triton")
    assert dispatch.choose(single).implementation == "triton"
    monkeypatch.setenv("NAS_KERNELS", "reference")
    assert dispatch.choose(ON_GPU).implementation == "reference"


def test_the_interpreter_runs_only_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    on_cpu = replace(ON_GPU, device=torch.device("cpu"))
    assert dispatch.choose(on_cpu).implementation == "reference"
    assert dispatch.choose(ON_GPU).implementation == "reference"
    monkeypatch.setenv("NAS_KERNELS", "triton")
    assert dispatch.choose(on_cpu).implementation == "triton"


def test_double_backward_takes_the_reference_or_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with gpu_kernels.double_backward():
        assert "differentiated again" in dispatch.choose(ON_GPU).reason
        monkeypatch.setenv("NAS_KERNELS", "triton")
        with pytest.raises(KernelUnavailableError, match="differentiated again"):
            dispatch.choose(ON_GPU)
    assert dispatch.choose(ON_GPU).implementation == "triton"


def test_an_unknown_mode_names_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAS_KERNELS", "fast")
    with pytest.raises(ValueError, match="NAS_KERNELS=fast .* auto, reference, triton"):
        node_sum([X])


def test_node_sum_says_when_it_is_a_plain_batch_norm_or_too_wide() -> None:
    from gpu_kernels.node_sum import api, arguments

    def request(count: int, groups: int, weighted: bool, x: torch.Tensor = X) -> dispatch.Request:
        weights = torch.ones(count) if weighted else None
        empty = (None,) * 4
        return api._request(arguments.check([x] * count, weights, *empty, groups, 1e-5))

    assert "plain batch norm" in request(1, 1, False).better_without
    for several in (request(2, 1, False), request(1, 2, False), request(1, 1, True)):
        assert several.better_without == "" and several.impossible == ""
    wide = request(1, 1, False, torch.zeros(2, 65536, 1, 1))
    assert wide.impossible.startswith("65536 channels")


def test_the_last_choice_is_kept() -> None:
    assert last_choice("node_sum") is None
    node_sum([X])
    assert last_choice("node_sum").implementation == "reference"
    assert last_choice("another") is None


def test_every_subscriber_hears_every_reason_once() -> None:
    early, late = [], []
    stop = gpu_kernels.subscribe(early.append)
    node_sum([X])
    node_sum([X])
    gpu_kernels.subscribe(late.append)
    node_sum([X])
    assert [c.reason for c in early] == [c.reason for c in late] == ["the tensors are on the CPU"]
    stop()
    dispatch.choose(ON_GPU)
    assert len(early) == 1 and len(late) == 2


def test_a_reason_is_logged_once_and_an_unused_gpu_is_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="gpu_kernels")
    for _ in range(2):
        gpu_kernels.subscribe(lambda choice: None)
        node_sum([X])
        dispatch.choose(replace(ON_GPU, elements=2**31))
    assert [(r.levelno, r.getMessage().split(":")[0]) for r in caplog.records] == [
        (logging.INFO, "node_sum runs as reference"),
        (logging.WARNING, "node_sum runs as reference"),
    ]


def test_import_needs_no_triton_and_does_not_load_it() -> None:
    program = (
        "import sys, torch; sys.modules['triton'] = None; import gpu_kernels; "
        "print(gpu_kernels.node_sum([torch.ones(2, 1, 2, 2)] * 2)[0].shape)"
    )
    environment = {k: v for k, v in os.environ.items() if k != "NAS_KERNELS"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == "torch.Size([2, 1, 2, 2])", done.stderr


def test_the_package_imports_nothing_but_torch_triton_and_itself() -> None:
    allowed = {"torch", "triton", "gpu_kernels", *sys.stdlib_module_names}
    for path in sorted((ROOT / "gpu_kernels").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found = {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found = {node.module.split(".")[0]}
            else:
                continue
            assert found <= allowed, f"{path} imports {found - allowed}"
            if "triton" in found:
                assert path.name in {"kernel.py", "launch.py"}, f"{path} must not need triton"
