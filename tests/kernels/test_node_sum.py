"""`node_sum` on the CPU: the reference against an independent answer, errors, and statistics."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from node_sum_cases import (
    EPS,
    Case,
    answer,
    assert_as_good_as_torch,
    by_hand,
    by_node_sum,
    problem,
    variants,
)
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from gpu_kernels import node_sum

CASES = [
    Case((2, 3, 4, 4), "b"),
    Case((2, 3, 4, 4), "p", weighted=True),
    Case((4, 17, 7, 7), "Bbp", groups=3, weighted=True),
    Case((1, 5, 7, 7), "BgGp", groups=2),
    Case((3, 4, 5, 6), "pBpG", weighted=True, channels_last=True),
    Case((2, 4, 3, 5), "BbgGpp", groups=4, weighted=True, channels_last=True),
    Case((2, 3, 4, 4), "BGb", groups=2, shift_only=True),
    Case((2, 6, 1, 1), "Bp", groups=2),
    Case((2, 3, 4, 4), "ppp"),
    Case((2, 3, 4, 4), "g"),
    Case((2, 2, 3, 3), "BpgBpgBpgBpg", weighted=True),
]


@pytest.fixture(autouse=True)
def _one_thread_and_no_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.delenv("NAS_KERNELS", raising=False)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_output_gradients_and_statistics_equal_the_written_out_formula(case: Case) -> None:
    p = problem(case)
    want, got = answer(p, by_hand), answer(p, by_node_sum)
    assert got.keys() == want.keys()
    for name, exact in want.items():
        torch.testing.assert_close(got[name], exact, rtol=1e-9, atol=1e-10, msg=name)


@settings(max_examples=40, deadline=None)
@given(
    batch=st.integers(1, 4),
    channels=st.integers(1, 6),
    sides=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    kinds=st.text("bBgGp", min_size=1, max_size=5),
    groups=st.integers(1, 4),
    weighted=st.booleans(),
    channels_last=st.booleans(),
)
def test_any_shape_and_mixture(
    batch: int,
    channels: int,
    sides: tuple[int, int],
    kinds: str,
    groups: int,
    weighted: bool,
    channels_last: bool,
) -> None:
    case = Case((batch, channels, *sides), kinds, groups, weighted, channels_last)
    p = problem(case)
    if batch * sides[0] * sides[1] == 1 and "b" in kinds.lower():
        with pytest.raises(ValueError, match="batch statistics need more than one"):
            by_node_sum(p)
        return
    want, got = answer(p, by_hand), answer(p, by_node_sum)
    for name, exact in want.items():
        # Two values almost equal make 1 / deviation, and with it every gradient, large.
        torch.testing.assert_close(got[name], exact, rtol=1e-6, atol=1e-7, msg=name)


LOW_PRECISION = [
    variant
    for case in (
        Case((4, 17, 7, 7), "BbGp", groups=2, weighted=True),
        Case((2, 5, 8, 8), "BGp"),
    )
    for variant in variants(case, torch.float32, torch.bfloat16, torch.float16)
]


@pytest.mark.parametrize("case", LOW_PRECISION, ids=str)
def test_low_precision_is_as_good_as_torch(case: Case) -> None:
    assert_as_good_as_torch(case)


@pytest.mark.parametrize("groups", [1, 2])
def test_first_and_second_derivatives(groups: int) -> None:
    case = Case((2, 2, 2, 2), "BgpG", groups=groups, weighted=True)
    p = problem(case)
    affine = [t for t in (*p.scales, *p.shifts) if t is not None]

    def function(weights: Tensor, *tensors: Tensor) -> Tensor:
        x, (first, last, *shifts) = tensors[:4], tensors[4:]
        return node_sum(
            x,
            weights=weights,
            normalise=p.normalise,
            scales=[first, None, None, last],
            shifts=[shifts[0], None, None, shifts[1]],
            statistics=p.statistics,
            groups=groups,
        )[0]

    leaves = (p.weights, *p.inputs, *affine)
    assert torch.autograd.gradcheck(function, leaves, fast_mode=True)
    assert torch.autograd.gradgradcheck(function, leaves, fast_mode=True)


@pytest.mark.parametrize("last", [False, True])
def test_parameters_may_have_any_stride(last: bool) -> None:
    p = problem(Case((3, 4, 5, 5), "BG", channels_last=last))

    def strided(values: Tensor) -> Tensor:
        return torch.stack([values.detach(), torch.full_like(values, 1e9)], 1)[:, 0]

    want = answer(p, by_hand)
    p.scales = [strided(s).requires_grad_() for s in p.scales]
    p.shifts = [strided(s).requires_grad_() for s in p.shifts]
    p.statistics[1] = tuple(strided(value) for value in p.statistics[1])
    y, _ = by_node_sum(p)
    y.backward(p.upstream)
    torch.testing.assert_close(y, want["y"])
    for k in range(2):
        assert p.scales[k].stride() == (2,)
        torch.testing.assert_close(p.inputs[k].grad, want[f"dinputs[{k}]"])
        torch.testing.assert_close(p.scales[k].grad, want[f"dscales[{k}]"])


@pytest.mark.parametrize("groups", [1, 2])
def test_inputs_and_upstream_gradients_of_any_stride(groups: int) -> None:
    p = problem(Case((2, 3, 4, 4), "BBp", groups=groups, weighted=True))
    p.upstream = torch.tensor(0.5, dtype=torch.float64).expand_as(p.inputs[0])
    want = answer(p, by_hand)
    first = p.inputs[0].detach().to(memory_format=torch.channels_last).requires_grad_()
    wide = torch.cat([p.inputs[1].detach()] * 2, dim=1).requires_grad_()
    p.inputs[:2] = [first, wide[:, 3:]]
    y, _ = by_node_sum(p)
    (y.sum() * 0.5).backward()
    torch.testing.assert_close(y, want["y"])
    torch.testing.assert_close(first.grad, want["dinputs[0]"])
    torch.testing.assert_close(wide.grad[:, 3:], want["dinputs[1]"])
    torch.testing.assert_close(p.scales[0].grad, want["dscales[0]"])


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("name", ["dinputs[1]", "dscales[0]", "dshifts[0]", "dweights"])
def test_a_single_wanted_gradient(groups: int, name: str) -> None:
    p = problem(Case((2, 3, 4, 4), "BBp", groups=groups, weighted=True))
    want = answer(p, by_hand)
    leaves = {"dweights": p.weights, "dinputs[1]": p.inputs[1]}
    leaves |= {"dscales[0]": p.scales[0], "dshifts[0]": p.shifts[0]}
    for tensor in (p.weights, *p.inputs, *p.scales, *p.shifts):
        if tensor is not None and tensor is not leaves[name]:
            tensor.requires_grad_(False)
    by_node_sum(p)[0].backward(p.upstream)
    torch.testing.assert_close(leaves[name].grad, want[name])


def test_groups_equal_separate_calls() -> None:
    p = problem(Case((3, 4, 5, 5), "Bb", groups=3))
    scales, shifts = p.scales, p.shifts
    together, _ = node_sum(p.inputs, scales=scales, shifts=shifts, groups=3)
    apart = [
        node_sum(list(pair), scales=scales, shifts=shifts)[0]
        for pair in zip(*(x.chunk(3) for x in p.inputs), strict=True)
    ]
    torch.testing.assert_close(together, torch.cat(apart))


def test_a_large_mean_does_not_lose_the_variance() -> None:
    x = torch.randn(16, 4, 8, 8, generator=torch.Generator().manual_seed(0)) + 1000.0
    _, ((mean, variance),) = node_sum([x], return_statistics=True)
    exact = x.double().var(dim=(0, 2, 3), correction=0)
    torch.testing.assert_close(variance[0].double(), exact, rtol=1e-4, atol=0.0)
    torch.testing.assert_close(mean[0].double(), x.double().mean(dim=(0, 2, 3)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("affine", [True, False])
def test_statistics_keep_at_least_float32_and_carry_no_gradient(
    dtype: torch.dtype, affine: bool
) -> None:
    p = problem(Case((4, 3, 5, 5), "Bgp" if affine else "bgp", groups=2, dtype=dtype))
    y, found = by_node_sum(p)
    assert y.dtype == dtype
    assert found[1] is None and found[2] is None
    for value in found[0]:
        assert value.shape == (2, 3)
        assert value.dtype == torch.promote_types(dtype, torch.float32)
        assert not value.requires_grad


def test_statistics_not_asked_for_are_not_returned() -> None:
    assert node_sum([torch.randn(2, 3, 4, 4)] * 2)[1] == [None, None]


def test_given_statistics_receive_no_gradient() -> None:
    x = torch.randn(2, 3, 4, 4, requires_grad=True)
    pair = (torch.zeros(3, requires_grad=True), torch.ones(3, requires_grad=True))
    node_sum([x], statistics=[pair])[0].sum().backward()
    assert x.grad is not None and pair[0].grad is None and pair[1].grad is None


def test_a_single_plain_input_is_not_copied() -> None:
    x = torch.randn(2, 3, 4, 4)
    assert node_sum([x], normalise=[False])[0] is x


@pytest.mark.parametrize("kinds", ["p", "pp", "ppp", "pb", "bpp", "pg", "gpp"])
@pytest.mark.parametrize("weighted", [True, False])
def test_inputs_stay_as_they_are(kinds: str, weighted: bool) -> None:
    p = problem(Case((2, 3, 4, 4), kinds, weighted=weighted))
    before = [x.detach().clone() for x in p.inputs]
    by_node_sum(p)
    for x, old in zip(p.inputs, before, strict=True):
        assert torch.equal(x, old)


class _Passes(TorchDispatchMode):
    """Counts the operations that return a tensor of at least `size` elements."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size, self.names = size, Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        results = out if isinstance(out, (tuple, list)) else (out,)
        if any(isinstance(r, Tensor) and r.numel() >= self.size for r in results):
            self.names[func.overloadpacket._qualified_op_name.removeprefix("aten::")] += 1
        return out


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("statistics", [True, False])
def test_no_pass_over_a_tensor_but_batch_norms_and_additions(
    weighted: bool, statistics: bool
) -> None:
    """Weights are folded into gammas, and a single group is neither cut nor put together."""
    x = torch.randn(4, 3, 8, 8, requires_grad=True)
    weights = torch.rand(3, requires_grad=True) if weighted else None
    upstream = torch.randn(4, 3, 8, 8)
    with _Passes(x.numel()) as forward:
        y, _ = node_sum([x, x, x], weights=weights, return_statistics=statistics)
    with _Passes(x.numel()) as backward:
        y.backward(upstream)
    assert forward.names == {"native_batch_norm": 3, "add_": 2}
    # The three gradients of the same x are added up; `detach` hands the result over as x.grad.
    del backward.names["detach"]
    assert backward.names == {"native_batch_norm_backward": 3, "add": 2}


