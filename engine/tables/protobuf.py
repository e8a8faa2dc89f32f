"""The metrics of a NAS-Bench-101 record: the few parts of the protobuf wire format that it uses.

    ModelMetrics    1: repeated EvaluationData   2: int32 trainable parameters   3: double time
    EvaluationData  doubles 1: epoch  2: training time  3: train  4: validation  5: test accuracy
                    6: string, path of a checkpoint

A field is a varint key (number * 8 + wire type) and a value: type 0 a varint, 1 eight bytes, 2 a
length and so many bytes, 5 four bytes. Unknown fields are passed over, as the format demands.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
Value = int | bytes


@dataclass(frozen=True)
class Evaluation:
    """One evaluation while training; accuracies are fractions, time is in seconds."""

    epoch: float = 0.0
    training_time: float = 0.0
    train: float = 0.0
    valid: float = 0.0
    test: float = 0.0


@dataclass(frozen=True)
class ModelMetrics:
    """Evaluations in the order of training, and the number of parameters."""

    evaluations: tuple[Evaluation, ...]
    parameters: int


_DOUBLES = {1: "epoch", 2: "training_time", 3: "train", 4: "valid", 5: "test"}


def read_metrics(data: bytes) -> ModelMetrics:
    """Decode a ModelMetrics message.

    Raises:
        ValueError: the bytes are no such message.
    """
    evaluations, parameters = [], 0
    for number, kind, value in _fields(data):
        if number == 1 and kind == BYTES:
            assert isinstance(value, bytes)
            evaluations.append(_evaluation(value))
        elif number == 2 and kind == VARINT:
            assert isinstance(value, int)
            parameters = value
    return ModelMetrics(tuple(evaluations), parameters)


def _evaluation(data: bytes) -> Evaluation:
    found = {
        _DOUBLES[number]: struct.unpack("<d", value)[0]
        for number, kind, value in _fields(data)
        if number in _DOUBLES and kind == FIXED64 and isinstance(value, bytes)
    }
    return Evaluation(**found)


def _fields(data: bytes) -> Iterator[tuple[int, int, Value]]:
    """Yield (field number, wire type, value) of a message."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value: Value
            value, place = _varint(data, place)
        elif kind in (FIXED64, FIXED32, BYTES):
            length = {FIXED64: 8, FIXED32: 4}.get(kind)
            if length is None:
                length, place = _varint(data, place)
            if place + length > len(data):
                raise ValueError("a field that is cut short")
            value, place = data[place : place + length], place + length
        else:
            raise ValueError(f"a field of the unknown type {kind}")
        if number == 0:
            raise ValueError("a field with the number 0")
        yield number, kind, value


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """Return a number of up to 64 bits, seven a byte, lowest first, and the place behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            raise ValueError("a number that is cut short")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("a number of more than ten bytes")
