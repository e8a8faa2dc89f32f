"""What all kinds of user-defined spaces have in common."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from engine.core import capabilities
from engine.core.choice import Choice
from engine.core.space import CellGraph, Cost, Space
from engine.spaces.custom_check import check_definition
from engine.spaces.custom_definition import CustomSettings, Definition
from engine.spaces.custom_faults import read_definition
from engine.spec.errors import SpecError
from engine.spec.network import NetworkSpec

# Larger spaces are not listed one by one; NAS-Bench-201 and NATS-Bench's sizes are smaller.
ENUMERABLE_SIZE = 50_000
KIND_SPACES: dict[type[Definition], Callable[[Any], CustomSpace]] = {}


class CustomSpace(Space):
    """A space that the user defines; one sub-class per kind of definition.

    Args:
        choices: the choice points.
        offers: what this kind provides besides shared weights.
        content: everything that networks of this space depend on, for `digest`.

    Attributes:
        digest: 12 hexadecimal digits that differ between different spaces. Canonical forms start
            with it, since node names and layers mean nothing outside of their definition.
    """

    name = "custom"
    title = "Custom space"
    source = "your definition, see docs/custom_space.md"
    help = (
        "A space of your own: a cell whose edges choose operations, a chain of blocks that do, or "
        "a chain of layers that choose their widths. Without a definition, a small example."
    )
    settings = CustomSettings

    def __init__(
        self, choices: tuple[Choice, ...], offers: frozenset[str], content: Mapping[str, Any]
    ) -> None:
        self.choices = choices
        self.provides = offers | {capabilities.SHARED_WEIGHTS, capabilities.SEQUENCE_CODE}
        if self.size <= ENUMERABLE_SIZE:
            self.provides |= {capabilities.ENUMERABLE}
        text = json.dumps(content, sort_keys=True)
        self.digest = hashlib.sha256(text.encode()).hexdigest()[:12]

    def read_settings(self, values: Mapping[str, Any]) -> CustomSettings:
        """Check a definition, see `read_definition`."""
        return read_definition(values)

    def configured(self, settings: BaseModel) -> CustomSpace:
        """Return the space of a definition.

        Raises:
            SpecError: the definition contradicts itself, at its field.
        """
        assert isinstance(settings, CustomSettings)
        return space_of(settings.root)


def space_of(definition: Definition) -> CustomSpace:
    """Return the space of a definition.

    Raises:
        SpecError: the first fault of `check_definition`, at its field.
    """
    for path, problem in check_definition(definition):
        raise SpecError(".".join(map(str, ("space_settings", *path))), problem)
    return KIND_SPACES[type(definition)](definition)


@dataclass
class Tally:
    """Adds up what a network costs: convolutions, scales and shifts, the classifier.

    Attributes:
        affine: normalisations have scale and shift.
        params: parameters so far.
        flops: multiply-adds so far.
    """

    affine: bool
    params: int = 0
    flops: int = 0

    @classmethod
    def stem(cls, network: NetworkSpec, width: int) -> Tally:
        """Start with the 3x3 convolution on the images."""
        tally = cls(network.norm.affine)
        tally.conv(9 * network.input_channels * width, network.resolution, width)
        return tally

    def conv(self, weights: int, side: int, normalised: int = 0) -> None:
        """Add a convolution.

        Args:
            weights: its number.
            side: height and width of its result.
            normalised: channels of the normalisation behind it, 0 for none.
        """
        self.params += weights + (2 * normalised if self.affine else 0)
        self.flops += weights * side**2

    def add(self, cost: Cost, times: int = 1) -> None:
        """Add what was counted elsewhere."""
        self.params += times * cost.params
        self.flops += times * cost.flops

    def with_head(self, network: NetworkSpec, width: int) -> Cost:
        """Return the total with the normalisation before the classifier, and the classifier."""
        head = (width + 1) * network.classes
        scales = 2 * width if self.affine else 0
        return Cost(self.params + scales + head, self.flops + head)


def chain_graph(
    names: tuple[str, ...], steps: tuple[tuple[str, ...], ...]
) -> dict[str, CellGraph]:
    """Return the drawing of a chain.

    Args:
        names: of the layers; images and classes are added at the ends.
        steps: per layer the operations that lead to it, one edge each.
    """
    nodes = ("images", *names, "classes")
    listed = (*steps, ("classifier",))
    edges = tuple(
        (source, target, step, True)
        for source, target, some in zip(nodes, nodes[1:], listed, strict=False)
        for step in some
    )
    return {"chain": CellGraph(nodes, edges)}
