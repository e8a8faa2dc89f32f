"""Batches from images that live on the device as uint8; no loader processes, no host syncs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import torch

from engine.datasets.augment import cutout, draw, flip_and_crop
from engine.datasets.image_data import Images, Labels
from engine.datasets.prepare import PreparedData
from engine.spec.data import AugmentationSpec
from engine.spec.errors import DataError

Batch = tuple[torch.Tensor, torch.Tensor]
PLAIN = AugmentationSpec()


class DeviceImages:
    """One part of a data set on one device.

    Args:
        images: uint8 (N, H, W, C).
        labels: int64 (N,).
        device: where the images stay and the batches are made.
        mean, std: of each channel of the images scaled to 0..1, subtracted and divided by;
            both None: batches are the images scaled to 0..1.
        memory_format: layout of the batches, contiguous or channels last.
        dtype: floating type of the batches; the arithmetic is done in float32.

    Raises:
        ValueError: wrong shapes or types; mean without std.
    """

    def __init__(
        self,
        images: Images,
        labels: Labels,
        device: torch.device | str,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        memory_format: torch.memory_format = torch.contiguous_format,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        if images.dtype != np.uint8 or images.ndim != 4 or 0 in images.shape:
            raise ValueError(
                f"images must be uint8 (N, H, W, C), not {images.dtype} {images.shape}"
            )
        if labels.shape != images.shape[:1]:
            raise ValueError(f"{len(images)} images need as many labels, not {labels.shape}")
        if (mean is None) != (std is None):
            raise ValueError("mean and std go together")
        if not dtype.is_floating_point:
            raise ValueError(f"batches are of a floating type, not {dtype}")
        self.device = torch.device(device)
        self.normalised = mean is not None
        self.memory_format = memory_format
        self.dtype = dtype
        planes = np.array(images.transpose(0, 3, 1, 2), order="C")  # a copy: torch may not alias
        self.images = torch.from_numpy(planes).to(self.device)
        self.labels = torch.from_numpy(labels.astype(np.int64)).to(self.device)
        channels = images.shape[3]
        means = np.zeros(channels) if mean is None else np.asarray(mean, np.float64)
        stds = np.ones(channels) if std is None else np.asarray(std, np.float64)
        if means.shape != (channels,) or stds.shape != (channels,):
            raise ValueError(f"mean and std need one number for each of {channels} channels")
        self._scale = self._per_channel(1 / (255 * stds))
        self._shift = self._per_channel(-means / stds)

    @classmethod
    def from_prepared(
        cls,
        data: PreparedData,
        part: Literal["train", "held_out", "test"],
        augmentation: AugmentationSpec,
        device: torch.device | str,
        memory_format: torch.memory_format = torch.contiguous_format,
        dtype: torch.dtype = torch.float32,
    ) -> DeviceImages:
        """Put one part of prepared data on the device, normalised if the augmentation says so."""
        mean, std = (data.mean, data.std) if augmentation.normalise else (None, None)
        images, labels = getattr(data, f"{part}_images"), getattr(data, f"{part}_labels")
        return cls(images, labels, device, mean, std, memory_format, dtype)

    def __len__(self) -> int:
        return len(self.images)

    def batches_per_epoch(self, batch_size: int, drop_last: bool = True) -> int:
        """Return how many batches `epoch` makes; at least one.

        Raises:
            ValueError: a batch of no images.
        """
        if batch_size < 1:
            raise ValueError(f"a batch has at least one image, not {batch_size}")
        return max(1, len(self) // batch_size) if drop_last else -(-len(self) // batch_size)

    def epoch(
        self,
        batch_size: int,
        rng: np.random.Generator,
        augmentation: AugmentationSpec | None = None,
        drop_last: bool = True,
        first: int = 0,
    ) -> Iterator[Batch]:
        """Return the batches of one pass in random order, augmented.

        Every random number of the pass is drawn by this call, before the first batch is taken,
        and goes to the device in one transfer: between passes the state of `rng` is all that a
        checkpoint needs. How far the batches are consumed does not matter to `rng`.

        Args:
            batch_size: images per batch. A set smaller than a batch gives one batch of all.
            rng: source of order and augmentation; advanced by one pass.
            augmentation: None changes nothing.
            drop_last: leave out the last, smaller batch.
            first: number of batches to leave out at the beginning, to continue a pass.

        Returns:
            An iterator over x (B, C, H, W) of `dtype` and y int64 (B,).

        Raises:
            ValueError: `augmentation.normalise` contradicts how the images were put here.
        """
        if augmentation is None:
            augmentation = PLAIN
        elif augmentation.normalise != self.normalised:
            raise ValueError(
                f"augmentation.normalise is {augmentation.normalise}, but these images were made "
                f"{'with' if self.normalised else 'without'} mean and std"
            )
        count = self.batches_per_epoch(batch_size, drop_last)
        order = rng.permutation(len(self))[:, None]
        height, width = self.images.shape[2:]
        draws = draw(len(self), (height, width), augmentation, rng)
        plan = self._to_device(np.concatenate([order, draws], axis=1))
        return self._planned(plan, batch_size, range(first, count), augmentation)

    def batches(self, batch_size: int) -> Iterator[Batch]:
        """Return all images once, in their order, without augmentation; the last batch may be
        smaller. Same shapes as `epoch`."""
        for number in range(self.batches_per_epoch(batch_size, drop_last=False)):
            piece = slice(number * batch_size, (number + 1) * batch_size)
            yield self._finished(self.images[piece]), self.labels[piece].clone()

    def endless(
        self,
        batch_size: int,
        rng: np.random.Generator,
        augmentation: AugmentationSpec | None = None,
    ) -> BatchStream:
        """Return an endless stream of full batches, pass after pass; it owns `rng` from now on."""
        return BatchStream(self, batch_size, rng, augmentation)

    def _planned(
        self,
        plan: torch.Tensor,
        batch_size: int,
        numbers: range,
        augmentation: AugmentationSpec,
    ) -> Iterator[Batch]:
        for number in numbers:
            rows = plan[number * batch_size : (number + 1) * batch_size]
            chosen, draws = rows[:, 0], rows[:, 1:]
            x = self.images.index_select(0, chosen)
            x = self._finished(flip_and_crop(x, draws, augmentation))
            yield cutout(x, draws, augmentation), self.labels.index_select(0, chosen)

    def _finished(self, images: torch.Tensor) -> torch.Tensor:
        """Scale uint8 (B, C, H, W) to the batches' range, type and layout; always a new tensor."""
        x = images.to(torch.float32, memory_format=self.memory_format, copy=True)
        return x.mul_(self._scale).add_(self._shift).to(self.dtype)

    def _per_channel(self, values: np.ndarray) -> torch.Tensor:
        tensor = torch.from_numpy(values).to(torch.float32)
        return tensor.view(1, -1, 1, 1).to(self.device)

    def _to_device(self, plan: np.ndarray) -> torch.Tensor:
        tensor = torch.from_numpy(plan)
        if self.device.type == "cuda":
            return tensor.pin_memory().to(self.device, non_blocking=True)
        return tensor.to(self.device)


