"""Batches on the device: contents, order, randomness, and streams that continue exactly."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from engine.datasets import ImageData, prepare_loaded
from engine.datasets.augment import draw
from engine.datasets.batches import BatchStream, DeviceImages
from engine.spec.data import AugmentationSpec, DataSpec
from engine.spec.errors import DataError

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
ALL = AugmentationSpec(flip=True, crop_padding=2, cutout=3)


def pictures(count: int = 23, side: int = 8) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    images = rng.integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    return images, np.arange(count)  # labels tell the images apart


def device_images(count: int = 23, **more: Any) -> DeviceImages:
    return DeviceImages(*pictures(count), "cpu", MEAN, STD, **more)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def reference(images: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Flip, crop (black), normalise, cutout with the settings ALL, image after image."""
    results = []
    for image, (flip, top, left, row, column) in zip(images, numbers, strict=True):
        padded = np.pad(image, ((2, 2), (2, 2), (0, 0)))
        window = padded[top : top + 8, left : left + 8]
        window = window[:, ::-1] if flip else window
        x = (window / 255 - np.array(MEAN)) / np.array(STD)
        x[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = 0
        results.append(x.transpose(2, 0, 1))
    return np.stack(results)


def test_an_epoch_equals_the_loop_over_images() -> None:
    images, _ = pictures()
    twin = generator(3)
    order = twin.permutation(23)
    numbers = draw(23, (8, 8), ALL, twin)
    batches = list(device_images().epoch(5, generator(3), ALL))
    assert len(batches) == 4
    for number, (x, y) in enumerate(batches):
        rows = slice(5 * number, 5 * number + 5)
        assert (x.dtype, y.dtype, tuple(x.shape)) == (torch.float32, torch.int64, (5, 3, 8, 8))
        np.testing.assert_array_equal(y.numpy(), order[rows])
        expected = reference(images[order[rows]], numbers[rows])
        np.testing.assert_allclose(x.numpy(), expected, atol=2e-6)


def test_an_epoch_takes_every_image_at_most_once() -> None:
    data = device_images()
    dropped = torch.cat([y for _, y in data.epoch(5, generator())]).tolist()
    assert len(dropped) == len(set(dropped)) == 20
    sizes = [len(y) for _, y in data.epoch(5, generator(), drop_last=False)]
    assert sizes == [5, 5, 5, 5, 3]
    kept = torch.cat([y for _, y in data.epoch(5, generator(), drop_last=False)]).tolist()
    assert sorted(kept) == list(range(23))


def test_a_small_set_makes_one_batch_of_everything() -> None:
    data = device_images(3)
    (batch,) = data.epoch(64, generator(), ALL)
    assert sorted(batch[1].tolist()) == [0, 1, 2]
    assert data.batches_per_epoch(64) == data.batches_per_epoch(64, drop_last=False) == 1


def test_the_generator_is_drawn_from_before_the_first_batch() -> None:
    data = device_images()
    unused, half_used, used = generator(1), generator(1), generator(1)
    data.epoch(5, unused, ALL)
    next(data.epoch(5, half_used, ALL))
    list(data.epoch(5, used, ALL))
    states = [rng.bit_generator.state for rng in (unused, half_used, used)]
    assert states[0] == states[1] == states[2] != generator(1).bit_generator.state


def test_same_seed_same_batches_and_next_epoch_differs() -> None:
    data = device_images()
    first, second = generator(8), generator(8)
    passes = [list(data.epoch(6, rng, ALL)) for rng in (first, second, second)]
    for (x, y), (x_again, y_again) in zip(passes[0], passes[1], strict=True):
        assert torch.equal(x, x_again) and torch.equal(y, y_again)
    assert not torch.equal(passes[1][0][1], passes[2][0][1])


def test_a_pass_can_be_continued_in_its_middle() -> None:
    data = device_images()
    whole = list(data.epoch(5, generator(2), ALL))
    rest = list(data.epoch(5, generator(2), ALL, first=3))
    assert len(rest) == 1
    assert torch.equal(rest[0][0], whole[3][0])


def test_evaluation_batches_are_in_order_complete_and_plain() -> None:
    images, _ = pictures()
    batches = list(device_images().batches(10))
    assert [len(y) for _, y in batches] == [10, 10, 3]
    np.testing.assert_array_equal(torch.cat([y for _, y in batches]).numpy(), np.arange(23))
    expected = ((images / 255 - MEAN) / STD).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(torch.cat([x for x, _ in batches]).numpy(), expected, atol=2e-6)


def test_without_mean_and_std_images_lie_between_0_and_1() -> None:
    images, labels = pictures()
    ((x, _),) = DeviceImages(images, labels, "cpu").batches(23)
    np.testing.assert_allclose(x.numpy(), images.transpose(0, 3, 1, 2) / 255, atol=1e-7)


@pytest.mark.parametrize("normalised", [True, False])
def test_contradicting_normalisation_is_refused(normalised: bool) -> None:
    images, labels = pictures()
    data = DeviceImages(images, labels, "cpu", *((MEAN, STD) if normalised else ()))
    with pytest.raises(ValueError, match=f"normalise is {not normalised}"):
        data.epoch(5, generator(), AugmentationSpec(normalise=not normalised))
    list(data.epoch(5, generator(), AugmentationSpec(normalise=normalised)))


def test_type_and_layout_of_batches() -> None:
    plain = next(device_images().epoch(6, generator(), ALL))[0]
    last = device_images(memory_format=torch.channels_last)
    half = device_images(memory_format=torch.channels_last, dtype=torch.bfloat16)
    for x in (next(last.epoch(6, generator(), ALL))[0], next(last.batches(6))[0]):
        assert x.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(next(last.epoch(6, generator(), ALL))[0], plain)
    x = next(half.epoch(6, generator(), ALL))[0]
    assert x.dtype == torch.bfloat16 and x.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(x, plain.to(torch.bfloat16))
    assert plain.is_contiguous()


def test_batches_do_not_alias_what_is_resident() -> None:
    images, labels = pictures()
    data = DeviceImages(images, labels, "cpu", MEAN, STD)
    before = data.images.clone()
    for x, y in [*data.batches(23), *data.epoch(5, generator(), ALL)]:
        x.zero_()
        y.zero_()
    images[:], labels[:] = 0, 0
    assert torch.equal(data.images, before)
    assert data.labels.tolist() == list(range(23))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"images": np.zeros((2, 4, 4, 3))}, "float64"),
        ({"images": np.zeros((2, 4, 4), np.uint8)}, "(2, 4, 4)"),
        ({"images": np.zeros((0, 4, 4, 3), np.uint8), "labels": np.zeros(0, int)}, "(0, 4, 4, 3)"),
        ({"labels": np.zeros(3, int)}, "2 images"),
        ({"mean": (0.5,) * 3}, "go together"),
        ({"mean": (0.5,), "std": (0.5,)}, "each of 3 channels"),
        ({"dtype": torch.uint8}, "floating type"),
    ],
)
def test_misuse_is_refused(changes: dict[str, Any], words: str) -> None:
    fields = {"images": np.zeros((2, 4, 4, 3), np.uint8), "labels": np.zeros(2, int)}
    with pytest.raises(ValueError) as caught:
        DeviceImages(**{**fields, "device": "cpu", **changes})
    assert words in str(caught.value)


