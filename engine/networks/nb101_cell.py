"""A cell of NAS-Bench-101 for many hard routes at once.

A vertex runs each operation once per width, over the distinct inputs of the routes that chose it;
routes whose histories are equal share a block. Dead vertices are never computed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from engine.networks.channels import ChannelPolicy
from engine.networks.drop_path import DropPath
from engine.networks.nb101_vertex import ConvNormRelu, Vertex
from engine.networks.norm import NormPolicy
from engine.networks.stack import Stack, distinct, take_blocks
from engine.spaces.nb101_cells import LiveCell, vertex_channels


@dataclass(frozen=True)
class Job:
    """The value of a vertex for all routes in which it has this history.

    Attributes:
        vertex: its number in the super-net.
        option: its operation.
        width: its channels.
        block: block of the cell's input that it reads; None: it does not.
        reads: inner vertices that it reads.
    """

    vertex: int
    option: int
    width: int
    block: int | None
    reads: tuple[Job, ...]

    @property
    def sources(self) -> tuple[int, ...]:
        """Numbers of all vertices that it reads."""
        return (*(() if self.block is None else (0,)), *(job.vertex for job in self.reads))


@dataclass(frozen=True)
class Outcome:
    """The output of a cell for all routes in which it has this history.

    Attributes:
        reads: inner vertices whose channels are concatenated.
        block: block of the cell's input that is projected and added; None: none is.
    """

    reads: tuple[Job, ...]
    block: int | None


def outcome_of(live: LiveCell, channels: int, block: int) -> Outcome:
    """Return what a cell computes along a route.

    Args:
        live: the route's graph; `kept` are the numbers of its vertices in the super-net.
        channels: output channels of the cell.
        block: block of the cell's input.
    """
    cell = live.cell
    jobs: dict[int, Job] = {}

    def read(vertex: int) -> tuple[int | None, tuple[Job, ...]]:
        sources = cell.sources[vertex]
        return (block if 0 in sources else None), tuple(jobs[s] for s in sources if s > 0)

    for vertex, width in zip(cell.inner, vertex_channels(cell, channels), strict=True):
        option = cell.operations[vertex - 1]
        jobs[vertex] = Job(live.kept[vertex], option, width, *read(vertex))
    end, reads = read(cell.vertices - 1)
    return Outcome(reads, end)


class BenchCell(nn.Module):
    """One cell.

    Args:
        before: channels of its input.
        channels: channels of its output.
        vertices: the inner vertices, by number.
        passes: build the projection from input to output.
        norms_of_edges: vertices have a normalisation per incoming edge, so that those with
            different sources run apart.
        chunks: channel policy of the network.
        policy: normalisation policy of the network.
        drop_path: applied to what every edge carries in passes that train weights; None: never.
    """

    def __init__(
        self,
        before: int,
        channels: int,
        vertices: dict[int, Vertex],
        passes: bool,
        norms_of_edges: bool,
        chunks: ChannelPolicy,
        policy: NormPolicy,
        drop_path: DropPath | None = None,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.norms_of_edges = norms_of_edges
        self.policy = policy
        self.drop_path = drop_path
        self.vertices = nn.ModuleDict({str(number): v for number, v in vertices.items()})
        if passes:
            self.projection = ConvNormRelu(before, channels, 1, 1, chunks, policy)

    def vertex(self, number: int) -> Vertex:
        """Return an inner vertex."""
        return self.vertices[str(number)]  # type: ignore[return-value]

    def forward(self, stack: Stack, cells: Sequence[LiveCell]) -> Stack:
        """Compute the output of every route, one block per distinct history."""
        wanted = [
            outcome_of(live, self.channels, slot)
            for live, slot in zip(cells, stack.slots, strict=True)
        ]
        outcomes, slots = distinct(wanted)
        run = _Run(self, stack)
        run.compute(job for outcome in outcomes for job in outcome.reads)
        return Stack(run.outputs(outcomes), slots, len(outcomes))

    def dropped(self, x: Tensor) -> Tensor:
        """Leave out what an edge carries, (B, C, H, W), for some images of a training pass."""
        drop = self.drop_path
        return drop(x) if drop is not None and drop.probability > 0 and self.policy.trains else x


@dataclass
class _Run:
    """The values of one pass, (B, C, H, W) each."""

    cell: BenchCell
    stack: Stack
    values: dict[Job, Tensor] = field(default_factory=dict)

    def compute(self, wanted: Iterable[Job]) -> None:
        """Compute jobs and all that they read, in an order that depends on nothing else."""
        by_vertex: dict[int, dict[Job, None]] = {}

        def need(job: Job) -> None:
            if job not in by_vertex.setdefault(job.vertex, {}):
                by_vertex[job.vertex][job] = None
                for read in job.reads:
                    need(read)

        for job in wanted:
            need(job)
        for number in sorted(by_vertex):
            self._vertex(number, list(by_vertex[number]))

    def _vertex(self, number: int, jobs: Sequence[Job]) -> None:
        vertex = self.cell.vertex(number)
        inputs = self._projected(vertex, jobs)
        groups: dict[tuple[int, int, tuple[int, ...]], list[Job]] = defaultdict(list)
        for job in jobs:
            sources = job.sources if self.cell.norms_of_edges else ()
            groups[job.option, job.width, sources].append(job)
        for (option, _, sources), members in groups.items():
            sums = [self._sum(job, inputs) for job in members]
            out = vertex.apply_operation(option, _joined(sums), sources, len(sums))
            self.values.update(zip(members, out.chunk(len(members)), strict=True))

    def _projected(self, vertex: Vertex, jobs: Sequence[Job]) -> dict[tuple[int, int], Tensor]:
        """Return the projected input by width and block."""
        wanted: dict[int, set[int]] = defaultdict(set)
        for job in jobs:
            if job.block is not None:
                wanted[job.width].add(job.block)
        found: dict[tuple[int, int], Tensor] = {}
        for width, blocks in wanted.items():
            taken = take_blocks(self.stack.values, self.stack.blocks, sorted(blocks))
            out = vertex.project(taken, width, len(blocks)).chunk(len(blocks))
            found |= {(width, b): one for b, one in zip(sorted(blocks), out, strict=True)}
        return found

    def _sum(self, job: Job, inputs: dict[tuple[int, int], Tensor]) -> Tensor:
        """Add up what a vertex reads, leaving out a channel that is one too many."""
        terms = [] if job.block is None else [inputs[job.width, job.block]]
        terms += [self.values[read][:, : job.width] for read in job.reads]
        total = self.cell.dropped(terms[0])
        for term in terms[1:]:
            total = total + self.cell.dropped(term)
        return total

    def outputs(self, outcomes: Sequence[Outcome]) -> Tensor:
        """Return the outputs, (K*B, C, H, W)."""
        blocks = sorted({o.block for o in outcomes if o.block is not None})
        added: dict[int, Tensor] = {}
        if blocks:
            taken = take_blocks(self.stack.values, self.stack.blocks, blocks)
            out = self.cell.projection(taken, None, len(blocks)).chunk(len(blocks))
            added = dict(zip(blocks, out, strict=True))
        return _joined([self._output(outcome, added) for outcome in outcomes])

    def _output(self, outcome: Outcome, added: dict[int, Tensor]) -> Tensor:
        parts = [self.cell.dropped(self.values[read]) for read in outcome.reads]
        if outcome.block is None:
            return _joined(parts, 1)
        passed = self.cell.dropped(added[outcome.block])
        return _joined(parts, 1) + passed if parts else passed


def _joined(values: Sequence[Tensor], dimension: int = 0) -> Tensor:
    return values[0] if len(values) == 1 else torch.cat(list(values), dimension)
