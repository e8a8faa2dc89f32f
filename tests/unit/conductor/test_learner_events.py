"""What the event of a learner adds to the learner's own report."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_runs import WITHOUT_LANDMARKS, finished, tiny


def test_the_temperature_of_drawn_paths_is_told(tmp_path: Path) -> None:
    """GDAS lowers it evenly from 10 to 0.1: by 9.9 / 5 in each of five epochs."""
    run = finished(tmp_path, tiny(algorithm="gdas", **WITHOUT_LANDMARKS))
    told = [event["temperature"] for event in run.events() if event["type"] == "learner"]
    assert told == pytest.approx([8.02, 6.04, 4.06, 2.08, 0.1])
