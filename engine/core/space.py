"""The contract of a search space: what is chosen, never what is built."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel

from engine.core.architecture import Architecture
from engine.core.choice import Choice
from engine.spec.errors import ArchitectureError
from engine.spec.network import NetworkSpec
from engine.spec.settings import NoSettings, validate_settings

Rng = np.random.Generator


@dataclass(frozen=True)
class Cost:
    """What a network costs, as its benchmark counts it.

    Attributes:
        params: number of trainable scalars.
        flops: multiply-accumulate operations of one image's forward pass, and whatever else
            the benchmark counts (see `Space.flop_unit`).
    """

    params: int
    flops: int


@dataclass(frozen=True)
class CellGraph:
    """A cell for drawing.

    Attributes:
        nodes: names in drawing order; the first ones are inputs, the last is the output.
        edges: (source, target, operation, alive); dead edges reach no output.
    """

    nodes: tuple[str, ...]
    edges: tuple[tuple[str, str, str, bool], ...]


@dataclass(frozen=True)
class Reference:
    """A published architecture, and its size as counted here beside the one in print.

    Attributes:
        name: as the literature calls it.
        text: in the field's own notation.
        inside: it belongs to the space; others are of the same family.
        source: publication of the number.
        network: skeleton that is counted.
        params: number of parameters, counted as that publication counts.
        flops: multiply-adds of one image; None where its skeleton is not one of ours.
        published: the number in print.
        remark: why the two differ; empty where they agree to the printed digits.
    """

    name: str
    text: str
    inside: bool
    source: str
    network: str
    params: int
    flops: int | None
    published: str
    remark: str


class Space(ABC):
    """A tuple of choices and what is known about their combinations, without weights.

    Sub-classes set the class attributes, `choices`, and implement `to_text`, `parse`,
    `canonical`, `cost` and `graphs`; spaces with constraints also override `is_valid`.
    All methods are pure; randomness comes only from the generator that is passed in.

    Attributes:
        provides: what it offers (`engine.core.capabilities`). This and the next attributes can
            depend on settings.
        fixed: fields of `NetworkSpec` that the space's definition settles, whatever a spec says.
            Runs record these values; pages need not ask for them.
        flop_unit: what `cost` counts as FLOPs.
        stand_alone_options: fields of `StandAloneSpec`, off by default, that the space's
            stand-alone networks offer; `compose` refuses others.
        recomputes: operations of its super-net have several layers, so that
            `super_net.recompute` can leave out what is between them.
        factors: fields of `SharingSpec` that the space's super-net implements.
        operations_on: where its super-net has operations by default, `edge` or `node`; empty
            where cells have neither.
        settings: model of the `space_settings:` section; see `configured`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    help: ClassVar[str]
    provides: frozenset[str]
    fixed: Mapping[str, int] = {}
    flop_unit: ClassVar[str] = "multiply-adds"
    stand_alone_options: ClassVar[frozenset[str]] = frozenset()
    recomputes: bool = False
    factors: frozenset[str] = frozenset()
    operations_on: ClassVar[str] = ""
    settings: ClassVar[type[BaseModel]] = NoSettings
    choices: tuple[Choice, ...]

    def read_settings(self, values: Mapping[str, Any]) -> BaseModel:
        """Check the `space_settings` of an experiment.

        Raises:
            SpecError: an unknown or wrong setting, at its field.
        """
        return validate_settings(self.settings, values, "space_settings", self.name)

    def configured(self, settings: BaseModel) -> Space:
        """Return the space with these settings, such as a smaller sub-space.

        Its name stays the registered one; canonical forms and texts must not depend on settings
        where the networks are the same, so that sub-spaces share ground truth.

        Args:
            settings: an instance of the class attribute `settings`.
        """
        return self

    # -- texts ---------------------------------------------------------------------------
    @abstractmethod
    def to_text(self, architecture: Architecture) -> str:
        """Write an architecture in the field's own notation."""

    @abstractmethod
    def parse(self, text: str) -> Architecture:
        """Read the field's own notation.

        Raises:
            ArchitectureError: the text is not an architecture of this space.
        """

    # -- structure -----------------------------------------------------------------------
    @abstractmethod
    def canonical(self, architecture: Architecture) -> str:
        """Return a text that is equal exactly for architectures that build identical networks."""

    @abstractmethod
    def cost(self, architecture: Architecture, network: NetworkSpec) -> Cost:
        """Count parameters and FLOPs without building the network.

        Raises:
            SpecError: the space cannot be built in this skeleton.
        """

    @abstractmethod
    def graphs(self, architecture: Architecture) -> dict[str, CellGraph]:
        """Return the cells to draw, by name."""

    def overview(self) -> dict[str, CellGraph]:
        """Return the space itself to draw, every option an edge; empty where it has no drawing."""
        return {}

    def constraint(self, architecture: Architecture) -> str | None:
        """Say in one sentence why a well-formed architecture is not allowed, or return None."""
        return None

    # -- generic parts -------------------------------------------------------------------
    @property
    def size(self) -> int:
        """Number of index tuples; spaces with constraints override it."""
        return math.prod(len(choice.options) for choice in self.choices)

    @property
    def counts(self) -> dict[str, int]:
        """Other numbers that publications give as the size, by what they count."""
        return {}

    @property
    def references(self) -> tuple[Reference, ...]:
        """Published architectures of this space and its relatives, with their sizes."""
        return ()

    @property
    def mixture(self) -> tuple[Choice, ...]:
        """The choice points of routes that mix operations, in the order of `Route.active`.

        They are the space's own choices, unless its module says otherwise (as `darts` does,
        whose mixtures have every edge of a cell, its architectures only two per node).
        """
        return self.choices

    @property
    def mixture_groups(self) -> tuple[int, ...]:
        """Per choice of `mixture`, the number of its group: the edges that enter one node."""
        return tuple(range(len(self.mixture)))

    @property
    def mixture_sources(self) -> tuple[int, ...]:
        """Per choice of `mixture`, the group that enters the node it leaves; -1: an input."""
        return (-1,) * len(self.mixture)

    def mixture_of(self, architecture: Architecture) -> tuple[int, ...]:
        """Return the option of every choice of `mixture` that an architecture takes."""
        return self.check(architecture).indices

    def from_mixture(self, weights: Sequence[Sequence[float]]) -> Architecture:
        """Return the architecture that what each option counts points at.

        Args:
            weights: per choice of `mixture`, one number per option; the largest is taken, the
                first of equal ones.
        """
        strongest = (max(range(len(one)), key=one.__getitem__) for one in weights)
        return Architecture.of(self.name, strongest)

    def check(self, architecture: Architecture) -> Architecture:
        """Return the architecture if it belongs to the space.

        Raises:
            ArchitectureError: another space, a wrong length, an index out of range, or a
                constraint of the space.
        """
        if architecture.space != self.name:
            raise ArchitectureError(
                f"The architecture {architecture} belongs to the space `{architecture.space}`, "
                f"not to `{self.name}`."
            )
        given, wanted = len(architecture.indices), len(self.choices)
        if given != wanted:
            raise ArchitectureError(
                f"An architecture of `{self.name}` has {wanted} choices; given were {given}."
            )
        for index, choice in zip(architecture.indices, self.choices, strict=True):
            if not 0 <= index < len(choice.options):
                raise ArchitectureError(
                    f"Choice `{choice.name}` of `{self.name}` has options 0 to "
                    f"{len(choice.options) - 1}; given was {index}."
                )
        problem = self.constraint(architecture)
        if problem is not None:
            raise ArchitectureError(problem)
        return architecture

    def is_valid(self, architecture: Architecture) -> bool:
        """Tell whether `check` would pass."""
        try:
            self.check(architecture)
        except ArchitectureError:
            return False
        return True

    def encode(self, options: Sequence[str]) -> Architecture:
        """Build an architecture from option names, one per choice.

        Raises:
            ArchitectureError: wrong length or an unknown option.
        """
        if len(options) != len(self.choices):
            raise ArchitectureError(
                f"An architecture of `{self.name}` has {len(self.choices)} choices; "
                f"given were {len(options)}."
            )
        indices = []
        for option, choice in zip(options, self.choices, strict=True):
            if option not in choice.options:
                raise ArchitectureError(
                    f"Choice `{choice.name}` of `{self.name}` has no option `{option}`; "
                    f"it has {', '.join(choice.options)}."
                )
            indices.append(choice.options.index(option))
        return self.check(Architecture.of(self.name, indices))

    def decode(self, architecture: Architecture) -> dict[str, str]:
        """Return the chosen option by choice name."""
        self.check(architecture)
        pairs = zip(self.choices, architecture.indices, strict=True)
        return {choice.name: choice.options[index] for choice, index in pairs}

    def sample(self, rng: Rng) -> Architecture:
        """Draw uniformly over the valid index tuples, by rejection where there is a constraint.

        Raises:
            ArchitectureError: no valid tuple in 10,000 draws.
        """
        for _ in range(10_000):
            indices = [int(rng.integers(len(choice.options))) for choice in self.choices]
            drawn = Architecture.of(self.name, indices)
            if self.constraint(drawn) is None:
                return drawn
        raise ArchitectureError(
            f"No valid architecture of `{self.name}` was found in 10,000 draws."
        )

    def mutate(self, architecture: Architecture, rng: Rng, changes: int = 1) -> Architecture:
        """Return a valid architecture in which exactly `changes` random choices differ.

        Raises:
            ArchitectureError: none is found in 10,000 draws, or `changes` is out of range.
        """
        free = [i for i, choice in enumerate(self.choices) if len(choice.options) > 1]
        if not 1 <= changes <= len(free):
            raise ArchitectureError(
                f"`{self.name}` has {len(free)} choices that can change; asked for were {changes}."
            )
        for _ in range(10_000):
            indices = list(architecture.indices)
            for position in rng.choice(free, size=changes, replace=False):
                offset = 1 + rng.integers(len(self.choices[position].options) - 1)
                indices[position] = (indices[position] + offset) % len(
                    self.choices[position].options
                )
            mutated = Architecture.of(self.name, indices)
            if self.constraint(mutated) is None:
                return mutated
        raise ArchitectureError(f"No valid mutation of {architecture} was found in 10,000 draws.")

    def mutate_each(self, architecture: Architecture, rng: Rng, chance: float) -> Architecture:
        """Redraw every choice with the given chance (the mutation of SPOS's evolution)."""
        for _ in range(10_000):
            indices = [
                int(rng.integers(len(choice.options))) if rng.random() < chance else index
                for choice, index in zip(self.choices, architecture.indices, strict=True)
            ]
            mutated = Architecture.of(self.name, indices)
            if self.constraint(mutated) is None:
                return mutated
        raise ArchitectureError(f"No valid mutation of {architecture} was found in 10,000 draws.")

    def crossover(self, first: Architecture, second: Architecture, rng: Rng) -> Architecture:
        """Take every choice from one of two parents at random; the first parent if none is valid.

        A child of two valid parents can violate a constraint; after 100 draws the first parent
        is returned unchanged, which keeps the population valid.
        """
        for _ in range(100):
            picks = rng.integers(2, size=len(self.choices))
            indices = [
                (first, second)[pick].indices[position] for position, pick in enumerate(picks)
            ]
            child = Architecture.of(self.name, indices)
            if self.constraint(child) is None:
                return child
        return first

    def hamming(self, first: Architecture, second: Architecture) -> int:
        """Count the choices in which two architectures differ (landmark paper, §4)."""
        return sum(a != b for a, b in zip(first.indices, second.indices, strict=True))

    def neighbours(self, architecture: Architecture) -> list[Architecture]:
        """Return every valid architecture at Hamming distance 1, in a fixed order."""
        found = []
        for position, choice in enumerate(self.choices):
            for option in range(len(choice.options)):
                if option == architecture.indices[position]:
                    continue
                indices = list(architecture.indices)
                indices[position] = option
                near = Architecture.of(self.name, indices)
                if self.constraint(near) is None:
                    found.append(near)
        return found

    def enumerate(self) -> Iterator[Architecture]:
        """Yield every valid architecture, first choice slowest."""
        counts = [len(choice.options) for choice in self.choices]
        for indices in np.ndindex(*counts):
            architecture = Architecture.of(self.name, indices)
            if self.constraint(architecture) is None:
                yield architecture

    def networks(self) -> Iterator[Architecture]:
        """Yield one architecture per different network (equal canonical forms count as one).

        Spaces that can list them faster than by their encodings override it.
        """
        seen: set[str] = set()
        for architecture in self.enumerate():
            form = self.canonical(architecture)
            if form not in seen:
                seen.add(form)
                yield architecture
