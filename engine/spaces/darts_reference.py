"""Genotypes in print, and what their published numbers of parameters count.

All numbers leave out the auxiliary head: networks are counted as they are used, not as they are
trained. DARTS's own skeleton has C=36 and 20 cells (18 normal, 2 reductions). NASNet-A and
AmoebaNet-A were published in a skeleton of their own, which differs in three ways that count:

- every state that no operation of the cell reads is joined to its output, an input of the cell
  included (NASNet-A: 6 states in the normal cell, hence "6 @ 768" at C=32 and four times that
  width, and 4 in the reduction cell; AmoebaNet-A: 4 and 5). DARTS joins inner nodes only, and
  lists them in the genotype;
- AmoebaNet-A's 1x7 and 7x1 convolutions lie in a bottleneck of a quarter of the channels;
- C is 32 for NASNet-A.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.core.space import Reference
from engine.spaces.darts_cells import OPERATIONS
from engine.spaces.darts_cost import CountedCell, network_cost
from engine.spaces.genotype import Genotype, read_genotype
from engine.spec.network import NetworkSpec

# The code of DARTS, GDAS, PC-DARTS and P-DARTS prints these; SNAS's is the one in use since.
DARTS_V1 = (
    "Genotype(normal=[('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 0), "
    "('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), "
    "('skip_connect', 2)], normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), "
    "('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 0), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('avg_pool_3x3', 0)], reduce_concat=[2, 3, 4, 5])"
)
DARTS_V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), "
    "('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), "
    "('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), "
    "('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
)
PC_DARTS = (
    "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 0), "
    "('dil_conv_3x3', 1), ('sep_conv_5x5', 0), ('sep_conv_3x3', 1), ('avg_pool_3x3', 0), "
    "('dil_conv_3x3', 1)], normal_concat=range(2, 6), reduce=[('sep_conv_5x5', 1), "
    "('max_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_5x5', 2), ('sep_conv_3x3', 0), "
    "('sep_conv_3x3', 3), ('sep_conv_3x3', 1), ('sep_conv_3x3', 2)], reduce_concat=range(2, 6))"
)
GDAS = (
    "Genotype(normal=[('skip_connect', 0), ('skip_connect', 1), ('skip_connect', 0), "
    "('sep_conv_5x5', 2), ('sep_conv_3x3', 3), ('skip_connect', 0), ('sep_conv_5x5', 4), "
    "('sep_conv_3x3', 3)], normal_concat=range(2, 6), reduce=[('sep_conv_5x5', 0), "
    "('sep_conv_3x3', 1), ('sep_conv_5x5', 2), ('sep_conv_5x5', 1), ('dil_conv_5x5', 2), "
    "('sep_conv_3x3', 1), ('sep_conv_5x5', 0), ('sep_conv_5x5', 1)], reduce_concat=range(2, 6))"
)
SNAS = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 0), "
    "('dil_conv_3x3', 1), ('skip_connect', 1), ('skip_connect', 0), ('skip_connect', 0), "
    "('sep_conv_3x3', 1)], normal_concat=range(2, 6), reduce=[('max_pool_3x3', 0), "
    "('max_pool_3x3', 1), ('max_pool_3x3', 1), ('skip_connect', 2), ('skip_connect', 2), "
    "('max_pool_3x3', 1), ('max_pool_3x3', 0), ('dil_conv_5x5', 2)], reduce_concat=range(2, 6))"
)
P_DARTS = (
    "Genotype(normal=[('skip_connect', 0), ('dil_conv_3x3', 1), ('skip_connect', 0), "
    "('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('sep_conv_3x3', 3), ('sep_conv_3x3', 0), "
    "('dil_conv_5x5', 4)], normal_concat=range(2, 6), reduce=[('avg_pool_3x3', 0), "
    "('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('dil_conv_5x5', 2), ('max_pool_3x3', 0), "
    "('dil_conv_3x3', 1), ('dil_conv_3x3', 1), ('dil_conv_5x5', 3)], reduce_concat=range(2, 6))"
)
# Outside the space: five nodes, other operations, both inputs of a node can be the same. These are
# the forms that DARTS retrained.
NASNET_A = (
    "Genotype(normal=[('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 0), "
    "('sep_conv_3x3', 0), ('avg_pool_3x3', 1), ('skip_connect', 0), ('avg_pool_3x3', 0), "
    "('avg_pool_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 1)], "
    "normal_concat=[2, 3, 4, 5, 6], reduce=[('sep_conv_5x5', 1), ('sep_conv_7x7', 0), "
    "('max_pool_3x3', 1), ('sep_conv_7x7', 0), ('avg_pool_3x3', 1), ('sep_conv_5x5', 0), "
    "('skip_connect', 3), ('avg_pool_3x3', 2), ('sep_conv_3x3', 2), ('max_pool_3x3', 1)], "
    "reduce_concat=[4, 5, 6])"
)
AMOEBANET_A = (
    "Genotype(normal=[('avg_pool_3x3', 0), ('max_pool_3x3', 1), ('sep_conv_3x3', 0), "
    "('sep_conv_5x5', 2), ('sep_conv_3x3', 0), ('avg_pool_3x3', 3), ('sep_conv_3x3', 1), "
    "('skip_connect', 1), ('skip_connect', 0), ('avg_pool_3x3', 1)], normal_concat=[4, 5, 6], "
    "reduce=[('avg_pool_3x3', 0), ('sep_conv_3x3', 1), ('max_pool_3x3', 0), ('sep_conv_7x7', 2), "
    "('sep_conv_7x7', 0), ('avg_pool_3x3', 1), ('max_pool_3x3', 0), ('max_pool_3x3', 1), "
    "('conv_7x1_1x7', 0), ('sep_conv_3x3', 5)], reduce_concat=[3, 4, 6])"
)

BOTTLENECK = "conv_7x1_1x7"


@dataclass(frozen=True)
class Printed:
    """A published number of parameters and what it counts.

    Attributes:
        name: of the architecture.
        text: its genotype.
        millions: as printed.
        source: where.
        channels: C of the first cells; there are always 20 cells.
        joined: states that the normal and the reduction cell join; None: as the genotype says.
        bottleneck: 1x7 and 7x1 convolutions have a quarter of the channels.
        remark: what keeps our count from the printed one; empty where they agree.
    """

    name: str
    text: str
    millions: str
    source: str
    channels: int = 36
    joined: tuple[int, int] | None = None
    bottleneck: bool = False
    remark: str = ""


PRINTED = (
    Printed(
        "DARTS_V1",
        DARTS_V1,
        "3.3",
        "DARTS (ICLR 2019), Table 1, first order; 001 Table 3.1",
        remark="the cell that DARTS's code holds under this name is smaller than the printed one",
    ),
    Printed("DARTS_V2", DARTS_V2, "3.3", "DARTS (ICLR 2019), Table 1, second order"),
    Printed("PC_DARTS", PC_DARTS, "3.6", "PC-DARTS (ICLR 2020), Table 1"),
    Printed("GDAS", GDAS, "3.4", "GDAS (CVPR 2019), Table 1; 001 Table 3.1"),
    Printed(
        "SNAS",
        SNAS,
        "2.8",
        "SNAS (ICLR 2019), Table 1, moderate constraint",
        remark="the cell that later work compares with (2.66 M and 422 M multiply-adds in Fair "
        "DARTS's list, as here) is smaller than the printed one",
    ),
    Printed("P_DARTS", P_DARTS, "3.4", "P-DARTS (ICCV 2019), Table 1"),
    Printed("NASNET_A", NASNET_A, "3.3", "Zoph et al. (CVPR 2018), own skeleton", 32, (6, 4)),
    Printed("NASNET_A", NASNET_A, "3.1", "DARTS (ICLR 2019), Table 1, retrained", 32),
    Printed(
        "AMOEBANET_A",
        AMOEBANET_A,
        "3.2",
        "Real et al. (AAAI 2019), own skeleton",
        joined=(4, 5),
        bottleneck=True,
    ),
    Printed("AMOEBANET_A", AMOEBANET_A, "3.1", "DARTS (ICLR 2019), Table 1, retrained"),
)


def counted(genotype: Genotype) -> tuple[CountedCell, CountedCell]:
    """Return both cells of any genotype for counting; all edges count, both inputs are read."""
    both = frozenset({0, 1})
    return (
        CountedCell(genotype.normal, len(genotype.normal_concat), both),
        CountedCell(genotype.reduce, len(genotype.reduce_concat), both),
    )


def printed_parameters(printed: Printed) -> int:
    """Count what a published number counts."""
    network = NetworkSpec(channels=printed.channels, cells=20)
    normal, reduction = counted(read_genotype(printed.text))
    if printed.joined is not None:
        normal = replace(normal, outputs=printed.joined[0])
        reduction = replace(reduction, outputs=printed.joined[1])
    if not printed.bottleneck:
        return network_cost(normal, reduction, network).params
    kept = tuple(edge for edge in reduction.edges if edge[0] != BOTTLENECK)
    inside = (len(reduction.edges) - len(kept)) * sum(
        _bottleneck(width) for width in (2 * printed.channels, 4 * printed.channels)
    )
    return network_cost(normal, replace(reduction, edges=kept), network).params + inside


def _bottleneck(width: int) -> int:
    """Count 1x1, 1x7, 7x1, 1x1 convolution, with a scale and shift after each."""
    narrow = width // 4
    return 2 * width * narrow + 2 * 7 * narrow**2 + 2 * (3 * narrow + width)


def outside(genotype: Genotype) -> str | None:
    """Return the first operation that the DARTS space does not have, or None."""
    names = (name for name, _ in (*genotype.normal, *genotype.reduce))
    return next((name for name in names if name not in OPERATIONS), None)


def references() -> tuple[Reference, ...]:
    """Return all published numbers beside ours, see `Space.references`."""
    found = []
    for printed in PRINTED:
        genotype = read_genotype(printed.text)
        own = printed.joined is not None or printed.bottleneck
        network = NetworkSpec(channels=printed.channels, cells=20)
        cost = network_cost(*counted(genotype), network)
        found.append(
            Reference(
                name=printed.name,
                text=str(genotype),
                inside=outside(genotype) is None,
                source=printed.source,
                network=f"C={printed.channels}, 20 cells",
                params=printed_parameters(printed),
                flops=None if own else cost.flops,
                published=f"{printed.millions} M parameters",
                remark=printed.remark,
            )
        )
    return tuple(found)
