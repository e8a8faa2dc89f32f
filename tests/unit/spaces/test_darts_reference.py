"""Genotypes in print: what their published numbers of parameters count."""

from __future__ import annotations

import pytest
from torch import nn

from engine.networks import build_stand_alone
from engine.networks.norm import NormPolicy
from engine.networks.ops import OPS
from engine.spaces import darts_reference as reference
from engine.spaces.darts import DARTS_SPACE as SPACE
from engine.spaces.darts_cells import reductions
from engine.spaces.darts_cost import network_cost
from engine.spaces.darts_reference import PRINTED, Printed, counted, printed_parameters
from engine.spaces.genotype import read_genotype
from engine.spec.errors import ArchitectureError
from engine.spec.network import NetworkSpec

PUBLISHED = NetworkSpec(channels=36, cells=20)
BY_SOURCE = {(one.name, one.millions): one for one in PRINTED}


@pytest.mark.parametrize(
    ("name", "millions", "params"),
    [
        # DARTS's own program prints 3.349342MB for its second-order cells.
        ("DARTS_V2", "3.3", 3_349_342),
        ("PC_DARTS", "3.6", 3_634_678),
        ("GDAS", "3.4", 3_368_782),
        ("P_DARTS", "3.4", 3_433_798),
        # In the form that DARTS retrained, which joins the nodes that its genotype lists.
        ("NASNET_A", "3.1", 3_061_738),
        ("AMOEBANET_A", "3.1", 3_145_078),
        # In the skeletons of their own publications.
        ("NASNET_A", "3.3", 3_328_234),
        ("AMOEBANET_A", "3.2", 3_207_106),
    ],
)
def test_numbers_in_print(name: str, millions: str, params: int) -> None:
    found = printed_parameters(BY_SOURCE[name, millions])
    assert found == params
    assert f"{found / 1e6:.1f}" == millions


@pytest.mark.parametrize(("name", "params"), [("DARTS_V1", 3_169_414), ("SNAS", 2_661_382)])
def test_numbers_in_print_that_are_not_reached(name: str, params: int) -> None:
    """The remark says what differs: neither genotype was printed beside its number."""
    (one,) = (one for one in PRINTED if one.name == name)
    assert printed_parameters(one) == params
    assert f"{params / 1e6:.1f}" < one.millions and one.remark


def test_every_number_agrees_or_has_a_remark() -> None:
    for one, row in zip(PRINTED, SPACE.references, strict=True):
        agrees = f"{row.params / 1e6:.1f}" == one.millions
        assert agrees != bool(row.remark), one.name


def test_multiply_adds_in_print() -> None:
    """558 M in PC-DARTS; 422 M for SNAS's cell in Fair DARTS's comparison."""
    for text, millions, error in ((reference.PC_DARTS, 558, 0.005), (reference.SNAS, 422, 0.001)):
        flops = SPACE.cost(SPACE.parse(text), PUBLISHED).flops
        assert flops == pytest.approx(millions * 1e6, rel=error)


def parameters(module: nn.Module) -> int:
    return sum(value.numel() for value in module.parameters())


@pytest.mark.parametrize("one", PRINTED, ids=lambda one: f"{one.name}-{one.millions}")
def test_counts_are_those_of_modules(one: Printed) -> None:
    """Build every operation of every cell, and add what DARTS puts around them."""
    genotype, policy = read_genotype(one.text), NormPolicy()
    cells = ((genotype.normal, genotype.normal_concat), (genotype.reduce, genotype.reduce_concat))
    width = one.channels
    before = [3 * width, 3 * width]
    total = parameters(nn.Conv2d(3, 3 * width, 3, bias=False)) + 2 * 3 * width
    for layer in range(20):
        kind = int(layer in reductions(20))
        width *= 1 + kind
        edges, concat = cells[kind]
        for channels in before:
            total += parameters(nn.Conv2d(channels, width, 1, bias=False)) + 2 * width
        for name, source in edges:
            if one.bottleneck and name == reference.BOTTLENECK:
                parts = [(width, width // 4, (1, 1)), (width // 4, width // 4, (1, 7))]
                parts += [(width // 4, width // 4, (7, 1)), (width // 4, width, (1, 1))]
                for given, made, kernel in parts:
                    total += parameters(nn.Conv2d(given, made, kernel, bias=False)) + 2 * made
                continue
            name = "skip_or_reduce" if name == "skip_connect" else name
            total += parameters(OPS[name](width, width, 1 + (kind and source < 2), policy))
        joined = len(concat) if one.joined is None else one.joined[kind]
        before = [before[1], joined * width]
    assert printed_parameters(one) == total + parameters(nn.Linear(before[1], 10))


def test_the_auxiliary_head_is_not_counted() -> None:
    """With it, DARTS's second-order network would have 3.8 M."""
    one = SPACE.parse(reference.DARTS_V2)
    plain, trained = (build_stand_alone(one, PUBLISHED, 0, auxiliary=a) for a in (False, True))
    assert parameters(plain) == 3_349_342
    assert f"{parameters(trained) / 1e6:.1f}" == "3.8"


def test_texts_are_read_and_written() -> None:
    for one in PRINTED:
        genotype = read_genotype(one.text)
        assert read_genotype(str(genotype)) == genotype
        assert read_genotype(str(genotype).replace("'", '"').replace(" ", "\n")) == genotype
    for row in SPACE.references:
        if row.inside:
            architecture = SPACE.parse(row.text)
            assert SPACE.parse(SPACE.to_text(architecture)) == architecture
            assert SPACE.cost(architecture, PUBLISHED).params == row.params
            assert network_cost(*counted(read_genotype(row.text)), PUBLISHED).flops == row.flops


def test_cells_outside_the_space_are_refused_by_their_operation() -> None:
    outside = [row for row in SPACE.references if not row.inside]
    assert {row.name for row in outside} == {"NASNET_A", "AMOEBANET_A"}
    for row in outside:
        with pytest.raises(
            ArchitectureError, match=r"`sep_conv_7x7` is no operation .* reference"
        ):
            SPACE.parse(row.text)
