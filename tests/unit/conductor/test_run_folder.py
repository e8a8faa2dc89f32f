"""What a finished run leaves, by the contract: every file, every key, every number recomputed."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from scipy.stats import kendalltau, spearmanr
from tiny_runs import BASE, WITHOUT_LANDMARKS, finished, outcome, read_state, tiny

from engine.core.architecture import Architecture
from engine.datasets import prepare
from engine.events import EVENT_FIELDS
from engine.export.record import load_architecture_json
from engine.export.weights import load_weights
from engine.networks import Route
from engine.runs import RunFolder
from engine.spaces import get_space
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import load

FILES = {
    "spec.yaml",
    "environment.json",
    "events.jsonl",
    "checkpoints",
    "landmarks.csv",
    "ranking.csv",
    "result.json",
    "architectures",
    "log.txt",
}
METRICS = (
    "kendall_tau",
    "sparse_kendall_tau",
    "spearman",
    "sparse_spearman",
    "surpass_random",
    "super_net_accuracy",
    "final_accuracy",
    "best_rank",
)
RANKING = "architecture,text,super_net_accuracy,ground_truth,is_landmark,params,flops"
SPACE = get_space("nb201")


@pytest.fixture(scope="module")
def result(whole: RunFolder) -> dict[str, Any]:
    found = whole.result()
    assert found is not None
    return found


@pytest.fixture(scope="module")
def ranking(whole: RunFolder) -> list[dict[str, str]]:
    with open(whole.path / "ranking.csv", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def sample(ranking: list[dict[str, str]]) -> tuple[list[float], list[float]]:
    """Return ground truth and super-net accuracy of the correlation sample."""
    rows = [row for row in ranking if row["is_landmark"] == "false"]
    return (
        [float(row["ground_truth"]) for row in rows],
        [float(row["super_net_accuracy"]) for row in rows],
    )


def test_every_file_is_there(whole: RunFolder, result: dict[str, Any]) -> None:
    assert {path.name for path in whole.path.iterdir()} >= FILES
    for row in result["architectures"]:
        folder = whole.path / "architectures" / str(row["rank"])
        assert {path.name for path in folder.iterdir()} == {
            "architecture.json",
            "model.py",
            "weights.safetensors",
            "graph.svg",
        }
    assert len(list((whole.path / "checkpoints").glob("*.json"))) == 2
    assert read_state(whole)["state"] == "finished"


def test_the_result_has_every_key(result: dict[str, Any]) -> None:
    keys = ("run_id", "status", "space", "task", "algorithm", "seed")
    values = ("run", "finished", "nb201", "classification", "spos", 0)
    assert tuple(result[key] for key in keys) == values
    for name in METRICS:
        assert isinstance(result["metrics"][name], int | float), name
    for number, row in enumerate(result["architectures"], start=1):
        assert row["rank"] == number
        assert set(row) == {
            "rank",
            "architecture",
            "text",
            "super_net_accuracy",
            "stand_alone_accuracy",
            "params",
            "flops",
            "latency_ms",
        }
        assert SPACE.parse(row["text"]).indices == tuple(row["architecture"])
    cost = result["cost"]
    assert set(cost["seconds"]) == {"ground_truth", "training", "search", "final"}
    assert all(value > 0 for value in cost["seconds"].values())
    assert (cost["device"], cost["steps"], cost["images"]) == ("cpu", 15, 15 * 32)
    assert result["published"] == {}


def test_correlations_follow_from_the_ranking(
    result: dict[str, Any], sample: tuple[list[float], list[float]]
) -> None:
    truth, score = sample
    metrics = result["metrics"]
    assert metrics["sample_size"] == len(truth) == 6
    assert metrics["kendall_tau"] == pytest.approx(kendalltau(truth, score).statistic)
    assert metrics["spearman"] == pytest.approx(spearmanr(truth, score).statistic)
    assert metrics["super_net_accuracy"] == pytest.approx(np.mean(score))
    for name in ("kendall_tau", "sparse_kendall_tau", "spearman", "sparse_spearman"):
        interval = result["intervals"][name]
        assert interval["n"] == 6
        assert -1 <= interval["low"] < interval["high"] <= 1


def test_search_quality_follows_from_the_architectures(
    result: dict[str, Any], sample: tuple[list[float], list[float]]
) -> None:
    population, metrics = sample[0], result["metrics"]
    found = [row["stand_alone_accuracy"] for row in result["architectures"]]
    assert metrics["final_accuracy"] == pytest.approx(np.mean(found[:3]))
    rank = min(1 + sum(value > max(found[:3]) for value in population), 6)
    assert (metrics["best_rank"], metrics["best_rank_of"]) == (rank, 6)
    assert metrics["surpass_random"] == pytest.approx((1 - rank / 6) ** 3)
    scores = [row["super_net_accuracy"] for row in result["architectures"]]
    assert scores == sorted(scores, reverse=True)


def test_the_search_summary_uses_the_three_best_only(
    whole: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fourth and fifth are reported, but would be more draws than random search gets."""
    monkeypatch.setenv("NASW_DATA", str(whole.path.parents[1] / "data"))
    spec = tiny(**WITHOUT_LANDMARKS, search={"keep": 5}, super_net={"epochs": 2})
    folder = finished(tmp_path, spec)
    found = folder.result()
    assert found is not None
    values = [row["stand_alone_accuracy"] for row in found["architectures"]]
    assert len(values) == 5
    with open(folder.path / "ranking.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["is_landmark"] == "false"]
    rank = min(1 + sum(float(row["ground_truth"]) > max(values[:3]) for row in rows), 6)
    assert found["metrics"]["best_rank"] == rank
    assert found["metrics"]["surpass_random"] == pytest.approx((1 - rank / 6) ** 3)
    assert found["metrics"]["final_accuracy"] == pytest.approx(np.mean(values[:3]))
    assert found["search"]["evolution"]["best_accuracy"] == max(values)


def test_ranking_and_landmarks(whole: RunFolder, ranking: list[dict[str, str]]) -> None:
    text = (whole.path / "ranking.csv").read_text()
    assert text.splitlines()[0] == RANKING
    forms: dict[str, set[str]] = {"true": set(), "false": set()}
    network = load(whole.path / "spec.yaml").network.model_copy(
        update={"input_channels": 1, "resolution": 8}
    )
    for row in ranking:
        architecture = SPACE.parse(row["text"])
        assert row["architecture"] == str(architecture)
        cost = SPACE.cost(architecture, network)
        assert (int(row["params"]), int(row["flops"])) == (cost.params, cost.flops)
        forms[row["is_landmark"]].add(SPACE.canonical(architecture))
    assert len(forms["true"]) == len(forms["false"]) == 6
    assert not forms["true"] & forms["false"], "a landmark is in the correlation sample"
    with open(whole.path / "landmarks.csv", newline="") as file:
        known = list(csv.DictReader(file))
    assert [row["round"] for row in known] == ["1"] * 3 + ["2"] * 3
    listed = [row["text"] for row in ranking if row["is_landmark"] == "true"]
    assert [row["text"] for row in known] == listed


def test_landmarks_of_a_round_are_the_best_of_its_search(whole: RunFolder) -> None:
    events = whole.events()
    found = [e for e in events if e["type"] == "landmarks"]
    assert [len(event["architectures"]) for event in found] == [3, 3]
    truths = {e["text"]: e for e in events if e["type"] == "ground_truth"}
    for row in (row for event in found for row in event["architectures"]):
        assert row["value"] == truths[row["text"]]["held_out"]
        assert row["truth"] == truths[row["text"]]["test"]


def test_every_event_is_known_and_numbered(whole: RunFolder) -> None:
    events = whole.events()
    assert [event["seq"] for event in events] == list(range(len(events)))
    # This run has no learner; tests/unit/learners sees its event.
    assert {event["type"] for event in events} == set(EVENT_FIELDS) - {"learner"}
    for event in events:
        told = {*event, *event.get("measured", {})} - {"seq", "time", "type", "measured"}
        for name in told:
            assert name in EVENT_FIELDS[event["type"]], (event["type"], name)
    kinds = [event["type"] for event in events]
    assert kinds[:2] == ["run_started", "sample"]
    assert events[-1]["state"] == "finished"
    epochs = [event["epoch"] for event in events if event["type"] == "epoch"]
    assert epochs == [1, 2, 3, 4, 5]
    ranked = [event["epoch"] for event in events if event["type"] == "ranking"]
    assert ranked == [2, 4, 5]


def test_the_spec_has_every_default(whole: RunFolder) -> None:
    def fields(value: Any) -> Any:
        return {k: fields(v) for k, v in value.items()} if isinstance(value, dict) else None

    written = yaml.safe_load((whole.path / "spec.yaml").read_text())
    everything = ExperimentSpec.model_validate(BASE).model_dump()
    assert fields(written) == fields(everything)
    assert written["search"]["mutation"] == 0.1
    assert written["super_net"]["optimiser"]["nesterov"] is True


def test_the_spec_reproduces_the_run(
    whole: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASW_DATA", str(whole.path.parents[1] / "data"))
    again = finished(tmp_path, load(whole.path / "spec.yaml"))
    assert outcome(again) == outcome(whole)
    assert (again.path / "spec.yaml").read_bytes() == (whole.path / "spec.yaml").read_bytes()


def test_the_environment_says_what_computed(whole: RunFolder) -> None:
    found = json.loads((whole.path / "environment.json").read_text())
    assert found["packages"]["torch"] == torch.__version__
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["device"].startswith("CPU (")
    assert found["command"]
    assert "commit" in found


def test_the_log_tells_the_story(whole: RunFolder) -> None:
    text = (whole.path / "log.txt").read_text()
    assert "Training the super-net: started" in text
    assert "epoch 5/5: loss" in text
    assert text.rstrip().endswith("finished")
    assert "Traceback" not in text


CHECK = """
import importlib.util, sys
import numpy as np, torch
spec = importlib.util.spec_from_file_location("model", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
images = torch.from_numpy(np.load(sys.argv[2]))
with torch.no_grad():
    logits = module.build()(module.normalise(images))
np.save(sys.argv[3], logits.numpy())
assert not {"engine", "gpu_kernels", "safetensors"} & set(sys.modules), sys.modules.keys()
"""


def test_the_model_file_runs_alone_and_is_the_recorded_network(
    whole: RunFolder, result: dict[str, Any], tmp_path: Path
) -> None:
    folder = whole.path / "architectures" / "1"
    data = prepare(whole.spec().data)
    images = data.test_images.transpose(0, 3, 1, 2).astype(np.float32) / 255
    np.save(tmp_path / "images.npy", images)
    where = [str(folder / "model.py"), str(tmp_path / "images.npy"), str(tmp_path / "out.npy")]
    subprocess.run([sys.executable, "-I", "-B", "-c", CHECK, *where], check=True, cwd=tmp_path)
    logits = torch.from_numpy(np.load(tmp_path / "out.npy"))

    record = load_architecture_json(folder / "architecture.json")
    row = result["architectures"][0]
    assert record.architecture == Architecture.of("nb201", row["architecture"])
    assert record.stand_alone_accuracy == row["stand_alone_accuracy"]
    net, stored = load_weights(folder / "weights.safetensors")
    assert stored.architecture == record.architecture
    mean, std = (torch.tensor(v).view(1, -1, 1, 1) for v in (data.mean, data.std))
    with net.probing():
        x = (torch.from_numpy(images) - mean) / std
        expected = net(x.float(), Route.of(record.architecture))
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5)
    right = (logits.argmax(1).numpy() == data.test_labels).mean()
    assert 100 * right == pytest.approx(row["stand_alone_accuracy"], abs=1e-4)


def test_without_landmarks_there_are_none(
    whole: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASW_DATA", str(whole.path.parents[1] / "data"))
    spec = tiny(**WITHOUT_LANDMARKS, search={"generations": 1}, super_net={"epochs": 2})
    folder = finished(tmp_path, spec)
    assert (folder.path / "landmarks.csv").read_text() == "round,architecture,text,value\n"
    rows = list(csv.DictReader((folder.path / "ranking.csv").read_text().splitlines()))
    assert [row["is_landmark"] for row in rows] == ["false"] * 6
    assert not [e for e in folder.events() if e["type"] == "landmarks"]
    epochs = [e for e in folder.events() if e["type"] == "epoch"]
    assert {(e["round"], e["landmark_loss"], e["landmark_weight"]) for e in epochs} == {
        (None, None, 0.0)
    }
