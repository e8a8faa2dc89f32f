"""Training a found architecture from scratch after its run."""

from __future__ import annotations

import json
import shutil
import statistics
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.datasets import prepare
from engine.events import Events
from engine.export.record import load_architecture_json
from engine.export.weights import load_weights
from engine.lab import Lab
from engine.networks import Route
from engine.retrain import train_found
from engine.runs import RunFolder
from engine.spec.errors import DataError, ExportError, SpecError
from engine.spec.files import dump
from engine.tables.bank import Bank


@pytest.fixture
def run(whole: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """Return a copy of the tiny run with a copy of its bank."""
    shutil.copytree(whole.path.parents[1], tmp_path / "home")
    monkeypatch.setenv("NASW_DATA", str(tmp_path / "home" / "data"))
    return RunFolder(tmp_path / "home" / "runs" / "run")


def test_the_runs_own_training_comes_from_the_bank(run: RunFolder) -> None:
    found = train_found(run, 1)
    result = run.result()
    assert result is not None
    assert found["test"] == {
        "mean": result["architectures"][0]["stand_alone_accuracy"], "std": None, "n": 1,
    }  # fmt: skip
    assert [one["origin"] for one in found["replicates"]] == ["bank"]


def test_more_replicates_are_trained_and_kept(run: RunFolder, tmp_path: Path) -> None:
    bank, told = tmp_path / "home" / "data" / "bank", list[tuple[str, int, int | None]]()
    before = len(Bank(bank))
    found = train_found(run, 2, replicates=3, report=lambda *words: told.append(words))
    assert [one["origin"] for one in found["replicates"]] == ["bank", "trained", "trained"]
    assert len(Bank(bank)) == before + 2
    tests = [one["test"] for one in found["replicates"]]
    assert found["test"]["mean"] == pytest.approx(np.mean(tests))
    assert found["test"]["std"] == pytest.approx(np.std(tests, ddof=1))
    assert found["accuracy"] == pytest.approx(statistics.fmean(tests), abs=1e-6)
    # 100 images in batches of 32 are 3 steps; two epochs, two missing replicates.
    steps = [(done, total) for what, done, total in told if what.startswith("Training")]
    assert steps == [(done, 12) for done in range(1, 13)]
    assert [what for what, *_ in told if what.startswith("Training")] == (
        ["Training replicate 2 of 3"] * 6 + ["Training replicate 3 of 3"] * 6
    )
    again = train_found(run, 2, replicates=3)
    assert {one["origin"] for one in again["replicates"]} == {"bank"}
    assert again["test"] == found["test"]


def test_other_epochs_are_another_protocol_with_its_own_folder(run: RunFolder) -> None:
    same, longer = train_found(run, 1), train_found(run, 1, epochs=3)
    assert same["protocol"] != longer["protocol"]
    assert (longer["epochs"], longer["stand_alone"]["epochs"]) == (3, 3)
    folder = run.path / longer["folder"]
    assert folder == run.path / "architectures" / "1" / f"trained-{longer['protocol']}"
    assert {path.name for path in folder.iterdir()} == {
        "architecture.json", "graph.svg", "model.py", "training.json", "weights.safetensors",
    }  # fmt: skip
    assert json.loads((folder / "training.json").read_text()) == longer
    record = load_architecture_json(folder / "architecture.json")
    assert record.stand_alone_accuracy == longer["accuracy"]
    net, stored = load_weights(folder / "weights.safetensors")
    data = prepare(run.spec().data)
    mean, std = (torch.tensor(v).view(1, -1, 1, 1) for v in (data.mean, data.std))
    images = torch.from_numpy(data.test_images.transpose(0, 3, 1, 2).astype(np.float32) / 255)
    with net.probing():
        logits = net(((images - mean) / std).float(), Route.of(stored.architecture))
    right = (logits.argmax(1).numpy() == data.test_labels).mean()
    assert 100 * right == pytest.approx(longer["test"]["mean"], abs=1e-4)


def test_a_run_with_these_settings_would_learn_the_same_bits(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    longer = train_found(run, 1, epochs=3)
    monkeypatch.setenv("NASW_DATA", str(tmp_path / "another"))
    spec = run.spec()
    spec.stand_alone.epochs = 3
    record = load_architecture_json(run.path / "architectures" / "1" / "architecture.json")
    truth = Lab.build(spec, Events([])).truth.get(record.architecture, lambda: None)
    assert truth.origin == "trained"
    assert (truth.test, truth.held_out) == (longer["test"]["mean"], longer["held_out"]["mean"])


def test_refusals_are_sentences(run: RunFolder) -> None:
    with pytest.raises(ExportError, match="no architecture of rank 9; it has 1, 2, 3"):
        train_found(run, 9)
    with pytest.raises(SpecError, match=r"stand_alone\.epochs"):
        train_found(run, 1, epochs=0)
    spec = run.spec()
    spec.data.split_seed += 1
    (run.path / "spec.yaml").write_text(dump(spec))
    with pytest.raises(DataError, match="is not the one that the run was made with"):
        train_found(run, 1)
    assert not list((run.path / "architectures").glob("*/trained-*"))
