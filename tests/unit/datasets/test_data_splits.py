"""Splits: disjoint, stratified, deterministic, nested, and refused when impossible."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.datasets.splits import Split, make_split
from engine.datasets.stratify import class_sequence, stratified_order
from engine.spec.data import DataSpec
from engine.spec.errors import DataError

COUNTS = st.lists(st.integers(0, 40), min_size=1, max_size=9)
PARTS = ("train", "held_out", "test")


def labels_of(counts: list[int]) -> np.ndarray:
    labels = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng(3).permutation(labels)


def split_of(counts: list[int], tests: list[int] | None = None, **fields: object) -> Split:
    names = [f"class{number}" for number in range(len(counts))]
    test_labels = None if tests is None else labels_of(tests)
    return make_split(labels_of(counts), test_labels, names, DataSpec(**fields))


@settings(max_examples=150, deadline=None)
@given(COUNTS)
def test_every_prefix_is_within_one_of_proportional(counts: list[int]) -> None:
    sequence = class_sequence(counts)
    total = sum(counts)
    assert np.bincount(sequence, minlength=len(counts)).tolist() == counts
    seen = np.cumsum(sequence[:, None] == np.arange(len(counts)), axis=0)
    for length, row in enumerate(seen.tolist(), start=1):
        for got, count in zip(row, counts, strict=True):
            floor, rest = divmod(length * count, total)
            assert floor <= got <= floor + (rest > 0)


@settings(max_examples=50, deadline=None)
@given(COUNTS, st.integers(0, 2**32))
def test_stratified_order_is_a_permutation_with_that_property(
    counts: list[int], seed: int
) -> None:
    labels = labels_of(counts)
    order = stratified_order(labels, len(counts), np.random.default_rng(seed))
    assert sorted(order.tolist()) == list(range(len(labels)))
    for length in range(1, len(labels) + 1):
        got = np.bincount(labels[order[:length]], minlength=len(counts))
        assert np.abs(got - length * np.array(counts) / len(labels)).max() < 1


def test_order_within_and_between_classes_depends_on_the_seed() -> None:
    labels = labels_of([30, 30, 30])
    orders = [stratified_order(labels, 3, np.random.default_rng(seed)) for seed in range(20)]
    assert len({tuple(order) for order in orders}) == 20
    assert {int(labels[order[0]]) for order in orders} == {0, 1, 2}


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_parts_are_disjoint_and_within_one_of_proportional(data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(20, 60), min_size=2, max_size=6))
    total = sum(counts)
    held = data.draw(st.integers(total // 4, total // 2))
    train = data.draw(st.integers(total // 4, total - held))
    seed = data.draw(st.integers(0, 2**63 - 1))
    split = split_of(
        counts,
        counts,
        held_out_images=held,
        train_images=train,
        split_seed=seed,
        test_images=total,
    )
    assert not set(split.train.tolist()) & set(split.held_out.tolist())
    labels = labels_of(counts)
    for part, size in (("train", train), ("held_out", held)):
        indices = getattr(split, part)
        assert len(indices) == size == len(set(indices.tolist()))
        got = np.bincount(labels[indices], minlength=len(counts))
        assert np.abs(got - size * np.array(counts) / total).max() < 1
        assert tuple(got.tolist()) == split.per_class[part]
    assert sorted(split.test.tolist()) == list(range(total))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(25, 60), min_size=2, max_size=6), st.integers(0, 2**32))
def test_without_a_test_set_one_fifth_is_split_off_first(counts: list[int], seed: int) -> None:
    split = split_of(counts, split_seed=seed)
    total = sum(counts)
    assert split.test_from == "train"
    assert len(split.test) == int(0.2 * total + 0.5)
    everything = np.concatenate([split.train, split.held_out, split.test])
    assert sorted(everything.tolist()) == list(range(total))
    got = np.bincount(labels_of(counts)[split.test], minlength=len(counts))
    assert np.abs(got - len(split.test) * np.array(counts) / total).max() < 1


def test_same_seed_same_split_other_seed_other_split() -> None:
    first, again, other = (split_of([50, 50], split_seed=seed) for seed in (4, 4, 5))
    assert first.to_json() == again.to_json()
    for part in PARTS:
        np.testing.assert_array_equal(getattr(first, part), getattr(again, part))
        assert set(getattr(first, part).tolist()) != set(getattr(other, part).tolist())


def test_held_out_part_does_not_depend_on_train_images_and_training_parts_are_nested() -> None:
    small, large = (split_of([60, 80], [9, 9], train_images=n) for n in (10, 40))
    np.testing.assert_array_equal(small.held_out, large.held_out)
    np.testing.assert_array_equal(small.train, large.train[:10])


def test_sizes_given_by_fraction_and_by_number() -> None:
    half = split_of([50, 50], [5, 5])
    assert [len(getattr(half, part)) for part in PARTS] == [50, 50, 10]
    quarter = split_of([50, 50], [5, 5], held_out_fraction=0.25)
    assert [len(getattr(quarter, part)) for part in PARTS] == [75, 25, 10]
    number = split_of([50, 50], [5, 5], held_out_images=10, held_out_fraction=0.9, test_images=4)
    assert [len(getattr(number, part)) for part in PARTS] == [90, 10, 4]
    assert number.test_from == "test"


def test_beginnings_of_every_part_are_balanced() -> None:
    split = split_of([500, 500, 500, 500], [100, 100, 100, 100])
    pools = {"train": labels_of([500] * 4), "held_out": labels_of([500] * 4)}
    pools["test"] = labels_of([100] * 4)
    for part, labels in pools.items():
        first = np.bincount(labels[getattr(split, part)[:40]], minlength=4)
        assert np.abs(first - 10).max() <= 1, part


def test_json_record() -> None:
    split = split_of([30, 10], [5, 5], split_seed=9)
    record = json.loads(json.dumps(split.to_json()))
    assert record["seed"] == 9
    assert record["test_from"] == "test"
    part = record["parts"]["held_out"]
    assert part["images"] == 20
    assert part["per_class"] == {"class0": 15, "class1": 5}
    raw = b"".join(int(i).to_bytes(8, "little") for i in split.held_out)
    assert part["sha256"] == hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"train_images": 51}, ["data.train_images: 51 given", "50 are available"]),
        ({"train_images": 41, "held_out_images": 60}, ["data.train_images: 41", "40 are"]),
        ({"held_out_images": 100}, ["data.held_out_images: 100", "100 training", "most 99"]),
        ({"held_out_images": 101}, ["data.held_out_images: 101 given", "at most 99"]),
        ({"test_images": 11}, ["data.test_images: 11 given", "10 are available"]),
        ({"train_images": 1}, ["data.train_images", "training part of 1 images", "`class"]),
        ({"held_out_images": 1}, ["data.held_out_images", "held-out part of 1", "`class"]),
        ({"held_out_fraction": 0.01}, ["data.held_out_fraction", "part of 1 images", "`class"]),
        ({"held_out_fraction": 0.995}, ["data.train_images", "training part of 0", "`class"]),
        ({"test_images": 1}, ["data.test_images", "test part of 1 images", "`class"]),
    ],
)
def test_impossible_sizes_name_field_number_and_what_there_is(
    fields: dict[str, object], words: list[str]
) -> None:
    with pytest.raises(DataError) as caught:
        split_of([50, 50], [5, 5], **fields)
    for word in words:
        assert word in str(caught.value)


def test_test_images_cannot_eat_the_training_set() -> None:
    with pytest.raises(DataError, match="data.test_images: 99 given, but 98 are available"):
        split_of([50, 50], test_images=99)


def test_a_class_without_images_is_named() -> None:
    with pytest.raises(DataError, match="no training image of the class `class1`"):
        split_of([10, 0, 10], [3, 3, 3])
    with pytest.raises(DataError, match="data.test_images: the test part .* class `class2`"):
        split_of([10, 10, 10], [3, 3, 0])
