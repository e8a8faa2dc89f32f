"""From a space's name to a network, initialised from a seed of its own."""

from __future__ import annotations

from collections.abc import Callable

import torch

from engine.core.architecture import Architecture
from engine.core.registry import Registry
from engine.core.space import Space
from engine.networks.norm import NormPolicy
from engine.networks.supernet import SuperNet
from engine.spaces import get_space
from engine.spec.network import NetworkSpec

# (space, network, policy, architecture); those of spaces whose `stand_alone_options` name
# `auxiliary_weight` take the keyword `auxiliary`, too.
Builder = Callable[..., SuperNet]
BUILDERS: Registry[Builder] = Registry("network of the search space", "space")


def register_builder(space: str) -> Callable[[Builder], Builder]:
    """Register the function that builds networks of a space."""

    def add(builder: Builder) -> Builder:
        return BUILDERS.register(space, builder)

    return add


def build_supernet(space: Space | str, network: NetworkSpec, seed: int) -> SuperNet:
    """Build a super-net whose initial weights depend on `seed` only.

    Args:
        space: the search space; a name stands for its default settings.
        network: skeleton.
        seed: of the initial weights.
    """
    found = get_space(space) if isinstance(space, str) else space
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        policy = NormPolicy.of(network.norm, network.sharing.draws)
        return BUILDERS[found.name](found, network, policy, None)


def build_stand_alone(
    architecture: Architecture,
    network: NetworkSpec,
    seed: int,
    space: Space | None = None,
    auxiliary: bool = False,
) -> SuperNet:
    """Build one architecture by itself; evaluation uses moving averages.

    Call it with `Route.of(architecture)`.

    Args:
        architecture: which one.
        network: skeleton.
        seed: of the initial weights.
        space: where it comes from; None: the registered space with default settings.
        auxiliary: with an auxiliary classifier, for training; not every space has one, see
            `Space.stand_alone_options`.
    """
    found = space or get_space(architecture.space)
    options = {"auxiliary": True} if auxiliary else {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        policy = NormPolicy.stand_alone(network.norm)
        return BUILDERS[found.name](found, network, policy, architecture, **options)
