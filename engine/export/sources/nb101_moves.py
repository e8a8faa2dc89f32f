"""Weights of a NAS-Bench-101 cell for the same graph with its vertices in another order."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from engine.spaces.nb101_cells import Cell, orders, reordered, vertex_channels
from engine.spaces.nb101_cost import STACKS
from engine.spec.network import NetworkSpec

Arrays = dict[str, np.ndarray]

_PLACE = re.compile(r"trunk\.layers\.(\d+)\.(?:vertices\.(\d+)\.)?(projection\.)?")
_CLASSIFIER = "head.classifier.weight"


@dataclass(frozen=True)
class Move:
    """From one order of vertices to another.

    Attributes:
        places: per vertex of the given cell, its number in the wanted one.
        channels: per stack, the channel of a given cell's output that each channel of the wanted
            one's output is.
        cells: cells per stack.
    """

    places: dict[int, int]
    channels: tuple[np.ndarray, ...]
    cells: int

    def moved(self, state: Arrays) -> Arrays:
        """Return the state of the wanted network, from that of the given one."""
        return dict(self._one(name, array) for name, array in state.items())

    def _one(self, name: str, array: np.ndarray) -> tuple[str, np.ndarray]:
        if name == _CLASSIFIER:
            return name, np.ascontiguousarray(array[:, self.channels[-1]])
        match = _PLACE.match(name)
        if match is None:
            return name, array
        layer, vertex, projection = match.groups()
        # Each stack but the first starts with a pooling.
        stack, place = divmod(int(layer) + 1, self.cells + 1)
        if projection and array.ndim == 4:
            before = stack if place > 1 else stack - 1
            if before >= 0:
                array = array[:, self.channels[before]]
        if vertex is None:  # the projection to the output, which is added to the concatenation
            return name, np.ascontiguousarray(array[self.channels[stack]])
        renamed = name.replace(f".vertices.{vertex}.", f".vertices.{self.places[int(vertex)]}.", 1)
        return renamed, np.ascontiguousarray(array)


def find_move(given: Cell, wanted: Cell, network: NetworkSpec) -> Move | None:
    """Return a move between isomorphic pruned cells, or None if vertices would change widths."""
    stacks = [network.channels * 2**stack for stack in range(STACKS)]
    for order in orders(given):
        if reordered(given, order) != wanted:
            continue
        if all(_same_widths(given, wanted, order, channels) for channels in stacks):
            places = {vertex: number for number, vertex in enumerate(order, start=1)}
            moved = tuple(_channels(given, wanted, order, channels) for channels in stacks)
            return Move(places, moved, network.cells)
    return None


def _same_widths(given: Cell, wanted: Cell, order: tuple[int, ...], channels: int) -> bool:
    before = vertex_channels(given, channels)
    return tuple(before[vertex - 1] for vertex in order) == vertex_channels(wanted, channels)


def _channels(given: Cell, wanted: Cell, order: tuple[int, ...], channels: int) -> np.ndarray:
    """Return `Move.channels` for one stack."""
    if not given.feeders:
        return np.arange(channels)
    widths = vertex_channels(given, channels)
    ends = np.cumsum([widths[feeder - 1] for feeder in given.feeders])
    blocks = dict(zip(given.feeders, np.split(np.arange(channels), ends[:-1]), strict=True))
    return np.concatenate([blocks[order[feeder - 1]] for feeder in wanted.feeders])
