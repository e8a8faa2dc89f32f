"""TensorFlow records and protobuf, against writers made from the formats' definitions."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table_cases import crc32c, double, evaluation, masked, metrics, tf_record, varint

from engine.tables import tfrecord
from engine.tables.protobuf import Evaluation, read_metrics
from engine.tables.tfrecord import BadRecord, read_records

FLOATS = st.floats(allow_nan=False)


def test_published_checksums() -> None:
    """RFC 3720, B.4, and the check value of the catalogue of CRC algorithms."""
    chunks = [bytes(32), b"\xff" * 32, bytes(range(32)), bytes(range(31, -1, -1)), b"123456789"]
    expected = [0x8A9136AA, 0x62A8AB43, 0x46DD794E, 0x113FDB5C, 0xE3069283]
    assert tfrecord.crc32c(chunks).tolist() == expected
    assert [crc32c(chunk) for chunk in chunks] == expected
    assert tfrecord.crc32c([]).tolist() == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=20))
def test_checksums_of_many_at_once(chunks: list[bytes]) -> None:
    found = tfrecord.crc32c(chunks)
    assert found.tolist() == [crc32c(chunk) for chunk in chunks]
    assert tfrecord.masked(found).tolist() == [masked(crc32c(chunk)) for chunk in chunks]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=12))
def test_records_come_back(records: list[bytes]) -> None:
    stream = io.BytesIO(b"".join(map(tf_record, records)))
    assert [one for some in read_records(stream) for one in some] == records


def test_many_records_come_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfrecord, "AT_ONCE", 4)
    records = [bytes([number]) * number for number in range(11)]
    parts = list(read_records(io.BytesIO(b"".join(map(tf_record, records)))))
    assert [len(part) for part in parts] == [4, 4, 3]
    assert [one for part in parts for one in part] == records


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_changed_byte_is_found(data: st.DataObject) -> None:
    records = [b"first record", b"", b"third"]
    stream = bytearray(b"".join(map(tf_record, records)))
    place = data.draw(st.integers(0, len(stream) - 1))
    stream[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BadRecord):
        list(read_records(io.BytesIO(bytes(stream))))


def test_a_cut_is_found() -> None:
    first = tf_record(b"first record")
    stream = first + tf_record(b"second")
    for length in range(1, len(stream)):
        if length != len(first):
            with pytest.raises(BadRecord, match="cut short in record"):
                list(read_records(io.BytesIO(stream[:length])))


def test_the_wrong_record_is_named() -> None:
    stream = bytearray(tf_record(b"one") + tf_record(b"two") + tf_record(b"three"))
    stream[-5] ^= 1
    with pytest.raises(BadRecord, match="checksum of record 3 is wrong"):
        list(read_records(io.BytesIO(bytes(stream))))


def test_a_length_is_not_trusted() -> None:
    """A wrong length is told from a right one that is too large, before anything is allocated."""
    head = struct.pack("<Q", 2**50)
    with pytest.raises(BadRecord, match="checksum of record 1"):
        list(read_records(io.BytesIO(head + bytes(4))))
    with pytest.raises(BadRecord, match="larger than any"):
        list(read_records(io.BytesIO(head + struct.pack("<I", masked(crc32c(head))))))


# -- protobuf -----------------------------------------------------------------------------------
@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(FLOATS, FLOATS, FLOATS, FLOATS, FLOATS), max_size=4),
    st.integers(0, 2**31 - 1),
    st.text(max_size=300),
)
def test_metrics_come_back(
    values: list[tuple[float, float, float, float, float]], parameters: int, path: str
) -> None:
    found = read_metrics(metrics([evaluation(one, path) for one in values], parameters))
    assert found.evaluations == tuple(Evaluation(*one) for one in values)
    assert found.parameters == parameters


def test_unknown_fields_are_passed_over_and_missing_ones_are_zero() -> None:
    extra = varint(9 << 3) + varint(300) + varint(10 << 3 | 5) + b"abcd" + double(11, 1.0)
    found = read_metrics(extra + metrics([extra + double(4, 0.5)], 7) + extra)
    assert found.evaluations == (Evaluation(valid=0.5),)
    assert found.parameters == 7


@pytest.mark.parametrize(
    "data",
    [
        b"\x08",
        b"\x80" * 11,
        b"\x09\x00",
        b"\x0a\x05ab",
        b"\x0b",
        b"\x00\x00",
        metrics([evaluation((1.0,))], 1)[:-3],
    ],
)
def test_bytes_that_are_no_message(data: bytes) -> None:
    with pytest.raises(ValueError, match="field|number"):
        read_metrics(data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_give_a_message_or_a_value_error(data: bytes) -> None:
    try:
        read_metrics(data)
    except ValueError as error:
        assert str(error)
