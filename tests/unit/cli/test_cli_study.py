"""`study ranks` and `study sharing` on a small real run."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from cli_cases import Command
from scipy import stats

from engine.runs import RunFolder
from engine.spaces import get_space
from engine.tables.bank import Bank

SPACE = get_space("nb201")
CHAIN = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|none~0|none~1|none~2|"


@pytest.fixture(scope="module")
def own_bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for a results bank: other tests rely on what theirs does not know."""
    return tmp_path_factory.mktemp("study")


@pytest.fixture(autouse=True)
def trained_apart(own_bank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASW_DATA", str(own_bank))


def test_ranks_agree_with_the_run(run_dirs: list[Path], cli: Command) -> None:
    lines = [line.split("\t") for line in cli("study", "ranks", run_dirs[0]).out.splitlines()]
    assert lines[0][:2] == ["epoch", "S-KdT"]
    assert [line[0] for line in lines[1:]] == ["1", "2"]
    found = json.loads(cli("study", "ranks", run_dirs[0], "--json").out)
    result = RunFolder(run_dirs[0]).result()
    assert result is not None
    last = found["evaluations"][-1]
    assert last["kendall_tau"] == result["metrics"]["kendall_tau"]
    assert last["disorder"] == result["metrics"]["mean_absolute_displacement"]
    assert cli("study", "ranks", run_dirs[0], "--out", "ranks.csv").out == "ranks.csv\n"
    with open("ranks.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) == 2 * 6


def test_sharing_scores_the_toy_space_with_the_runs_own_net(
    run_dirs: list[Path], cli: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = cli("study", "sharing", run_dirs[0], "--base", CHAIN, "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert [(one["group"], one["n"]) for one in found["groups"]] == [(0, 4), (1, 4), (2, 4)]
    for one in found["groups"]:
        own = [i for i, shared in enumerate(found["shared"]) if shared == one["group"]]
        truth, scores = ([found[key][i] for i in own] for key in ("truth", "scores"))
        tau = stats.kendalltau(truth, scores)[0]
        assert one["kendall_tau"] == (None if tau != tau else pytest.approx(tau))
    wanted = [SPACE.parse(text) for text in found["texts"]]
    monkeypatch.setattr(type(SPACE), "enumerate", lambda self: iter(wanted))
    monkeypatch.setattr(type(SPACE), "canonical", lambda self, one: str(one))
    assert cli("rank", run_dirs[0], "--all", "--out", "scores.csv").code == 0
    with open("scores.csv", newline="") as file:
        scores = {row["text"]: float(row["super_net_accuracy"]) for row in csv.DictReader(file)}
    assert [scores[text] for text in found["texts"]] == found["scores"]


def test_truth_comes_from_the_bank(run_dirs: list[Path], cli: Command, own_bank: Path) -> None:
    found = json.loads(cli("study", "sharing", run_dirs[0], "--base", CHAIN, "--json").out)
    bank = {(row.canonical, row.test) for row in Bank(own_bank / "bank").rows()}
    for text, truth in zip(found["texts"], found["truth"], strict=True):
        assert any(
            canonical == SPACE.canonical(SPACE.parse(text)) and test == pytest.approx(truth)
            for canonical, test in bank
        )


def test_sharing_in_words_and_as_csv(run_dirs: list[Path], cli: Command) -> None:
    first, header, *rows, last = cli(
        "study", "sharing", run_dirs[0], "--base", CHAIN, "--most", 9
    ).out.splitlines()
    assert first.endswith("node 3 varies: 0->3, 1->3, 2->3")
    assert header.startswith("shared\tn\tKdT")
    assert sum(int(row.split("\t")[1]) for row in rows) == 9
    assert last.startswith("all\t9\t")
    said = cli("study", "sharing", run_dirs[0], "--base", CHAIN, "--out", "sharing.csv")
    assert said.out == "sharing.csv\n"
    with open("sharing.csv", newline="") as file:
        assert [int(row["shared_matrices"]) for row in csv.DictReader(file)].count(2) == 4


def test_what_cannot_be_studied_is_one_line(run_dirs: list[Path], cli: Command) -> None:
    assert cli("study", "ranks", ".").refused() == ". is not a run folder."
    message = cli("study", "sharing", run_dirs[0], "--base", "frob").refused()
    assert message.startswith("A NAS-Bench-201 string has 3 groups")


def test_two_models(cli: Command) -> None:
    words = ("study", "two-models", "--epochs-a", 3, "--epochs-b", 2, "--learning-rate", 0.1)
    found = json.loads(cli(*words, "--json").out)
    assert len(found["a_plain"]) == len(found["b_plastic"]) == 2
    lost = [found["before"] - found[name][-1] for name in ("a_plain", "a_plastic")]
    assert found["reduction"] == (
        pytest.approx((lost[0] - lost[1]) / lost[0]) if lost[0] > 0 else None
    )
    first, *rows, last = cli(*words).out.splitlines()
    assert first == f"A before B is trained: {found['before']:.2f} %"
    assert rows[1] == f"without\t{found['a_plain'][-1]:.2f}\t{found['b_plain'][-1]:.2f}"
    assert last.startswith("share of the forgetting that is avoided: ")
    assert cli("study", "two-models", "--data", "folder").refused().startswith("data.path: ")
