"""Accuracy tables as CSV: what is read, and what is said of broken ones."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from engine.core.architecture import Architecture
from engine.spaces.nb201 import NB201_SPACE
from engine.spec.errors import TableError
from engine.tables.csv_table import TEXT_COLUMNS, read_accuracies

ROOT = Path(__file__).resolve().parents[3]
SOME = [Architecture("nb201", indices) for indices in ((0,) * 6, (1, 2, 3, 4, 0, 1), (3,) * 6)]
TEXTS = [NB201_SPACE.to_text(one) for one in SOME]
GOOD = f"index,arch_str,val,test\n0,{TEXTS[0]},10.5,9\n1,{TEXTS[1]},90.25,89.5\n"


def table(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path: Path, *columns: str) -> dict[Architecture, tuple[float, ...]]:
    return read_accuracies(path, NB201_SPACE, columns or ("val",))


def fault(path: Path, *columns: str) -> str:
    with pytest.raises(TableError) as caught:
        read(path, *columns)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_values_in_the_order_asked_for(tmp_path: Path) -> None:
    path = table(tmp_path, GOOD)
    assert read(path, "val") == {SOME[0]: (10.5,), SOME[1]: (90.25,)}
    assert read(path, "test", "val", "test") == {
        SOME[0]: (9.0, 10.5, 9.0),
        SOME[1]: (89.5, 90.25, 89.5),
    }


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(GOOD.encode(), mtime=0),
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.rstrip("\n").encode(),
        GOOD.replace("\n0,", "\n\n\n0,").encode(),
        GOOD.replace(TEXTS[0], f'"{TEXTS[0]}"').encode(),
    ],
)
def test_forms_of_the_same_file(tmp_path: Path, content: bytes) -> None:
    """The name does not say whether it is compressed: the content does."""
    assert read(table(tmp_path, content)) == {SOME[0]: (10.5,), SOME[1]: (90.25,)}


@pytest.mark.parametrize("name", TEXT_COLUMNS)
def test_names_of_the_architecture_column(tmp_path: Path, name: str) -> None:
    path = table(tmp_path, GOOD.replace("arch_str", name))
    assert len(read(path)) == 2


def test_incomplete_rows_are_left_out_and_the_last_of_a_kind_counts(tmp_path: Path) -> None:
    content = GOOD + f"2,{TEXTS[2]},,1\n3,{TEXTS[2]}\n4,{TEXTS[0]},50,1\n"
    path = table(tmp_path, content)
    assert read(path) == {SOME[0]: (50.0,), SOME[1]: (90.25,)}
    assert read(path, "test")[SOME[2]] == (1.0,)


def test_columns_that_are_not_there(tmp_path: Path) -> None:
    path = table(tmp_path, GOOD)
    assert "no column `acc`; it has index, arch_str, val, test" in fault(path, "acc")
    path = table(tmp_path, GOOD.replace("arch_str", "cell"))
    assert "no architecture column; name it one of arch_str, " in fault(path)


@pytest.mark.parametrize("content", ["", "\n", "arch_str,val\n", f"arch_str,val\n{TEXTS[0]},\n"])
def test_nothing_in_it(tmp_path: Path, content: str) -> None:
    message = fault(table(tmp_path, content))
    assert "no architecture column" in message or "no complete row" in message


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"2,{TEXTS[2]},high,1", "could not convert string to float: 'high'"),
        (f"2,{TEXTS[2]},nan,1", "a value that is not a number"),
        (f"2,{TEXTS[2]},inf,1", "a value that is not a number"),
        (f"2,{TEXTS[2]},90%,1", "'90%'"),
        ("2,|none~0|,5,1", "given was `|none~0|`"),
        (f"2,{TEXTS[2].replace('nor_', '')},5,1", "`conv_3x3` is no operation"),
        ("2,,5,1", "given was ``"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, words: str) -> None:
    path = table(tmp_path, GOOD + line + "\n")
    message = fault(path)
    assert message.startswith(f"Line 4 of {path}") and words in message
    # Empty lines, and line breaks within quotes, count as an editor counts them.
    shifted = GOOD.replace("\n1,", '\n\n"1\n",')
    assert fault(table(tmp_path, shifted + line + "\n")).startswith(f"Line 6 of {path}")


def test_a_short_row_before_the_architecture(tmp_path: Path) -> None:
    path = table(tmp_path, f"val,arch_str\n90,{TEXTS[0]}\n80\n")
    assert fault(path).startswith(f"Line 3 of {path}: ")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    packed = gzip.compress(GOOD.encode())
    flipped = bytearray(packed)
    flipped[20] ^= 0xFF
    for content in (packed[:-9], bytes(flipped), b"\x1f\x8b", b"arch_str,val\n\xff\xfe,1\n"):
        assert "cannot be read as a CSV table" in fault(table(tmp_path, content))
    assert "cannot be read" in fault(tmp_path / "absent.csv")
    assert "cannot be read" in fault(tmp_path)


def test_an_endless_field_is_named(tmp_path: Path) -> None:
    path = table(tmp_path, GOOD + '2,"' + "x" * 200_000)
    assert fault(path).startswith(f"Line 4 of {path} is no CSV")


def test_the_published_table() -> None:
    given = os.environ.get("NASW_SHARED_DATA")
    path = (Path(given) if given else ROOT.parent / "shared" / "data") / "nasbench201.csv.gz"
    if not path.is_file():
        pytest.skip(f"no published table: {path} is absent (set NASW_SHARED_DATA)")
    found = read(path, "cifar10_test_200", "cifar10valid_val_200")
    assert len(found) == 15_625
    best = max(found, key=lambda one: found[one][0])
    assert found[best][0] == pytest.approx(94.37, abs=0.005)
    text = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|"
    assert found[NB201_SPACE.parse(text + "skip_connect~2|")][1] == 81.9827
