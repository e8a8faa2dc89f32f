"""Which operations of a cell share weights: all of a node, and all kernel sizes (000 §6.4.5).

Every edge keeps operations of its own, each with the edge's stride. What they share has one
owner, in whose name the network lists it; the others borrow it:

- **Operations on nodes** (000 Fig. 6.18 b): of all edges into a node, the first one owns the
  convolutions and normalisations of an option.
- **WSBN** (`edge_norms`; Luo et al. 2018; 000 §6.3.1: "independent running statistics and affine
  parameters for different incoming edges"): the edges into a node share convolutions, but each
  edge keeps all normalisations of its options. With operations on edges, this is so without it.
- **One kernel** (`ofa_kernel`; Cai et al. 2020, §3.3): operations of one class at one place,
  which differ in their kernel size alone, share their convolutions. A smaller kernel is a
  learned projection of the middle of the largest; convolutions of equal size (the 1x1 parts of
  separable ones) are shared as they are. Normalisations stay each option's own: 000 merges
  convolutions.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from engine.core.architecture import Architecture
from engine.networks.kernels import BorrowedKernel, LargestKernel, ProjectedKernel, SharedConv
from engine.networks.norm import Norm
from engine.networks.ops import Op
from engine.spec.network import NetworkSpec, SharingSpec


def sharing_of(network: NetworkSpec, architecture: Architecture | None) -> SharingSpec:
    """Return how a network shares; one that is built for an architecture has nothing to share."""
    return network.sharing if architecture is None else SharingSpec()


def share(edges: Sequence[dict[str, Op]], targets: Sequence[int], sharing: SharingSpec) -> None:
    """Replace what the operations of a cell borrow from each other.

    Args:
        edges: per edge, its operations by option.
        targets: per edge, the node it leads to.
        sharing: which factors are on.
    """
    owners: dict[tuple[int, str, type[Op]], Op] = {}
    families: dict[tuple[int, type[Op]], list[Op]] = {}
    borrowers: list[tuple[Op, Op]] = []
    for edge, (ops, target) in enumerate(zip(edges, targets, strict=True)):
        place = target if sharing.operations_on == "node" else edge
        for option, op in ops.items():
            # By class, too: with stride 2, an option may build something else than without.
            owner = owners.setdefault((place, option, type(op)), op)
            if owner is op:
                families.setdefault((place, type(op)), []).append(op)
            else:
                borrowers.append((op, owner))
    if sharing.ofa_kernel:
        for family in families.values():
            if len(family) > 1:
                _merge_kernels(family)
    for op, owner in borrowers:
        _borrow(op, owner, sharing.edge_norms)


def _merge_kernels(family: Sequence[Op]) -> None:
    """Let the operation with the largest kernel serve all of its class at one place."""
    leader = max(family, key=_side)
    for path, largest in _convolutions(leader).items():
        owner = LargestKernel(largest)
        for op in family:
            conv = _convolutions(op)[path]
            part: SharedConv = owner
            if op is not leader:
                smaller = conv.kernel_size < largest.kernel_size
                part = ProjectedKernel(conv, owner) if smaller else BorrowedKernel(conv, owner)
            op.set_submodule(path, part)


def _borrow(op: Op, owner: Op, own_norms: bool) -> None:
    """Replace an operation's convolutions and, unless it keeps them, its normalisations."""
    for path, conv in _convolutions(op).items():
        op.set_submodule(path, BorrowedKernel(conv, owner.get_submodule(path)))
    if own_norms:
        return
    for path, norm in list(op.named_modules()):
        if isinstance(norm, Norm):
            parent, _, name = path.rpartition(".")
            _lend(op.get_submodule(parent), name, owner.get_submodule(path))


def _lend(module: nn.Module, name: str, part: nn.Module) -> None:
    """Give a module a part of another one, which stays the only one to list it."""
    delattr(module, name)
    object.__setattr__(module, name, part)


def _side(op: Op) -> int:
    return max((conv.kernel_size[0] for conv in _convolutions(op).values()), default=0)


def _convolutions(op: Op) -> dict[str, nn.Conv2d]:
    return {path: m for path, m in op.named_modules() if isinstance(m, nn.Conv2d)}
