"""The table of operations says what the built modules are."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.networks.norm import NormPolicy
from engine.networks.ops import OPS
from engine.spaces.operations import NONE, OPERATIONS, unknown

torch.set_num_threads(1)
BUILT = [name for name in OPERATIONS if name != NONE]
SHAPES = [(3, 3, 1), (4, 6, 1), (6, 4, 2), (3, 5, 2), (4, 4, 2)]


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("side", [8, 9])
@pytest.mark.parametrize("name", BUILT)
def test_costs_are_those_of_the_built_module(name: str, side: int, affine: bool) -> None:
    operation, ran = OPERATIONS[name], 0
    for before, width, stride in SHAPES:
        if operation.misfit(before, width, stride):
            continue
        op = OPS[name](before, width, stride, NormPolicy(affine=affine))
        cost = operation.cost(before, width, stride, side, affine)
        assert sum(p.numel() for p in op.parameters()) == cost.params
        counted = [0]

        def count(conv: nn.Conv2d, given: object, out: torch.Tensor) -> None:
            counted[0] += conv.weight[0].numel() * out[0].numel()  # noqa: B023

        for module in op.modules():
            if isinstance(module, nn.Conv2d):
                module.register_forward_hook(count)
        out = op.body(torch.randn(2, before, side, side))
        assert counted[0] == cost.flops
        assert out.shape == (2, width, -(-side // stride), -(-side // stride))
        assert op.deep == operation.deep
        ran += 1
    assert ran >= 1


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
@pytest.mark.parametrize("name", BUILT)
def test_what_it_cannot_do_is_what_the_module_refuses_or_gets_wrong(name: str) -> None:
    operation = OPERATIONS[name]
    for before, width, stride in [*SHAPES, (3, 1, 2)]:
        if operation.misfit(before, width, stride):
            with pytest.raises((ValueError, RuntimeError)):
                op = OPS[name](before, width, stride, NormPolicy())
                assert op.body(torch.randn(2, before, 8, 8)).shape[1] == width
                raise AssertionError("it can do it")


def test_weightless_and_identical_operations_are_those_without_convolutions() -> None:
    source = torch.randn(2, 3, 8, 8)
    for name in BUILT:
        for stride in (1, 2):
            if OPERATIONS[name].misfit(3, 3, stride):
                continue
            op = OPS[name](3, 3, stride, NormPolicy())
            same = stride == 1 and torch.equal(op.body(source), source)
            assert OPERATIONS[name].is_identity(stride) == same
            if OPERATIONS[name].weightless:
                assert not list(op.parameters())


def test_every_name_is_registered() -> None:
    assert set(BUILT) <= set(OPS.names())


def test_an_unknown_name_is_met_with_the_nearest_and_the_list() -> None:
    text = unknown("nor_conv_3x4")
    assert "Did you mean `nor_conv_3x3`?" in text
    assert all(name in text for name in OPERATIONS)
    assert "Did you mean" not in unknown("zzz")
