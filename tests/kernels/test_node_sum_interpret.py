"""The Triton kernels of `node_sum` on the CPU, in Triton's interpreter.

TRITON_INTERPRET is read when Triton is imported, so this file wants a process of its own;
test_node_sum_triton.py starts it. The interpreter sees neither races nor what a GPU's arithmetic
does: test_node_sum_gpu.py stays necessary. It also cuts bfloat16 results off where a GPU rounds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from node_sum_cases import (
    Case,
    answer,
    assert_as_good_as_torch,
    by_hand,
    by_node_sum,
    problem,
    variants,
)
from torch import Tensor

import gpu_kernels
from gpu_kernels import node_sum

pytestmark = [
    pytest.mark.interpret,
    pytest.mark.skipif(
        os.environ.get("TRITON_INTERPRET") != "1",
        reason="needs TRITON_INTERPRET=1 before Python starts",
    ),
]


@pytest.fixture(autouse=True)
def _in_triton_on_poisoned_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fresh memory is filled with NaN, so that an element nobody writes shows."""
    pytest.importorskip("triton")
    torch.set_num_threads(1)
    monkeypatch.setenv("NAS_KERNELS", "triton")
    torch.use_deterministic_algorithms(True)
    assert torch.utils.deterministic.fill_uninitialized_memory
    yield
    torch.use_deterministic_algorithms(False)
    assert gpu_kernels.last_choice("node_sum").implementation == "triton"


EXACT = [
    variant
    for case in (
        Case((2, 3, 7, 7), "BbGp", groups=2, weighted=True),
        Case((1, 17, 7, 7), "Bpg"),
        Case((1, 2, 1, 3), "bp", groups=3),
        Case((3, 1, 5, 4), "BG", weighted=True, shift_only=True),
        Case((2, 3, 4, 4), "ppp", weighted=True),
        Case((2, 3, 4, 4), "pp"),
        Case((2, 3, 4, 4), "g"),
        Case((2, 2, 3, 3), "BpgBpgBpgBpg", weighted=True),
        Case((1, 2, 3, 3), "ppppppppb"),
    )
    for variant in variants(case, torch.float64)
]


@pytest.mark.parametrize("case", EXACT, ids=str)
def test_float64_equals_the_written_out_formula(case: Case) -> None:
    p = problem(case)
    want, got = answer(p, by_hand), answer(p, by_node_sum)
    assert got.keys() == want.keys()
    for name, exact in want.items():
        torch.testing.assert_close(got[name], exact, rtol=1e-9, atol=1e-10, msg=name)


MIXED = Case((2, 17, 7, 7), "BbGp", weighted=True)
LOW_PRECISION = [
    *variants(MIXED, torch.float32),
    *(replace(MIXED, shape=(2, 3, 7, 7), dtype=d) for d in (torch.bfloat16, torch.float16)),
    *(replace(MIXED, channels_last=True, dtype=d) for d in (torch.bfloat16, torch.float16)),
    # More positions than one tile holds, and more than one split.
    *variants(Case((5, 2, 33, 32), "Bp", weighted=True), torch.float32),
    Case((3, 40, 5, 5), "BGp", groups=2, weighted=True, channels_last=True, dtype=torch.float32),
]


@pytest.mark.parametrize("case", LOW_PRECISION, ids=str)
def test_low_precision_is_as_good_as_torch(case: Case) -> None:
    assert_as_good_as_torch(case)


@pytest.mark.parametrize("last", [False, True])
def test_splits_that_stay_empty_are_ignored(last: bool) -> None:
    """Five tiles are shared by four splits of two tiles: the last split has nothing to do."""
    from gpu_kernels.node_sum import arguments, launch

    case = Case((5, 1, 47, 47) if not last else (5, 32, 8, 8), "bp", channels_last=last)
    p = problem(case)
    rest = (None,) * 3
    how = launch.plan(arguments.check(p.inputs, None, p.normalise, *rest, 1, 1e-5))
    assert (how.splits - 1) * how.tiles * how.block_j >= how.shape[0]
    want, got = answer(p, by_hand), answer(p, by_node_sum)
    for name, exact in want.items():
        torch.testing.assert_close(got[name], exact, rtol=1e-9, atol=1e-10, msg=name)


def test_parameter_gradients_of_more_channels_and_parts_than_one_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from gpu_kernels.node_sum import launch

    monkeypatch.setattr(launch, "ELEMENTS_PER_ROW_SUM", 2)
    for case in variants(Case((2, 5, 2, 2), "BGp", groups=3, weighted=True), torch.float64):
        p = problem(case)
        want, got = answer(p, by_hand), answer(p, by_node_sum)
        for name, exact in want.items():
            torch.testing.assert_close(got[name], exact, rtol=1e-9, atol=1e-10, msg=name)


