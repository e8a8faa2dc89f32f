"""`model.py` of the size space builds the network that we build."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from export_cases import SKELETONS, exported_network
from test_export_source import compare

from engine.export.python_source import python_source
from engine.export.record import ArchitectureRecord, describe
from engine.export.sources import get_source
from engine.spaces.nats_size import NATS_SIZE_SPACE
from engine.spec.errors import ExportError
from engine.spec.network import NetworkSpec

ROOT = Path(__file__).resolve().parents[3]
TEXTS = ["8:8:8:8:8", "64:64:64:64:64", "8:64:24:16:32", "24:24:24:40:40", "40:16:8:8:24"]


def record_of(text: str, network: NetworkSpec) -> ArchitectureRecord:
    return describe(NATS_SIZE_SPACE.parse(text), network)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("skeleton", SKELETONS)
def test_it_is_the_same_network(text: str, skeleton: str) -> None:
    compare(record_of(text, SKELETONS[skeleton]))


def test_published_network_has_the_published_number_of_parameters() -> None:
    network = exported_network(record_of("8:8:40:32:40", NetworkSpec()))
    assert sum(parameter.numel() for parameter in network.parameters()) == 144_834
    text = python_source(record_of("8:8:40:32:40", NetworkSpec()))
    assert "# 144,834 parameters, 21,827,994 multiply-adds per image." in text
    assert "The space counts operations" not in text
    assert "# 8:8:40:32:40\n" in text
    # The space has one cell a stage, whatever the specification's default is.
    assert "channels 16, cells 1, classes 10" in text


def test_the_file_passes_the_linter_and_the_formatter(tmp_path: Path) -> None:
    for number, text in enumerate(TEXTS):
        record = record_of(text, SKELETONS["grey, odd"])
        (tmp_path / f"model_{number}.py").write_text(python_source(record), encoding="utf-8")
    common = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", str(tmp_path)]
    for command in (["check", *common], ["format", "--check", *common]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_weights_of_another_architecture_are_refused() -> None:
    source, one, other = get_source("nats_size"), *map(NATS_SIZE_SPACE.parse, TEXTS[:2])
    assert source.renaming(one, one)("trunk.layers.0.x") == "layers.0.x"
    with pytest.raises(ExportError, match="of 64:64:64:64:64, which is another network than 8:8"):
        source.renaming(one, other)
