"""`space NAME reference`: published cells beside our counts; `cost` of the stand-alone network."""

from __future__ import annotations

import json
from pathlib import Path

from cli_cases import Command

from engine.spaces import get_space
from engine.spec.network import NetworkSpec

SPACE = get_space("darts")


def test_all_references(cli: Command) -> None:
    rows = json.loads(cli("space", "darts", "reference", "--json").out)
    assert [row["name"] for row in rows] == [row.name for row in SPACE.references]
    text = cli("space", "darts", "reference").out
    assert "NASNET_A: 3,328,234 parameters at C=32, 20 cells; 3.3 M parameters in print" in text
    assert "Genotype" not in text


def test_one_reference_with_its_genotype(cli: Command) -> None:
    text = cli("space", "darts", "reference", "GDAS").out
    assert text.startswith("GDAS: 3,368,782 parameters")
    genotype = text.splitlines()[-1].strip()
    assert cli("space", "darts", "parse", genotype).code == 0


def test_what_there_is_not(cli: Command) -> None:
    said = cli("space", "darts", "reference", "DARTS_V3")
    assert said.code == 2 and "it has DARTS_V1, DARTS_V2, PC_DARTS" in said.err
    said = cli("space", "nb201", "reference")
    assert said.code == 2 and "`nb201` has no references" in said.err


def test_a_cell_outside_the_space_is_refused(cli: Command) -> None:
    outside = next(row for row in SPACE.references if not row.inside)
    said = cli("space", "darts", "parse", outside.text)
    assert said.code == 2
    assert "`sep_conv_7x7` is no operation of the DARTS space" in said.err.replace("\n", " ")


def test_costs_are_of_the_stand_alone_network(cli: Command, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "space: darts\nnetwork: {channels: 16, cells: 8}\nstand_alone: {channels: 36}\n"
    )
    text = SPACE.references[0].text
    found = json.loads(cli("space", "darts", "cost", text, "--spec", spec, "--json").out)
    network = NetworkSpec(channels=36, cells=8)
    assert found["params"] == SPACE.cost(SPACE.parse(text), network).params
