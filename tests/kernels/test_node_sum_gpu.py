"""`node_sum` in Triton on a real GPU: the same comparisons, larger shapes, and CUDA graphs."""

from __future__ import annotations

import pytest
import torch
from node_sum_cases import Case, assert_as_good_as_torch, by_node_sum, problem, variants

import gpu_kernels

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.fixture(autouse=True)
def _in_triton(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAS_KERNELS", "triton")
    # torch's own convolutions and batch norms are the yardstick: at full precision.
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


CASES = [
    variant
    for case in (
        Case((4, 17, 7, 7), "BbGp", groups=3, weighted=True),
        Case((64, 16, 32, 32), "BbBp", weighted=True),
        Case((16, 64, 8, 8), "BBp", groups=5),
        Case((2, 5, 9, 9), "BpgBpgBpgBpg", weighted=True),
        Case((1, 3, 224, 224), "Bb", weighted=True, offset=30.0),
    )
    for variant in variants(case, torch.float32, torch.bfloat16, torch.float16, torch.float64)
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_as_good_as_torch(case: Case) -> None:
    assert_as_good_as_torch(case, device="cuda")
    assert gpu_kernels.last_choice("node_sum").implementation == "triton"


def test_a_step_can_be_captured_in_a_cuda_graph() -> None:
    p = problem(Case((8, 16, 16, 16), "BbGp", groups=2, weighted=True)).to(torch.float32, "cuda")
    leaves = [*p.inputs, p.weights, *(s for s in (*p.scales, *p.shifts) if s is not None)]

    def step() -> tuple[torch.Tensor, ...]:
        y, _ = by_node_sum(p)
        return y, *torch.autograd.grad(y, leaves, p.upstream)

    eager = [t.clone() for t in step()]
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = step()
    for t in captured:
        t.fill_(float("nan"))
    graph.replay()
    for got, want in zip(captured, eager, strict=True):
        assert torch.equal(got, want)


def test_results_repeat_bit_for_bit() -> None:
    p = problem(Case((32, 16, 32, 32), "BbGp", weighted=True)).to(torch.float32, "cuda")
    first, second = by_node_sum(p)[0], by_node_sum(p)[0]
    assert torch.equal(first, second)
