"""Sheets: what pages see of imported tables and of the results bank."""

from __future__ import annotations

import math
import statistics
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import sheet as sheets
from app.sheet import COUNTED, Sheet, best_rows, of_bank, of_table
from engine.spaces import get_space
from engine.spec.errors import ArchitectureError
from engine.spec.network import NetworkSpec
from engine.tables.bank import BankRow
from engine.tables.csv_import import CsvOptions
from engine.tables.importing import SpaceChoice, import_table
from engine.tables.store import open_table

NB201 = get_space("nb201")
# The first two build the same network.
CELLS = (
    "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|skip_connect~2|",
    "|none~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|skip_connect~2|",
    "|nor_conv_1x1~0|+|none~0|skip_connect~1|+|none~0|none~1|skip_connect~2|",
)
PARAMS, FLOPS = (COUNTED[unit].name for unit in ("parameters", "multiply-adds"))


def table_sheet(folder: Path, text: str, *columns: str, space: str = "nb201") -> Sheet:
    path = folder / "t.csv"
    path.write_text(text)
    import_table("csv", path, folder, "t", SpaceChoice(space), CsvOptions(columns, "percent"))
    return of_table(open_table(folder, "t"), get_space(space))


def test_costs_are_those_of_the_space(tmp_path: Path) -> None:
    sheet = table_sheet(tmp_path, f"arch,test\n{CELLS[0]},90\n{CELLS[2]},80\n")
    assert [column.name for column in sheet.columns] == ["test", PARAMS, FLOPS]
    # Stem, reductions and classifier, then 5 cells a stage with one convolution each, as the
    # published formula counts them: 0.073306 M + 0.24304 M (3 × 3) or 0.028 M (1 × 1).
    assert sheet.values(PARAMS).tolist() == [73306 + 243040, 73306 + 28000]
    assert sheet.values(FLOPS)[0] == pytest.approx(7.78305e6 + 35.38944e6)
    assert sheet.network == NetworkSpec()


def test_costs_of_the_source_are_not_counted_again(tmp_path: Path) -> None:
    text = f"arch,test,size\n{CELLS[0]},90,7\n"
    sheet = table_sheet(tmp_path, text, "test", "size:parameters")
    assert [column.name for column in sheet.columns] == ["test", "size", FLOPS]
    assert sheet.values("size").tolist() == [7.0]


def test_large_tables_are_counted_for_some_rows_and_the_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "COUNTED_ROWS", 10)
    monkeypatch.setattr(sheets, "COUNTED_BEST", 3)
    rows = [f"8:8:8:{8 * (n % 8 + 1)}:{8 * (n // 8 + 1)},{(n * 37) % 64}" for n in range(64)]
    sheet = table_sheet(tmp_path, "arch,test\n" + "\n".join(rows) + "\n", space="nats_size")
    counted = np.flatnonzero(~np.isnan(sheet.values(PARAMS)))
    assert counted.tolist() == sheet.counted.tolist() and 10 <= len(counted) <= 13
    assert {0, 63} <= set(counted.tolist())
    assert set(np.argsort(-sheet.values("test"))[:3].tolist()) <= set(counted.tolist())


def test_a_look_up_finds_the_same_network_under_another_text(tmp_path: Path) -> None:
    sheet = table_sheet(tmp_path, f"arch,test\n{CELLS[0]},90\n")
    assert (sheet.look_up(CELLS[0]).row, sheet.look_up(CELLS[0]).exact) == (0, True)
    found = sheet.look_up(CELLS[1])
    assert (found.row, found.exact, found.given) == (0, False, CELLS[1])
    assert sheet.look_up(CELLS[2]).row is None
    with pytest.raises(ArchitectureError, match="3 groups"):
        sheet.look_up("nonsense")


def test_a_network_can_be_drawn(tmp_path: Path) -> None:
    network = table_sheet(tmp_path, f"arch,test\n{CELLS[0]},90\n").network_of(0)
    assert network.text == CELLS[0] and network.cost is not None
    assert len(network.graphs["cell"].edges) > 0 if "cell" in network.graphs else network.graphs


# -- the results bank ---------------------------------------------------------------------------
def row(cell: str, replicate: int, test: float, held_out: float = 50.0) -> BankRow:
    canonical = NB201.canonical(NB201.parse(cell))
    return BankRow("nb201", canonical, cell, "ab12", replicate, held_out, test, 0.5, 3.0)


def test_replicates_are_averaged_with_their_spread() -> None:
    tests = [81.25, 84.5, 80.0]
    rows = [row(CELLS[0], n, value) for n, value in enumerate(tests)] + [row(CELLS[2], 0, 70.0)]
    sheet, lost = of_bank(rows, NB201, None)
    assert (sheet.rows, lost) == (2, 0)
    assert sheet.values("test").tolist() == [
        pytest.approx(statistics.fmean(tests), abs=1e-6), 70.0,
    ]  # fmt: skip
    spread = sheet.values("test, standard deviation")
    assert spread[0] == pytest.approx(statistics.stdev(tests)) and math.isnan(spread[1])
    assert sheet.values("trainings").tolist() == [3.0, 1.0]
    assert {column.name for column in sheet.accuracies} == {"test", "held_out"}
    assert sheet.look_up(CELLS[1]).row == 0


def test_single_trainings_have_no_spread() -> None:
    sheet, _ = of_bank([row(CELLS[0], 0, 80.0)], NB201, None)
    names = [column.name for column in sheet.columns]
    assert names == ["test", "held_out", "loss", "seconds", PARAMS, FLOPS]


def test_rows_that_the_space_no_longer_reads_are_counted() -> None:
    good = row(CELLS[0], 0, 80.0)
    other = BankRow("nb201", "another form", CELLS[2], "ab12", 0, 50.0, 60.0, 0.5, 3.0)
    broken = BankRow("nb201", "a form", "nonsense", "ab12", 0, 50.0, 60.0, 0.5, 3.0)
    sheet, lost = of_bank([good, other, broken], NB201, None)
    assert (sheet.rows, lost, sheet.text(0)) == (1, 2, CELLS[0])


def test_the_skeleton_is_that_of_the_protocol() -> None:
    small = NetworkSpec(channels=2, cells=1, input_channels=1, resolution=8)
    content = {"data": {}, "network": small.model_dump(mode="json"), "training": {}}
    sheet, _ = of_bank([row(CELLS[0], 0, 80.0)], NB201, content)
    cost = NB201.cost(NB201.parse(CELLS[0]), small)
    assert sheet.values(PARAMS).tolist() == [cost.params]


# -- the best share -------------------------------------------------------------------------------
numbers = st.one_of(st.just(math.nan), st.integers(0, 8).map(float))


@given(st.lists(numbers, max_size=30), st.sampled_from([0.01, 0.1, 0.3, 0.5, 1.0]))
def test_the_best_share_is_what_counting_gives(values: list[float], share: float) -> None:
    kept = best_rows(np.array(values, float), share)
    known = [value for value in values if not math.isnan(value)]
    wanted = math.ceil(share * len(known))
    for value, is_kept in zip(values, kept, strict=True):
        better = sum(other > value for other in known)
        assert is_kept == (not math.isnan(value) and better < wanted)