class BatchStream:
    """Batches without end, from shuffled passes, with a state that continues exactly.

    Args:
        images: the part to draw from.
        batch_size: images per batch.
        rng: owned by the stream; nobody else may draw from it.
        augmentation: None changes nothing.
    """

    def __init__(
        self,
        images: DeviceImages,
        batch_size: int,
        rng: np.random.Generator,
        augmentation: AugmentationSpec | None = None,
    ) -> None:
        self._images = images
        self._batch_size = batch_size
        self._rng = rng
        self._augmentation = augmentation
        self._per_pass = images.batches_per_epoch(batch_size)
        self._pass: Iterator[Batch] = iter(())
        self._taken = self._per_pass
        self._before: dict[str, Any] = {}

    def next(self) -> Batch:
        """Return the next batch; shapes as in `DeviceImages.epoch`."""
        if self._taken == self._per_pass:
            self._begin(0)
        self._taken += 1
        return next(self._pass)

    def state(self) -> dict[str, Any]:
        """Return a JSON-able snapshot: the generator before the current pass, and the position."""
        between = self._taken == self._per_pass
        return {
            "generator": _plain(self._rng.bit_generator.state) if between else self._before,
            "batches_taken": 0 if between else self._taken,
            "batch_size": self._batch_size,
            "images": len(self._images),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue exactly where `state` was taken, with the same images and augmentation.

        Raises:
            DataError: the snapshot is of another number of images, batch size or generator.
        """
        for key, mine in (("images", len(self._images)), ("batch_size", self._batch_size)):
            if state[key] != mine:
                raise DataError(
                    f"The checkpoint was written with {key} {state[key]}, this run has {mine}; "
                    f"continue it with the data and batch size it was begun with."
                )
        kind = type(self._rng.bit_generator).__name__
        if state["generator"]["bit_generator"] != kind:
            raise DataError(
                f"The checkpoint's random numbers are of the kind "
                f"{state['generator']['bit_generator']}, this run's are {kind}."
            )
        self._rng.bit_generator.state = _arrays(state["generator"])
        self._taken = self._per_pass
        if state["batches_taken"]:
            self._begin(state["batches_taken"])

    def _begin(self, taken: int) -> None:
        self._before = _plain(self._rng.bit_generator.state)
        self._pass = self._images.epoch(
            self._batch_size, self._rng, self._augmentation, first=taken
        )
        self._taken = taken


def _plain(state: Any) -> Any:
    """Turn a generator's state into JSON types; some kinds keep arrays in it."""
    if isinstance(state, dict):
        return {key: _plain(value) for key, value in state.items()}
    return state.tolist() if isinstance(state, np.ndarray | np.generic) else state


def _arrays(state: Any) -> Any:
    """Turn lists back into the arrays of unsigned numbers that numpy's generators want."""
    if isinstance(state, dict):
        return {key: _arrays(value) for key, value in state.items()}
    return np.array(state, dtype=np.uint64) if isinstance(state, list) else state
