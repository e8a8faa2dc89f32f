"""`validate` and `run` with a sweep: listed, run one after another, going on after a failure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from cli_cases import EXAMPLE, SMALL, Command

from engine.runs import RunFolder, list_runs
from engine.spec.files import load_mapping, with_values

SEEDS = {"seed": [0, 1]}


@pytest.fixture
def sweep_file(cli: Command) -> Path:
    """Return a sweep over two seeds of a run that takes a second."""
    assignments = [word.removeprefix("--set=") for word in SMALL]
    value = with_values(load_mapping(EXAMPLE), assignments) | {"name": "Small"}
    del value["addons"], value["seed"]
    Path("sweep.yaml").write_text(yaml.safe_dump(value | {"sweep": SEEDS}))
    return Path("sweep.yaml")


def test_a_sweep_is_counted_and_listed(sweep_file: Path, cli: Command) -> None:
    assert cli("validate", sweep_file).out == "sweep.yaml is a sweep of 2 jobs; all can run.\n"
    found = json.loads(cli("validate", sweep_file, "--json").out)
    assert found == {"valid": True, "problems": [], "jobs": 2}
    said = cli("run", sweep_file, "--jobs")
    assert (said.code, said.out) == (0, "1\tseed=0\n2\tseed=1\n")
    assert cli("run", EXAMPLE, "--jobs").out.startswith("1\tLandmark-regularised SPOS")
    assert not Path("runs").exists()


def test_a_sweep_that_cannot_run_leaves_nothing(sweep_file: Path, cli: Command) -> None:
    said = cli("validate", sweep_file, "--set", "search.parents=99", "--set", "network.cells=0")
    assert said.code == 2
    assert said.err.startswith("error: network.cells: ")
    message = cli("run", sweep_file, "--set", "search.parents=99").refused()
    assert message.startswith("search.parents: 99 parents")
    assert cli("run", sweep_file, "--seed", 3).refused().startswith("seed: the sweep varies")
    assert not Path("runs").exists()


def test_jobs_run_in_order_and_a_failed_one_stops_nothing(sweep_file: Path, cli: Command) -> None:
    value = yaml.safe_load(sweep_file.read_text())
    value["super_net"]["epochs"] = 40
    wild = {"learning_rate": 10.0, "weight_decay": 1.0, "gradient_clip": None}
    value["sweep"] = {"super_net.optimiser": [wild, {}]}
    sweep_file.write_text(yaml.safe_dump(value))
    said = cli("run", sweep_file, "--quiet")
    assert said.code == 1
    states = [folder.state() for folder in list_runs(Path("runs"))]
    states.sort(key=lambda state: state.created)
    assert [state.state for state in states] == ["failed", "finished"]
    (line,) = said.out.splitlines()
    assert RunFolder(Path(line)).spec().name == "Small · optimiser={}"
    assert said.err.startswith("error: optimiser={gradient_clip: null, learning_rate: 10.0,")
    assert "The loss of the super-net is not finite" in said.err
    assert said.err.endswith("1 of 2 jobs failed.\n")


def test_ctrl_c_ends_the_sweep(
    sweep_file: Path, cli: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.cli.batch.execute", lambda *args, **options: "paused")
    said = cli("run", sweep_file)
    assert said.code == 130
    assert said.err.startswith("Job 1 of 2: seed=0\n")
    assert "continue with `python -m engine resume" in said.err
    assert said.err.endswith("1 job was not started.\n")
    assert len(list_runs(Path("runs"))) == 1