def test_a_batch_has_an_image() -> None:
    with pytest.raises(ValueError, match="at least one image"):
        device_images().epoch(0, generator())


class Operations(TorchDispatchMode):
    """Counts the operations that torch runs."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen[func._schema.name] += 1
        return func(*args, **(kwargs or {}))


def test_batches_need_no_host_sync_and_no_loop_over_images() -> None:
    counts = []
    for batch_size in (2, 20):
        batches = device_images().epoch(batch_size, generator(), ALL)
        with Operations() as operations:
            next(batches)
        counts.append(operations.seen)
    assert counts[0] == counts[1]
    syncing = {"aten::_local_scalar_dense", "aten::nonzero", "aten::equal", "aten::item"}
    assert not syncing & set(counts[0])
    assert sum(counts[0].values()) < 80


@pytest.mark.gpu
def test_batches_need_no_host_sync_on_a_gpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    data = DeviceImages(*pictures(), "cuda", MEAN, STD)
    on_cpu = list(device_images().epoch(5, generator(3), ALL))
    batches = data.epoch(5, generator(3), ALL)
    torch.cuda.set_sync_debug_mode("error")
    try:
        on_gpu = list(batches)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    for (x, y), (x_gpu, y_gpu) in zip(on_cpu, on_gpu, strict=True):
        torch.testing.assert_close(x_gpu.cpu(), x, rtol=0, atol=2e-6)
        assert torch.equal(y_gpu.cpu(), y)


@pytest.mark.parametrize("kind", ["PCG64", "Philox", "MT19937", "SFC64"])
@pytest.mark.parametrize("taken", range(10))
def test_a_stream_continues_exactly_from_its_json_state(kind: str, taken: int) -> None:
    def stream(seed: int) -> BatchStream:
        rng = np.random.Generator(getattr(np.random, kind)(seed))
        rng.integers(0, 9, dtype=np.uint32)  # leaves half a number in the generator's buffer
        return device_images().endless(5, rng, ALL)

    first, other = stream(1), stream(2)
    for _ in range(taken):
        first.next()
    other.next()
    state = json.loads(json.dumps(first.state()))
    other.load_state(state)
    assert other.state() == state
    for _ in range(9):
        for mine, theirs in zip(first.next(), other.next(), strict=True):
            assert torch.equal(mine, theirs)
    assert first.state() == other.state()


def test_a_stream_goes_through_whole_passes() -> None:
    stream = device_images().endless(5, generator())
    labels = [stream.next()[1].tolist() for _ in range(8)]
    for batches in (labels[:4], labels[4:]):
        seen = sum(batches, [])
        assert len(set(seen)) == 20
    assert labels[:4] != labels[4:]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"images": 24}, "images 24, this run has 23"),
        ({"batch_size": 6}, "batch_size 6, this run has 5"),
        ({"generator": np.random.Philox(0).state | {"buffer": 0}}, "Philox, this run's are PCG64"),
    ],
)
def test_a_state_of_another_stream_is_refused(change: dict[str, Any], words: str) -> None:
    stream = device_images().endless(5, generator())
    state = stream.state()
    with pytest.raises(DataError) as caught:
        stream.load_state({**state, **change})
    assert words in str(caught.value)
    assert stream.state() == state


@pytest.mark.parametrize("normalise", [True, False])
def test_parts_of_prepared_data(normalise: bool) -> None:
    images, _ = pictures(24)
    raw = ImageData("toy", images, np.arange(24) % 2, None, None, ("a", "b"), "toy")
    spec = DataSpec(augmentation={"normalise": normalise})
    ready = prepare_loaded(raw, spec)
    for part in ("train", "held_out", "test"):
        data = DeviceImages.from_prepared(ready, part, spec.augmentation, "cpu")
        ((x, y),) = data.batches(100)
        mean, std = (ready.mean, ready.std) if normalise else (0, 1)
        expected = (getattr(ready, f"{part}_images") / 255 - mean) / std
        np.testing.assert_allclose(x.permute(0, 2, 3, 1).numpy(), expected, atol=3e-6)
        np.testing.assert_array_equal(y.numpy(), getattr(ready, f"{part}_labels"))
