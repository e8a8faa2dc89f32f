"""Super-net accuracy of many architectures: same batches, same normalisation for all (000 §6.3).

Batch statistics need batches of the training size, so a last partial batch is left out (000
§6.4.2); where there are fewer images than a batch, all of them form one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

import torch
from torch import Tensor

from engine.core.architecture import Architecture
from engine.datasets.batches import DeviceImages
from engine.device import free_bytes, precision
from engine.networks import Route, SuperNet
from engine.networks.encoding import Encode, forward_each
from engine.spec.errors import TrainingError
from engine.spec.network import NormSpec
from engine.tasks import classification

# Blocks that are alive at once per route and layer in a forward pass without gradients, counted
# generously: three node values, their ReLUs, an operation's input and output.
LIVE_TENSORS = 12
SHARE_OF_FREE_MEMORY = 0.25
LARGEST_CHUNK = 64
# On a CPU a chunk pays only while a layer's activations stay in the cache. Measured on one core,
# chunks against one by one: C=8, 8x8: 3.3 times as fast with 64; C=16, 16x16: 1.3 with 8;
# C=16, 32x32: 0.8 with 2. So this much of the stem's activations goes into a chunk.
CPU_CHUNK_BYTES = 6 * 2**20


class SuperNetScorer:
    """Scores architectures with the present weights of a super-net.

    Args:
        net: the super-net.
        norm: its normalisation settings.
        held_out: images to score on.
        train: images to measure statistics on, when they are recalibrated.
        batch_size: batch size of training.
        images: how many held-out images to use; None: all.
        arithmetic: `float32` or `bfloat16`.
        encode: how an architecture runs in the super-net.
        on_halved: told the new chunk size when memory ran out and the chunk was halved.
    """

    def __init__(
        self,
        net: SuperNet,
        norm: NormSpec,
        held_out: DeviceImages,
        train: DeviceImages,
        batch_size: int,
        images: int | None = None,
        arithmetic: str = "float32",
        on_halved: Callable[[int], None] = lambda chunk: None,
        encode: Encode = Route.of,
    ) -> None:
        self.net = net
        self.norm = norm
        self.device = held_out.device
        self.arithmetic = arithmetic
        self.on_halved = on_halved
        self.encode = encode
        self.batches = _full_batches(held_out, batch_size, images)
        self.count = sum(len(labels) for _, labels in self.batches)
        self._calibration: list[Tensor] = []
        if norm.statistics == "recalibrated":
            found = _full_batches(train, batch_size, norm.recalibration_batches * batch_size)
            self._calibration = [x for x, _ in found]
        self._chunk: int | None = None

    def scores(
        self, architectures: Sequence[Architecture], poll: Callable[[int], None] = lambda n: None
    ) -> list[float]:
        """Return the accuracy of each architecture in percent.

        Args:
            architectures: any number.
            poll: called with the number of architectures scored so far after every batch; may
                raise to stop.

        Raises:
            TrainingError: memory does not suffice for a single architecture.
        """
        if self.norm.statistics == "recalibrated":
            return [self._recalibrated(a, poll, done) for done, a in enumerate(architectures)]
        results: list[float] = []
        while len(results) < len(architectures):
            size = self.chunk_size()
            chunk = architectures[len(results) : len(results) + size]
            try:
                results += self._score_chunk(chunk, poll, len(results))
            except torch.cuda.OutOfMemoryError:
                self._halve(size)
        return results

    def chunk_size(self) -> int:
        """Return how many architectures run at once, from the memory that is free."""
        if self._chunk is None:
            with torch.no_grad():
                stem = self.net.stem(self.batches[0][0])
            size = stem.numel() * stem.element_size()
            fitting = SHARE_OF_FREE_MEMORY * free_bytes(self.device) / (size * LIVE_TENSORS)
            if self.device.type == "cpu":
                fitting = min(fitting, CPU_CHUNK_BYTES / size)
            self._chunk = max(1, min(LARGEST_CHUNK, int(fitting)))
        return self._chunk

    def _halve(self, size: int) -> None:
        torch.cuda.empty_cache()
        if size == 1:
            raise TrainingError(
                "The device's memory does not suffice to evaluate a single architecture; lower "
                "`super_net.batch_size`."
            )
        self._chunk = size // 2
        self.on_halved(self._chunk)

    def _score_chunk(
        self, chunk: Sequence[Architecture], poll: Callable[[int], None], before: int
    ) -> list[float]:
        routes = [self.encode(one) for one in chunk]
        right = torch.zeros(len(chunk), device=self.device)
        with self.net.probing(), precision(self.arithmetic, self.device):
            for done, (x, y) in enumerate(self.batches, start=1):
                right += classification.correct(forward_each(self.net, x, routes), y)
                poll(before + len(chunk) * done // len(self.batches))
        return [100.0 * count / self.count for count in right.tolist()]

    def _recalibrated(
        self, architecture: Architecture, poll: Callable[[int], None], before: int
    ) -> float:
        """Measure statistics anew for one architecture, on copies of the buffers."""
        route, net = self.encode(architecture), self.net
        kept = {name: buffer.clone() for name, buffer in net.named_buffers()}
        momentum = net.policy.momentum
        right = torch.zeros((), device=self.device)
        try:
            with torch.no_grad(), precision(self.arithmetic, self.device):
                with net.policy.measuring(equally=True):
                    for seen, x in enumerate(self._calibration, start=1):
                        net.policy.momentum = 1 / seen  # of slices, used once in a pass
                        net(x, route)
                with net.policy.moving():
                    for x, y in self.batches:
                        right += classification.correct(net(x, route), y)
                        poll(before)
        finally:
            net.policy.momentum = momentum
            for name, buffer in net.named_buffers():
                buffer.copy_(kept[name])
        return 100.0 * right.item() / self.count


def _full_batches(
    images: DeviceImages, batch_size: int, limit: int | None
) -> list[tuple[Tensor, Tensor]]:
    wanted = len(images) if limit is None else min(limit, len(images))
    size = min(batch_size, wanted)
    return list(islice(images.batches(size), wanted // size))
