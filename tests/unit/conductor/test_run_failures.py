"""A run that cannot go on is marked failed with one sentence, and can be resumed when it can."""

from __future__ import annotations

import builtins
import csv
import errno
import io
import os
from pathlib import Path
from typing import Any

import pytest
from tiny_runs import (
    WITHOUT_LANDMARKS,
    Watcher,
    abandon,
    finished,
    new_run,
    outcome,
    read_state,
    run,
    tiny,
)

from engine.export import tables
from engine.runs import RunFolder, list_runs
from engine.spaces import get_space
from engine.spec.errors import (
    DataError,
    RunError,
    SpecError,
    TableError,
    TrainingError,
    WorkbenchError,
)
from engine.spec.experiment import ExperimentSpec

SPACE = get_space("nb201")


def fails(folder: RunFolder, kind: type[WorkbenchError]) -> str:
    """Run a folder that must fail, and return the sentence it is marked with."""
    with pytest.raises(kind) as caught:
        run(folder)
    state, sentence = folder.state(), str(caught.value)
    assert (state.state, state.message) == ("failed", sentence)
    last = folder.events()[-1]
    assert (last["type"], last["state"], last["message"]) == ("state", "failed", sentence)
    assert "\n" not in sentence
    assert folder.result() is None
    assert folder.resumable
    assert f"failed: {sentence}" in (folder.path / "log.txt").read_text()
    return sentence


WILD = {
    "learning_rate": 10,
    "schedule": "constant",
    "momentum": 0.9,
    "weight_decay": 1,
    "gradient_clip": None,
}
WILD_SUPER_NET = tiny(
    **WITHOUT_LANDMARKS,
    super_net={"epochs": 20, "checkpoint_every": 2, "optimiser": WILD},
    evaluation={"every": 20, "sample": 2},
)


def _epochs(folder: RunFolder) -> list[int]:
    return [event["epoch"] for event in folder.events() if event["type"] == "epoch"]


def test_the_loss_of_the_super_net_becomes_infinite(tmp_path: Path) -> None:
    folder = new_run(tmp_path / "first", WILD_SUPER_NET)
    sentence = fails(folder, TrainingError)
    assert "super_net.optimiser.learning_rate" in sentence
    good = len(_epochs(folder))
    assert f"epoch {good + 1}." in sentence
    assert list((folder.path / "checkpoints").glob("*.json"))

    # A wish to pause within the broken epoch: a checkpoint of it could never be resumed.
    again = new_run(tmp_path / "second", WILD_SUPER_NET)
    watcher = Watcher(lambda events: sum(e["type"] == "epoch" for e in events) == good, polls=2)
    with pytest.raises(TrainingError, match="not finite"):
        run(again, watcher)
    assert watcher.asked
    assert again.state().state == "failed"
    assert len(_epochs(again)) == good


# After two epochs the last training loss is finite still, that of the evaluation is not.
@pytest.mark.parametrize("epochs", [2, 3])
def test_the_loss_of_a_stand_alone_training_becomes_infinite(
    tmp_path: Path, bank: Path, epochs: int
) -> None:
    folder = new_run(tmp_path, tiny(stand_alone={"epochs": epochs, "optimiser": WILD}))
    assert "stand_alone.optimiser.learning_rate" in fails(folder, TrainingError)
    assert not list(bank.glob("*.jsonl")), "a worthless result is in the bank"


def test_a_missing_data_file(tmp_path: Path) -> None:
    path = tmp_path / "images.npz"
    path.write_bytes(b"")
    spec = tiny(data={"name": "npz", "path": str(path)})
    path.unlink()
    sentence = fails(new_run(tmp_path / "gone", spec), SpecError)
    assert sentence == f"data.path: there is no file or folder {path}."
    path.write_bytes(b"nonsense")
    assert str(path) in fails(new_run(tmp_path / "damaged", spec), DataError)


def test_more_images_than_there_are(tmp_path: Path) -> None:
    sentence = fails(new_run(tmp_path, tiny(data={"train_images": 5000})), DataError)
    assert sentence.startswith("data.train_images: 5000 given")


def test_unknown_fields_make_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"super_net.epoch: .* Did you mean `epochs`\?"):
        new_run(tmp_path, tiny(super_net={"epoch": 3}))
    assert list_runs(tmp_path) == []


def _table(path: Path, texts: list[str], columns: tuple[str, ...] = ("accuracy",)) -> Path:
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["arch_str", *columns])
        writer.writerows([text, *[90 + i % 7 for _ in columns]] for i, text in enumerate(texts))
    return path


def _with_table(path: Path, column: str = "accuracy", **more: Any) -> ExperimentSpec:
    truth = {"source": "table", "table": str(path), "column": column, **more}
    return tiny(evaluation={"ground_truth": truth})


