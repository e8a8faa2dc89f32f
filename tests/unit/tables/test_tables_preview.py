"""What a CSV file shows of itself before it is imported."""

from __future__ import annotations

import gzip
import io

from hypothesis import given
from hypothesis import strategies as st
from table_cases import CELLS

from engine.spec.errors import TableError
from engine.tables.csv_preview import ROWS, SHOWN, fault, fitting_spaces, preview


def of(text: str) -> io.BytesIO:
    return io.BytesIO(text.encode())


TEXT = "arch_str,val_acc,test_acc,train_loss,params,params_M,note,epochs\n" + "".join(
    f"{cell},{0.5 + k / 10},{80 + k},{k},{1000 + k},{k}.5,x{k},12\n"
    for k, cell in enumerate(CELLS)
)


def test_columns_with_their_range_and_likely_unit() -> None:
    seen = preview(of(TEXT), "mine.csv")
    found = {column.name: (column.accuracy, column.unit) for column in seen.columns}
    assert found == {
        "val_acc": (True, None),  # up to 1: fractions or percents, so that it has to be said
        "test_acc": (True, "percent"),
        "train_loss": (False, "number"),
        "params": (False, "parameters"),
        "params_M": (False, "number"),
    }
    ranges = {column.name: (column.smallest, column.largest) for column in seen.columns}
    assert ranges["val_acc"] == (0.5, 0.7) and ranges["params"] == (1000.0, 1002.0)
    assert seen.text == CELLS[0] and seen.complete and seen.read == 3
    assert len(seen.rows) == 3 and seen.rows[1]["note"] == "x1"


def test_gzip_reads_the_same_and_the_file_stays_open() -> None:
    packed = io.BytesIO(gzip.compress(TEXT.encode()))
    assert preview(packed, "mine.csv.gz") == preview(of(TEXT), "mine.csv")
    assert not packed.closed
    packed.seek(0)
    assert packed.read(2) == b"\x1f\x8b"


def test_only_the_first_rows_are_read() -> None:
    lines = "".join(f"{CELLS[0]},{k}\n" for k in range(ROWS + 1))
    seen = preview(of("arch,val\n" + lines), "long.csv")
    assert not seen.complete and seen.read == ROWS and len(seen.rows) == SHOWN
    assert seen.columns[0].largest == ROWS - 1
    assert preview(of("arch,val\n" + lines[: -len(lines) // (ROWS + 1)]), "l.csv").read == ROWS


def test_the_two_columns_of_nas_bench_101() -> None:
    seen = preview(of("adjacency,ops,val_accuracy\n0100,IO,90\n"), "nb101.csv")
    assert seen.text == "0100 IO"
    assert [column.name for column in seen.columns] == ["val_accuracy"]


def test_a_file_without_architectures_or_rows() -> None:
    assert preview(of("a,b\n1,2\n"), "x.csv").text is None
    empty = preview(of("arch,val\n"), "x.csv")
    assert (empty.rows, empty.columns, empty.text) == ((), (), None)
    assert preview(of(""), "x.csv").header == ()


@given(st.binary(max_size=300))
def test_anything_is_a_preview_or_a_sentence(data: bytes) -> None:
    try:
        seen = preview(io.BytesIO(data), "any.csv")
    except TableError as error:
        assert "any.csv" in str(error)
    else:
        assert len(seen.rows) <= SHOWN


def test_spaces_that_read_a_text() -> None:
    assert fitting_spaces(CELLS[0]) == ["nb201"]
    assert fitting_spaces("8:8:8:8:64") == ["nats_size"]
    assert fitting_spaces("nonsense") == []
    assert "3 groups" in str(fault("nb201", "nonsense")) and fault("nb201", CELLS[1]) is None
