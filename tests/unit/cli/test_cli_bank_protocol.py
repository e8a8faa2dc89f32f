"""A run leaves on record what its stand-alone protocol was."""

from __future__ import annotations

from pathlib import Path

from engine.tables.bank_reading import read_bank, read_protocol


def test_every_protocol_of_the_bank_is_on_record(home: Path, run_dirs: list[Path]) -> None:
    found = read_bank(home / "bank")
    assert found.rows and found.faults == ()
    protocols = {row.protocol for row in found.rows}
    content = [read_protocol(home / "bank", protocol) for protocol in protocols]
    assert None not in content
    ours = [one for one in content if one and one["data"]["train_images"] == 100]
    assert ours, "the sizes are those of the run's parts"
    data = ours[0]["data"]
    assert (data["name"], data["held_out_images"], data["test_images"]) == ("digits", 64, 80)
    assert (ours[0]["training"]["epochs"], ours[0]["network"]["channels"]) == (1, 2)
