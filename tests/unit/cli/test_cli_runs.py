"""`run`, `resume`, `rank`, `compare`, `export` on small real runs."""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest
from cli_cases import EXAMPLE, SMALL, Command, call
from scipy import stats

from engine.runs import RunFolder
from engine.spaces import get_space
from engine.trained import common_scores

SPACE = get_space("nb201")


def result(folder: Path) -> dict[str, dict[str, float]]:
    found = RunFolder(folder).result()
    assert found is not None
    return found


def test_run_prints_its_folder_and_tells_what_it_does(cli: Command, tmp_path: Path) -> None:
    said = cli("run", EXAMPLE, *SMALL, "--seed", "7", "--device", "cpu")
    assert said.code == 0
    folder = tmp_path / said.out.strip()
    assert folder.parent == tmp_path / "runs"
    assert said.out.count("\n") == 1
    for text in ("Training the super-net: started", "sparse Kendall tau", "finished"):
        assert text in said.err
    spec = RunFolder(folder).spec()
    assert (spec.seed, spec.device, spec.super_net.epochs, spec.super_net.batch_size) == (
        7,
        "cpu",
        2,
        32,
    )
    assert spec.name.startswith("Landmark-regularised SPOS")
    assert result(folder)["status"] == "finished"
    command = RunFolder(folder).environment()["command"]
    assert command[1:3] == ["run", str(EXAMPLE)]


def test_a_finished_run_is_not_resumed(run_dirs: list[Path], cli: Command) -> None:
    before = (run_dirs[0] / "state.json").read_bytes()
    assert "is finished; there is nothing to continue" in cli("resume", run_dirs[0]).refused()
    assert (run_dirs[0] / "state.json").read_bytes() == before


def test_a_run_that_fails_says_why_and_ends_with_one(cli: Command) -> None:
    """The request was fine; it is the training that went wrong."""
    wild = "super_net.optimiser={learning_rate: 10, weight_decay: 1, gradient_clip: null}"
    said = cli("run", EXAMPLE, *SMALL, f"--set={wild}", "--set=super_net.epochs=40", "--quiet")
    assert said.code == 1
    assert said.err.startswith("error: The loss of the super-net is not finite in epoch")
    assert len(said.err.splitlines()) == 1
    folder = RunFolder(next(Path("runs").iterdir()))
    assert folder.state().state == "failed"
    assert f"error: {folder.state().message}\n" == said.err


# -- rank ---------------------------------------------------------------------------------------
def ranked(text: str) -> list[tuple[int, float, str]]:
    rows = [line.split("\t") for line in text.splitlines()]
    return [(int(position), float(score), name) for position, score, name in rows]


def test_rank_a_sample(run_dirs: list[Path], cli: Command) -> None:
    said = cli("rank", run_dirs[0], "--sample", 9, "--seed", 4)
    rows = ranked(said.out)
    assert [position for position, *_ in rows] == list(range(1, 10))
    scores = [score for _, score, _ in rows]
    assert scores == sorted(scores, reverse=True)
    assert len({SPACE.canonical(SPACE.parse(text)) for *_, text in rows}) == 9
    assert cli("rank", run_dirs[0], "--sample", 9, "--seed", 4).out == said.out
    assert cli("rank", run_dirs[0], "--sample", 9, "--seed", 5).out != said.out
    assert ranked(cli("rank", run_dirs[1], "--sample", 9, "--seed", 4).out) != rows


