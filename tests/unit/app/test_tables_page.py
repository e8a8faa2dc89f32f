"""The page of tables: empty, with tables, one table, the results bank, and for viewers."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from page_help import Open, words
from played_client import PlayedClient
from streamlit.testing.v1 import AppTest

from engine.spaces import get_space
from engine.tables.bank import Bank, BankRow
from engine.tables.bank_reading import keep_protocol
from engine.tables.csv_import import CsvOptions
from engine.tables.importing import SpaceChoice, import_table
from engine.tables.store import imported, open_table

PAGE = "screens/tables.py"
VIEWS = {"Distribution": 1, "Best": 0, "Compromises": 1, "Agreement": 3, "Look up": 0}
OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
NB201 = get_space("nb201")
CELLS = [
    f"|{a}~0|+|{b}~0|nor_conv_3x3~1|+|skip_connect~0|{c}~1|nor_conv_1x1~2|"
    for a in OPERATIONS
    for b in OPERATIONS
    for c in OPERATIONS
]
NETWORKS = list({NB201.canonical(NB201.parse(cell)): cell for cell in CELLS}.values())
# Two encodings of one network.
CELL = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|skip_connect~2|"
EQUAL = "|none~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|skip_connect~2|"


@pytest.fixture
def data(lab: PlayedClient) -> Path:
    return lab.settings.data


def write_csv(path: Path) -> Path:
    rows = [
        f"{cell},{60 + number / 5},{(number * 7) % 100}"
        for number, cell in enumerate([*CELLS, CELL])
    ]
    path.write_text("arch_str,val_acc,test_acc\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture
def table(data: Path, tmp_path: Path) -> str:
    path = write_csv(tmp_path / "mine.csv")
    import_table("csv", path, data, "mine", SpaceChoice("nb201"), CsvOptions())
    return "mine"


def row(cell: str, replicate: int, test: float) -> BankRow:
    canonical = NB201.canonical(NB201.parse(cell))
    return BankRow("nb201", canonical, cell, "ab12", replicate, test - 1, test, 0.5, 3.0)


@pytest.fixture
def bank(data: Path) -> Path:
    kept = Bank(data / "bank")
    for number, cell in enumerate(NETWORKS[:20]):
        for replicate in range(2):
            kept.add(row(cell, replicate, 50.0 + number + replicate))
    kept.add(replace(row(NETWORKS[0], 0, 10.0), protocol="cd34"))
    content = {
        "data": {"name": "digits", "train_images": 400},
        "network": {"channels": 4, "cells": 1},
        "training": {"epochs": 3, "batch_size": 64},
    }
    keep_protocol(data / "bank", "ab12", content)
    return data / "bank"


def sound(test: AppTest) -> AppTest:
    assert not test.exception and not test.error
    return test


def chart_of(test: AppTest, key: str) -> Any:
    (found,) = [c for c in test.get("bidi_component") if c.key == key]
    return json.loads(found.proto.json)["figure"]


# -- the list -------------------------------------------------------------------------------------
def test_an_empty_lab_says_what_tables_are_for(open_page: Open) -> None:
    said = words(sound(open_page(PAGE)))
    assert "No table has been imported yet" in said and "nasbench_only108.tfrecord" in said
    assert "Nothing has been trained by itself yet" in said


def test_a_card_says_what_a_table_is(open_page: Open, table: str, data: Path) -> None:
    said = words(sound(open_page(PAGE)))
    header = open_table(data, table).header
    for fact in (
        "126", "NAS-Bench-201", "2 in percent: val_acc, test_acc", "mine.csv",
        header.sha256[:16],
    ):  # fmt: skip
        assert fact in said, fact


def test_a_damaged_table_can_only_be_deleted(open_page: Open, table: str, data: Path) -> None:
    (data / "tables" / table / "table.json").write_text("{")
    test = open_page(PAGE)
    assert not test.exception
    assert "is damaged" in words(test) and test.button(key="really-mine")


def test_a_table_is_opened_and_left(open_page: Open, table: str) -> None:
    test = open_page(PAGE)
    test.button(key="open-table-mine").click().run()
    assert test.query_params["table"] == table and "Half of 126" in words(sound(test))
    test.query_params["row"] = "3"
    test.button(key="up").click().run()
    assert not {"table", "row"} & set(test.query_params)
    assert "2 in percent" in words(sound(test))


def test_deleting_asks_once(open_page: Open, table: str, data: Path) -> None:
    test = open_page(PAGE, table=table, view="Best", column="test_acc")
    assert imported(data) == [table], "drawing the question deletes nothing"
    test.button(key="really-mine").click().run()
    sound(test)
    assert imported(data) == [] and "No table has been imported yet" in words(test)


def test_viewers_can_neither_import_nor_delete(
    open_page: Open, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASW_READ_ONLY", "1")
    for query in ({}, {"table": table}):
        test = sound(open_page(PAGE, **query))
        keys = [button.key or "" for button in test.button]
        assert not [key for key in keys if key.startswith(("really-", "import-"))]
        assert not [box for box in test.text_input if box.label == "File or folder"]
    assert "only shows" in words(open_page(PAGE))


# -- one table ------------------------------------------------------------------------------------
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_of_a_table(open_page: Open, table: str, view: str) -> None:
    test = sound(open_page(PAGE, table=table, view=view))
    assert "126 architectures" in words(test)
    charts = [c for c in test.get("bidi_component") if (c.key or "").startswith("table-")]
    assert len(charts) == VIEWS[view]


def test_the_address_says_what_is_shown(open_page: Open, table: str) -> None:
    test = sound(open_page(PAGE, table=table, column="test_acc", share="Best 10 %", value="98.5"))
    assert test.selectbox(key="column").value == "test_acc"
    values = sorted((number * 7) % 100 for number in range(126))[::-1]
    kept = [value for value in values if value >= values[12]]
    said = words(test)
    assert f"Half of {len(kept)} architectures" in said and "98.50 % would have rank" in said
    bars = chart_of(test, "table-histogram")["data"][0]
    assert sum(bars["y"]) == len(kept)


def test_the_scatter_has_counted_parameters_and_the_clicked_row(
    open_page: Open, table: str
) -> None:
    test = sound(open_page(PAGE, table=table, view="Compromises", row="3"))
    points, _, ring = chart_of(test, "table-scatter")["data"]
    assert len(points["x"]) == 126 and ring["customdata"] == [3]
    assert "The one you clicked on" in words(test) and CELLS[3] in words(test)
    best = sound(open_page(PAGE, table=table, view="Compromises", row="999"))
    assert "The best one" in words(best)


def test_the_best_rows_come_first(open_page: Open, table: str) -> None:
    test = sound(open_page(PAGE, table=table, view="Best"))
    shown = test.dataframe[0].value
    assert list(shown["val_acc"]) == [60 + number / 5 for number in range(125, 115, -1)]
    assert shown["Architecture"][0] == CELL


def test_the_matrix_of_two_columns(open_page: Open, table: str) -> None:
    test = sound(open_page(PAGE, table=table, view="Agreement", method="Kendall τ"))
    (heat,) = chart_of(test, "table-agreement")["data"]
    assert heat["y"] == ["val_acc", "test_acc"] and heat["z"][0][0] == pytest.approx(1)
    assert "Kendall τ" in words(test)
    ranks = chart_of(test, "table-ranks")["data"][0]
    assert sorted(ranks["x"]) == list(range(1, 127))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CELL, "a row for exactly this text"),
        (EQUAL, "The same network is in the table under another text"),
        ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", "Not in this table"),
    ],
)
def test_looking_up_a_text(open_page: Open, table: str, text: str, said: str) -> None:
    assert said in words(sound(open_page(PAGE, table=table, view="Look up", arch=text)))


def test_a_wrong_text_is_told_what_is_wrong_with_it(open_page: Open, table: str) -> None:
    wrong = CELL.replace("skip_connect", "skip_conect")
    test = open_page(PAGE, table=table, view="Look up", arch=wrong)
    assert not test.exception
    assert any("skip\\_conect" in error.value for error in test.error)


def test_tables_that_are_not_there(open_page: Open, table: str) -> None:
    assert "no table of this name" in words(sound(open_page(PAGE, table="../bank")))
    test = sound(open_page(PAGE, table=table, column="gone", view="gone", share="gone"))
    assert test.selectbox(key="column").value == "val_acc"


# -- the results bank ---------------------------------------------------------------------------
def test_the_bank_is_listed_by_space_and_protocol(open_page: Open, bank: Path) -> None:
    said = words(sound(open_page(PAGE)))
    assert "Handwritten digits, 400 training images, 3 epochs of batch 64" in said
    assert "Protocol cd34: its settings are not on record" in said
    assert "41 stand-alone trainings" in said


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_of_the_bank(open_page: Open, bank: Path, view: str) -> None:
    test = sound(open_page(PAGE, bank="nb201/cd34", view=view))
    assert "1 network of NAS\\-Bench\\-201" in words(test)


def test_replicates_are_averaged(open_page: Open, bank: Path) -> None:
    test = open_page(PAGE, bank="nb201/ab12", view="Best")
    shown = test.dataframe[0].value
    assert shown["test"][0] == 69.5 and shown["Architecture"][0] == NETWORKS[19]
    assert len(sound(test).dataframe[0].value) == 10


def test_damage_is_told_and_the_rest_is_shown(open_page: Open, bank: Path) -> None:
    text = json.dumps(asdict(row(NETWORKS[40], 0, 70.0)))
    (bank / "z.jsonl").write_text(f"{{broken\n{text}\n")
    for query in ({}, {"bank": "nb201/ab12"}):
        test = sound(open_page(PAGE, **query))
        assert "A line of the results bank cannot be read" in test.warning[0].value
    assert "21 networks" in words(test)


def test_a_protocol_that_is_not_there(open_page: Open, bank: Path) -> None:
    assert "nothing of this protocol" in words(sound(open_page(PAGE, bank="nb201/ffff")))
