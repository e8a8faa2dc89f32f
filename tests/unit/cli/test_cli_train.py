"""`engine train`: one found architecture from scratch."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from cli_cases import Command


def test_train_prints_what_it_kept(cli: Command, run_dirs: list[Path], tmp_path: Path) -> None:
    copy = tmp_path / run_dirs[0].name
    shutil.copytree(run_dirs[0], copy)
    said = cli("train", copy, "--rank", 1, "--json")
    assert (said.code, said.err) == (0, "")
    told = json.loads(said.out)
    result = json.loads((copy / "result.json").read_text())
    assert told["test"]["mean"] == result["architectures"][0]["stand_alone_accuracy"]
    assert (copy / told["folder"] / "weights.safetensors").is_file()
    said = cli("train", copy, "--rank", 1, "--replicates", 2)
    assert "2 trainings of 1 epochs, 1 of them now" in said.out
    told = json.loads((copy / told["folder"] / "training.json").read_text())
    assert f"test {told['test']['mean']:.2f} % ± {told['test']['std']:.2f}" in said.out


def test_train_refuses_in_one_line(cli: Command, run_dirs: list[Path], tmp_path: Path) -> None:
    assert "is not a run folder" in cli("train", tmp_path, "--rank", 1).refused()
    assert "no architecture of rank 40" in cli("train", run_dirs[0], "--rank", 40).refused()
    wrong = cli("train", run_dirs[0], "--rank", 1, "--device", "tpu").refused()
    assert "device" in wrong