def test_rank_agrees_with_the_run(
    run_dirs: list[Path], cli: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest checkpoint is the end of training, whose scores stand in `ranking.csv`."""
    with open(run_dirs[0] / "ranking.csv", newline="") as file:
        known = {row["text"]: float(row["super_net_accuracy"]) for row in csv.DictReader(file)}
    wanted = [SPACE.parse(text) for text in known]
    monkeypatch.setattr(type(SPACE), "enumerate", lambda self: iter(wanted))
    said = cli("rank", run_dirs[0], "--all", "--out", "scores.csv")
    assert said.out == "scores.csv\n"
    with open("scores.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["rank"] for row in rows] == [str(k) for k in range(1, len(known) + 1)]
    assert {row["text"]: float(row["super_net_accuracy"]) for row in rows} == known
    assert "Cannot write" in cli("rank", run_dirs[0], "--out", "none/x.csv").refused()


def test_a_run_without_a_checkpoint_cannot_rank(run_dirs: list[Path], cli: Command) -> None:
    copy = Path("copy")
    shutil.copytree(run_dirs[0], copy)
    shutil.rmtree(copy / "checkpoints")
    assert "has no checkpoint to rank with" in cli("rank", copy).refused()


# -- compare ------------------------------------------------------------------------------------
def test_compare(run_dirs: list[Path], cli: Command) -> None:
    said = cli("compare", *run_dirs)
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0].startswith("Ranking by the super-net: mean ± std over seeds")
    assert lines[1].split()[:2] == ["Group", "n"]
    assert lines[2].startswith("spos + landmark on nb201, digits")
    found = json.loads(cli("compare", *run_dirs, "--json").out)
    (group,) = found["runs"]
    assert found["runs"][group] == [folder.name for folder in run_dirs]
    figure = found["figures"]["super_net_accuracy"][0]
    values = [result(folder)["metrics"]["super_net_accuracy"] for folder in run_dirs]
    assert figure["mean"] == pytest.approx(sum(values) / 2)
    assert figure["n"] == 2


@pytest.mark.parametrize(
    ("form", "start"), [("markdown", "**Ranking"), ("latex", "\\begin"), ("csv", "group,n,")]
)
def test_compare_for_papers(form: str, start: str, run_dirs: list[Path], cli: Command) -> None:
    said = cli("compare", *run_dirs, "--to", form)
    assert said.code == 0
    assert said.out.startswith(start)
    if form == "csv":
        rows = list(csv.reader(io.StringIO(said.out)))
        assert len({len(row) for row in rows}) == 1


def test_compare_as_in_the_landmark_paper(run_dirs: list[Path], cli: Command) -> None:
    said = cli("compare", *run_dirs, "--paper", "--to", "markdown")
    assert said.code == 0
    assert said.out.startswith("| Model | n | S-KdT | p (S-KdT) | Mean acc. (%) |")
    best = max(result(folder)["metrics"]["best_accuracy"] for folder in run_dirs)
    assert f"| {best:.2f} |" in said.out


def test_compare_seeds_on_common_architectures(run_dirs: list[Path], cli: Command) -> None:
    """Two seeds have two samples; the same architectures, scored by both nets, are comparable."""
    (group,) = json.loads(cli("compare", *run_dirs, "--json").out)["stability"].values()
    assert (group["tau"], group["common"]) == (None, 0)
    said = cli("compare", *run_dirs, "--json", "--common", 12)
    (group,) = json.loads(said.out)["stability"].values()
    assert group["common"] == 12
    scores = common_scores([RunFolder(path) for path in run_dirs], 12)
    first, second = (scores[path.name] for path in run_dirs)
    assert list(first) == list(second)
    tau = stats.kendalltau(list(first.values()), list(second.values()))[0]
    assert group["tau"] == pytest.approx(tau)


def test_compare_refuses_what_it_cannot_compare(run_dirs: list[Path], cli: Command) -> None:
    message = cli("compare", *run_dirs, "--baseline", "frob").refused()
    assert message.startswith("--baseline: there is no group `frob`; there are: spos + landmark")
    copy = Path("copy")
    shutil.copytree(run_dirs[0], copy)
    (copy / "result.json").unlink()
    assert "Run copy has no result yet" in cli("compare", copy).refused()


# -- export -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("to", "name"),
    [
        ("json", "architecture.json"),
        ("python", "model.py"),
        ("safetensors", "weights.safetensors"),
        ("dot", "graph.dot"),
        ("svg", "graph.svg"),
    ],
)
def test_export(to: str, name: str, run_dirs: list[Path], cli: Command, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    said = cli("export", run_dirs[0], "--rank", 2, "--to", to, "--out", "out")
    assert (said.code, said.out) == (0, f"out/{name}\n"), said.err
    written = (tmp_path / "out" / name).read_bytes()
    assert written
    own = run_dirs[0] / "architectures" / "2" / name
    if own.exists():
        assert written == own.read_bytes()


def test_export_a_bundle(run_dirs: list[Path], cli: Command) -> None:
    said = cli("export", run_dirs[0], "--to", "bundle", "--out", "run.zip")
    assert said.out == "run.zip\n"
    with zipfile.ZipFile("run.zip") as bundle:
        assert bundle.testzip() is None
        names = {Path(name).relative_to(run_dirs[0].name).as_posix() for name in bundle.namelist()}
    assert {"spec.yaml", "result.json", "ranking.csv", "architectures/1/model.py"} <= names


def test_a_rank_that_does_not_exist(run_dirs: list[Path], cli: Command) -> None:
    message = cli("export", run_dirs[0], "--to", "json", "--rank", 4).refused()
    assert message == f"Run {run_dirs[0].name} has no architecture of rank 4; it has 1, 2, 3."


def test_ctrl_c_twice_ends_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def conduct(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.experiment._conduct", conduct)
    said = call("run", EXAMPLE, *SMALL, "--runs", tmp_path / "runs", "--quiet")
    assert said.code == 130
    assert "Traceback" not in said.err
    folder = RunFolder(next((tmp_path / "runs").iterdir()))
    assert folder.state().state == "interrupted"
