"""A run leaves on record what its stand-alone protocol was."""

from __future__ import annotations

import json
from pathlib import Path

from engine.tables.bank_reading import read_bank, read_protocol


def test_every_protocol_of_the_bank_is_on_record(home: Path, run_dirs: list[Path]) -> None:
    found = read_bank(home / "bank")
    assert found.rows and found.faults == ()
    for protocol in {row.protocol for row in found.rows}:
        content = read_protocol(home / "bank", protocol)
        assert content is not None
    environment = json.loads((run_dirs[0] / "spec.json").read_text())
    small = [
        read_protocol(home / "bank", protocol) for protocol in {r.protocol for r in found.rows}
    ]
    ours = [one for one in small if one and one["data"]["train_images"] == 100]
    assert ours, "the sizes are those of the run's parts"
    assert ours[0]["data"]["name"] == environment["data"]["name"] == "digits"
    assert (ours[0]["data"]["held_out_images"], ours[0]["data"]["test_images"]) == (64, 80)
    assert (ours[0]["training"]["epochs"], ours[0]["network"]["channels"]) == (1, 2)