def test_different_types_are_promoted_as_torch_does() -> None:
    x = torch.randn(2, 3, 4, 4)
    y, _ = node_sum([x.bfloat16(), x], normalise=[False, False])
    assert torch.equal(y, x.bfloat16() + x)


def test_torch_compile_takes_the_whole_function() -> None:
    x = [torch.randn(4, 3, 5, 5) for _ in range(3)]
    compiled = torch.compile(
        lambda *a: node_sum(a, weights=w, groups=2)[0], backend="eager", fullgraph=True
    )
    w = torch.rand(3)
    torch.testing.assert_close(compiled(*x), node_sum(x, weights=w, groups=2)[0])


X = torch.zeros(4, 3, 2, 2)
C3, C2 = torch.ones(3), torch.ones(2)
ERRORS: dict[str, tuple[list[Tensor], dict[str, Any]]] = {
    "`inputs` is empty; node_sum needs at least one": ([], {}),
    "`inputs[0]` has shape (4, 3); allowed are four": ([torch.zeros(4, 3)], {}),
    "`inputs[1]` has shape (4, 3, 2, 1), `inputs[0]` (4, 3, 2, 2)": ([X, X[..., :1]], {}),
    "`inputs` are torch.int64; allowed are torch.float16": ([X.long()], {}),
    "`groups` is 3; it must be at least 1 and divide the batch of 4": ([X], {"groups": 3}),
    "`groups` is 0; it must be at least 1": ([X], {"groups": 0}),
    "`eps` is -1.0; it must be zero or positive": ([X], {"eps": -1.0}),
    "`weights` has shape (2,); 1 inputs need (1,)": ([X], {"weights": C2}),
    "`normalise` has 2 entries for 1 inputs": ([X], {"normalise": [True, True]}),
    "`scales` has 0 entries for 1 inputs": ([X], {"scales": []}),
    "`shifts` has 2 entries for 1 inputs": ([X], {"shifts": [None, None]}),
    "`statistics` has 2 entries for 1 inputs": ([X], {"statistics": [None, None]}),
    "`scales[0]` has shape (2,); input 0 has 3 channels": ([X], {"scales": [C2]}),
    "`statistics[0][1]` has shape (2,)": ([X], {"statistics": [(C3, C2)]}),
    "`shifts[1]` was given, but input 1 is not normalised": (
        [X, X],
        {"normalise": [True, False], "shifts": [C3, C3]},
    ),
    "`statistics[0][0]` was given, but input 0 is not normalised": (
        [X],
        {"normalise": [False], "statistics": [(C3, C3)]},
    ),
    "has 1 value(s) per channel in each of 4 group(s)": ([X[..., :1, :1]], {"groups": 4}),
    "a tensor on meta was given with inputs on cpu": ([X], {"scales": [C3.to("meta")]}),
}


@pytest.mark.parametrize("sentence", ERRORS)
def test_a_wrong_argument_is_refused_with_a_sentence(sentence: str) -> None:
    inputs, options = ERRORS[sentence]
    with pytest.raises(ValueError) as refusal:
        node_sum(inputs, **options)
    assert sentence in str(refusal.value)


def test_one_value_per_channel_is_fine_without_batch_statistics() -> None:
    x = torch.tensor([[[[3.0]]]])
    y, _ = node_sum(
        [x, x], statistics=[(torch.ones(1), torch.full((1,), 4.0)), None], normalise=[True, False]
    )
    torch.testing.assert_close(y, torch.tensor([[[[3.0 + 2.0 / (4.0 + EPS) ** 0.5]]]]))