def test_parameters_of_another_type_get_gradients_of_their_own() -> None:
    p = problem(Case((2, 3, 3, 3), "Bp", weighted=True, dtype=torch.float32))
    p.weights = p.weights.detach().to(torch.bfloat16).requires_grad_()
    p.scales[0] = p.scales[0].detach().double().requires_grad_()
    by_node_sum(p)[0].backward(p.upstream)
    assert p.weights.grad.dtype == torch.bfloat16
    assert p.scales[0].grad.dtype == torch.float64


def test_a_large_mean_does_not_lose_the_variance() -> None:
    x = torch.randn(16, 2, 16, 16, generator=torch.Generator().manual_seed(0)) + 1000.0
    _, ((_, variance),) = node_sum([x], return_statistics=True)
    exact = x.double().var(dim=(0, 2, 3), correction=0)
    torch.testing.assert_close(variance[0].double(), exact, rtol=1e-5, atol=0.0)


def test_gradients_by_finite_differences() -> None:
    case = Case((1, 2, 2, 2), "BgpG", groups=2, weighted=True, channels_last=True)
    p = problem(case)

    def function(weights: Tensor, *tensors: Tensor) -> Tensor:
        x, scales, shifts = tensors[:4], tensors[4:6], tensors[6:]
        return node_sum(
            x,
            weights=weights,
            normalise=p.normalise,
            scales=[scales[0], None, None, scales[1]],
            shifts=[shifts[0], None, None, shifts[1]],
            statistics=p.statistics,
            groups=2,
        )[0]

    affine = [t for t in (*p.scales, *p.shifts) if t is not None]
    assert torch.autograd.gradcheck(function, (p.weights, *p.inputs, *affine), fast_mode=True)


def test_only_wanted_gradients_are_computed() -> None:
    p = problem(Case((2, 2, 3, 3), "BBgp", weighted=True))
    want = answer(p, by_hand)
    wanted = {"dinputs[1]": p.inputs[1], "dshifts[0]": p.shifts[0]}
    for tensor in (*p.inputs, p.weights, *p.scales, *p.shifts):
        if tensor is not None and not any(tensor is w for w in wanted.values()):
            tensor.requires_grad_(False)
    y, _ = by_node_sum(p)
    y.backward(p.upstream)
    for name, tensor in wanted.items():
        torch.testing.assert_close(tensor.grad, want[name])
    assert p.inputs[0].grad is None and p.weights.grad is None and p.scales[0].grad is None


def test_an_expanded_upstream_gradient() -> None:
    p = problem(Case((2, 3, 3, 3), "Bp", weighted=True))
    by_node_sum(p)[0].sum().backward()
    exact = torch.stack([p.shifts[0].detach().sum() * 18, p.inputs[1].detach().sum()])
    torch.testing.assert_close(p.weights.grad, exact)
    torch.testing.assert_close(p.inputs[1].grad, p.weights[1].detach().expand(2, 3, 3, 3))


def test_mixed_layouts_slices_and_strided_parameters() -> None:
    p = problem(Case((2, 3, 4, 4), "Bbg"))
    want = answer(p, by_hand)
    first = p.inputs[0].detach().to(memory_format=torch.channels_last).requires_grad_()
    wide = torch.cat([p.inputs[1].detach()] * 2, dim=1).requires_grad_()
    scale = torch.stack([p.scales[0].detach()] * 2, dim=1)[:, 1].requires_grad_()
    y, _ = node_sum(
        [first, wide[:, 3:], p.inputs[2]],
        scales=[scale, None, None],
        shifts=p.shifts,
        statistics=p.statistics,
    )
    y.backward(p.upstream)
    torch.testing.assert_close(y, want["y"])
    torch.testing.assert_close(first.grad, want["dinputs[0]"])
    torch.testing.assert_close(wide.grad[:, 3:], want["dinputs[1]"])
    torch.testing.assert_close(scale.grad, want["dscales[0]"])


def test_an_input_no_gradient_depends_on_is_not_kept() -> None:
    x = torch.randn(2, 2, 3, 3, requires_grad=True)
    plain = torch.randn(2, 2, 3, 3, requires_grad=True)
    kept: list[Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        node_sum([x, plain], normalise=[True, False])
    assert sum(t.shape == x.shape for t in kept) == 1


def test_a_second_derivative_is_refused_with_the_remedy() -> None:
    x = torch.randn(2, 2, 3, 3, requires_grad=True)
    y, _ = node_sum([x])
    with pytest.raises(RuntimeError, match=r"with gpu_kernels.double_backward\(\)"):
        torch.autograd.grad(y.square().sum(), x, create_graph=True)