def test_a_table_without_the_column(tmp_path: Path) -> None:
    path = _table(tmp_path / "table.csv", [SPACE.to_text(next(SPACE.enumerate()))])
    sentence = fails(new_run(tmp_path, _with_table(path, "test-accuracy")), SpecError)
    assert sentence == (
        "evaluation.ground_truth.column: "
        f"{path} has no column `test-accuracy`; it has arch_str, accuracy."
    )


def test_a_table_without_a_row(tmp_path: Path) -> None:
    path = _table(tmp_path / "table.csv", [SPACE.to_text(next(SPACE.enumerate()))])
    sentence = fails(new_run(tmp_path, _with_table(path)), TableError)
    assert sentence.startswith(f"The table {path} has no accuracy for |")


def test_a_complete_table_needs_no_training(tmp_path: Path, bank: Path) -> None:
    texts = [SPACE.to_text(architecture) for architecture in SPACE.enumerate()]
    path = _table(tmp_path / "table.csv", texts, ("accuracy", "validation"))
    spec = _with_table(path, landmark_column="validation")
    folder = finished(tmp_path, spec)
    assert not bank.exists()
    result = folder.result()
    assert result is not None
    assert result["metrics"]["best_rank_of"] == len(texts)
    assert not (folder.path / "architectures/1/weights.safetensors").exists()
    truths = [e for e in folder.events() if e["type"] == "ground_truth"]
    assert {event["measured"]["origin"] for event in truths} == {"table"}


# -- no space left ------------------------------------------------------------------------------
class FullDisk:
    """Refuses to write files whose name contains a text, from the n-th time on."""

    def __init__(self, patch: pytest.MonkeyPatch, part: str, after: int = 0) -> None:
        self.part, self.left = part, after
        self.real = builtins.open
        patch.setattr(builtins, "open", self.open)
        patch.setattr(io, "open", self.open)

    def open(self, file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        named = isinstance(file, str | os.PathLike) and self.part in os.fspath(file)
        if named and set(mode) & set("wax"):
            self.left -= 1
            if self.left < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(file))
        return self.real(file, mode, *args, **kwargs)


# Files that cannot be written, in the order in which a run comes to them, and how many writes of
# that kind succeed before.
FULL = {
    "/bank/": 3,
    "/weights/": 2,
    "/.00000000.json": 0,
    "events.jsonl": 4,
    "/checkpoints/": 1,
    "progress.json": 0,
    "ranking.csv": 0,
    "model.py": 1,
    "result.json": 0,
}


def test_no_space_left(whole: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk of one run fills up again and again, and each time it is resumed."""
    folder = new_run(tmp_path)
    for part, after in FULL.items():
        with monkeypatch.context() as patch:
            disk = FullDisk(patch, part, after)
            with pytest.raises(WorkbenchError, match="No space left on device") as caught:
                run(folder)
        assert disk.left < 0, part
        state, sentence = folder.state(), str(caught.value)
        assert (state.state, state.message) == ("failed", sentence), part
        assert "Free some disk space" in sentence
        assert "unexpected" not in sentence
        assert folder.result() is None
    assert run(folder) == "finished"
    assert outcome(folder) == outcome(whole)


def test_no_space_left_for_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even the state can be written: it stays valid, and silence makes it interrupted."""
    folder = new_run(tmp_path)

    def fill_the_disk(events: list[dict[str, Any]]) -> bool:
        if events[-1]["type"] == "epoch":
            FullDisk(monkeypatch, str(tmp_path))
        return False

    with pytest.raises(RunError, match="No space left on device"):
        run(folder, Watcher(fill_the_disk))
    monkeypatch.undo()
    assert read_state(folder)["state"] == "running"
    abandon(folder)
    assert folder.resumable
    assert folder.state().seen_at(100.0) == "interrupted"


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(RunError, match="Cannot make the run folder"):
        new_run(tmp_path / "runs")


# -- a fault of ours ----------------------------------------------------------------------------
def test_an_unexpected_fault(
    whole: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASW_DATA", str(whole.path.parents[1] / "data"))
    folder = new_run(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(tables, "_csv", lambda *args: {}["no such key"])
        sentence = fails(folder, RunError)
    assert sentence.startswith("An unexpected fault stopped the run (KeyError: 'no such key').")
    log = (folder.path / "log.txt").read_text()
    assert "Traceback (most recent call last)" in log
    assert "KeyError: 'no such key'" in log
    assert run(folder) == "finished"
    assert outcome(folder) == outcome(whole)
    assert folder.state().message == ""


def test_the_cause_of_an_unexpected_fault_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError("a fault of ours\nwith details")

    monkeypatch.setattr("engine.conductor.choose_diverse", broken)
    folder = new_run(tmp_path)
    with pytest.raises(RunError) as caught:
        run(folder)
    assert "(ZeroDivisionError: a fault of ours)" in folder.state().message
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
