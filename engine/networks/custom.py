"""Networks of user-defined spaces, by the kind of their definition."""

from __future__ import annotations

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.networks.builder import register_builder
from engine.networks.custom_ops import build_cells, build_chain
from engine.networks.custom_sizes import SizedNet
from engine.networks.norm import NormPolicy
from engine.networks.supernet import SuperNet
from engine.spaces.custom import CellSpace, ChainSpace, SizesSpace
from engine.spec.network import NetworkSpec


@register_builder("custom")
def build_custom(
    space: Space, network: NetworkSpec, policy: NormPolicy, architecture: Architecture | None
) -> SuperNet:
    """Build the super-net, or the live operations of one architecture only."""
    if isinstance(space, CellSpace):
        return build_cells(space, network, policy, architecture)
    if isinstance(space, ChainSpace):
        return build_chain(space, network, policy, architecture)
    assert isinstance(space, SizesSpace), "these are all kinds"
    return SizedNet(space, network, policy, architecture)
