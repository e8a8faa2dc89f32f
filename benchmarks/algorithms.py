"""Every algorithm against random architectures, over seeds, in one table.

    python -m benchmarks.algorithms [--seeds 3] [--only NAME ...] [--runs DIR] [--out FILE.md]

Each algorithm runs from `algorithms.yaml` with the settings below, once per seed. All share their
stand-alone trainings through the results bank, and for one seed all are measured on the same
random sample. Runs that are finished in the folder are not repeated.

Definitions. *Rank*: one plus the number of architectures of the sample that are strictly better
than a found one, trained by itself, on the test part; mean over the three that were found, then
mean and standard deviation over seeds. *Random* is what drawing uniformly without any search
gives: the mean rank of the sample's own members, leaving the member out, which is (n + 1) / 2 but
for ties. *p*: one-sided Welch's t-test that the found accuracies are higher than the sample's.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from scipy import stats

from engine.environment import describe_environment
from engine.export import markdown_table
from engine.recipes import RECIPES
from engine.runs import RunFolder
from engine.spaces import SPACES

HERE = Path(__file__).parent
BASE = HERE / "algorithms.yaml"
# What the defaults, made for hundreds of epochs on CIFAR-10, need for 300 updates.
OVERRIDES: dict[str, tuple[str, ...]] = {
    name: ("settings.alpha_learning_rate=0.01",)
    for name, recipe in RECIPES.items()
    if "alpha_learning_rate" in recipe.settings.model_fields
} | {"tunas": ("settings.policy_learning_rate=0.03", "settings.policy_samples=4")}


@dataclass(frozen=True)
class Outcome:
    """One run: ranks and accuracies of what was found, and of the sample."""

    ranks: list[float]
    found: list[float]
    sample: list[float]
    sparse_tau: float | None
    seconds: float


def command(recipe: str, seed: int, runs: Path) -> list[str]:
    """Return the command that runs one algorithm with one seed."""
    settings = [f"algorithm={recipe}", *OVERRIDES.get(recipe, ())]
    assigned = [part for one in settings for part in ("--set", one)]
    place = ["--runs", str(runs / recipe), "--seed", str(seed), "--quiet"]
    return [sys.executable, "-m", "engine", "run", str(BASE), *assigned, *place]


def finished(recipe: str, seed: int, runs: Path) -> RunFolder | None:
    """Return the finished run of an algorithm and seed, or None."""
    for path in sorted((runs / recipe).glob("*")):
        folder = RunFolder(path)
        if folder.exists() and folder.spec().seed == seed and folder.result() is not None:
            return folder
    return None


def work(recipe: str, seed: int, runs: Path) -> str | None:
    """Run unless it is done; return what went wrong, or None."""
    if finished(recipe, seed, runs) is not None:
        return None
    started = time.perf_counter()
    done = subprocess.run(
        command(recipe, seed, runs),
        env={**os.environ, "OMP_NUM_THREADS": "1", "NASW_DATA": str(runs / "lab")},
        capture_output=True,
        text=True,
        check=False,
    )
    line = (done.stderr.strip().splitlines() or ["no message"])[-1]
    print(f"{recipe} seed {seed}: {time.perf_counter() - started:.0f} s", flush=True)
    return None if done.returncode == 0 else f"{recipe}, seed {seed}: {line}"


def outcome(folder: RunFolder) -> Outcome:
    """Read one finished run."""
    result = folder.result()
    assert result is not None, "only finished runs are read"
    ranking = [event for event in folder.events() if event["type"] == "ranking"][-1]
    sample = [float(value) for value in ranking["truth"]]
    found = [float(row["stand_alone_accuracy"]) for row in result["architectures"]]
    ranks = [1.0 + sum(other > value for other in sample) for value in found]
    seconds = float(sum(result["cost"]["seconds"].values()))
    return Outcome(ranks, found, sample, result["metrics"]["sparse_kendall_tau"], seconds)


def random_rank(sample: list[float]) -> float:
    """Return the mean rank of a member of the sample among the others and itself."""
    return float(np.mean([1 + sum(other > one for other in sample) for one in sample]))


def row(name: str, outcomes: list[Outcome]) -> list[str | int]:
    """Return one line of the table."""
    ranks = [float(np.mean(one.ranks)) for one in outcomes]
    found = [value for one in outcomes for value in one.found]
    sample = [value for one in outcomes for value in one.sample]
    p = stats.ttest_ind(found, sample, equal_var=False, alternative="greater").pvalue
    taus = [one.sparse_tau for one in outcomes if one.sparse_tau is not None]
    return [
        RECIPES[name].title,
        len(outcomes),
        _mean(ranks, 1),
        f"{np.mean([random_rank(one.sample) for one in outcomes]):.1f}",
        _mean([float(np.mean(one.found)) for one in outcomes], 2),
        f"{np.mean(sample):.2f}",
        f"{p:.2g}",
        _mean(taus, 3) if taus else "–",
        f"{np.mean([one.seconds for one in outcomes]):.0f}",
    ]


def _mean(values: list[float], digits: int) -> str:
    spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{spread}"


HEADER = [
    "Algorithm",
    "seeds",
    "mean rank of 3 found",
    "random",
    "their accuracy (%)",
    "random (%)",
    "p",
    "S-KdT",
    "seconds",
]


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=None, metavar="NAME")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--runs", type=Path, default=Path("artifacts/bench_algorithms"))
    parser.add_argument("--out", type=Path, default=None)
    given = parser.parse_args()
    provided = SPACES[str(yaml.safe_load(BASE.read_text(encoding="utf-8"))["space"])].provides
    fitting = [name for name, recipe in RECIPES.items() if recipe.requires <= provided]
    names = given.only or fitting
    started = time.perf_counter()
    # Seed by seed, so that an interrupted benchmark has whole columns.
    jobs = [(name, seed, given.runs) for seed in range(given.seeds) for name in names]
    with ThreadPoolExecutor(given.jobs) as pool:
        problems = [one for one in pool.map(lambda job: work(*job), jobs) if one]
    rows = []
    for name in names:
        runs = [finished(name, seed, given.runs) for seed in range(given.seeds)]
        outcomes = [outcome(folder) for folder in runs if folder is not None]
        if outcomes:
            rows.append(
                (float(np.mean([np.mean(o.ranks) for o in outcomes])), row(name, outcomes))
            )
    table = markdown_table(HEADER, [cells for _, cells in sorted(rows, key=lambda r: r[0])])
    facts = describe_environment()
    text = f"{table}\n\n{json.dumps(facts, default=str)}\n"
    print(text)
    print(f"{time.perf_counter() - started:.0f} s", *problems, sep="\n")
    if given.out is not None:
        given.out.write_text(text, encoding="utf-8")
    raise SystemExit(1 if problems else 0)


if __name__ == "__main__":
    main()
