"""How long the server takes to draw a page of a full lab: `python -m benchmarks.pages runs`.

Makes run folders as finished runs leave them, opens the overview to warm up, and times the whole
script run of the page by Streamlit's own test runner: reading the runs folder, building the
table, serialising it. The browser's share is not in it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

from engine.core.architecture import Architecture
from engine.export.tables import write_ranking
from engine.runs import RunFolder, create_run, write_json
from engine.spaces import get_space
from engine.spec.files import build

MAIN = Path(__file__).resolve().parent.parent / "app" / "main.py"
PAGES = {"runs": "screens/experiments.py", "compare": "screens/compare.py"}
ALGORITHMS = ("spos", "fairnas", "gdas", "darts", "enas")
SAMPLE = 60
EPOCHS = 40


def make_lab(runs: Path, count: int) -> list[str]:
    """Make finished runs, five algorithms and many seeds; return their ids."""
    return [_make(runs, number).run_id for number in range(count)]


def _make(runs: Path, number: int) -> RunFolder:
    algorithm = ALGORITHMS[number % len(ALGORITHMS)]
    fields = {"name": f"Run {number}", "algorithm": algorithm, "tags": [f"batch {number % 7}"]}
    folder = create_run(runs, build({**fields, "seed": number}))
    rng = np.random.default_rng(number)
    space = get_space("nb201")
    sample = [space.sample(rng) for _ in range(SAMPLE)]
    truth = [float(value) for value in rng.normal(80, 4, SAMPLE)]
    scores = [value - 20 + float(rng.normal(0, 3)) for value in truth]
    write_ranking(folder.path / "ranking.csv", space, folder.spec().network, sample, scores, truth)
    _events(folder, sample, truth, scores)
    write_json(folder.path / "result.json", _result(truth, space.to_text(sample[0])))
    folder.change_state("running", owner="made")
    folder.change_state("finished")
    return folder


def _events(
    folder: RunFolder, sample: list[Architecture], truth: list[float], scores: list[float]
) -> None:
    texts = [{"text": str(one), "indices": list(one.indices)} for one in sample]
    told: list[dict[str, Any]] = [{"type": "sample", "architectures": texts}]
    for epoch in range(1, EPOCHS + 1):
        loss = 2.3 / epoch
        told.append({"type": "epoch", "epoch": epoch, "epochs": EPOCHS, "loss": loss})
        metrics = {"sparse_kendall_tau": epoch / 50, "kendall_tau": epoch / 60}
        ranking = {"metrics": metrics, "scores": scores, "truth": truth}
        told.append({"type": "ranking", "epoch": epoch, **ranking})
    lines = [json.dumps({"seq": seq, "time": 0.0, **event}) for seq, event in enumerate(told)]
    (folder.path / "events.jsonl").write_text("\n".join(lines) + "\n")


def _result(truth: list[float], text: str) -> dict[str, Any]:
    top = sorted(truth)[-3:]
    metrics = {"sparse_kendall_tau": 0.8, "final_accuracy": sum(top) / 3, "best_rank": 1}
    return {
        "metrics": metrics | {"best_rank_of": len(truth)},
        "architectures": [{"text": text, "stand_alone_accuracy": value} for value in top],
        "search": {"evolution": {"top3_accuracy": sum(top) / 3}},
        "cost": {"seconds": {"training": 900.0, "search": 60.0}, "images": 36000, "steps": 600},
    }


def timed(page: str, repeats: int, **query: str) -> list[float]:
    """Return the seconds of each script run of a page; the first one finds nothing read yet."""
    test = AppTest.from_file(str(MAIN), default_timeout=120)
    test.run()
    for name, value in query.items():
        test.query_params[name] = value
    test.switch_page(PAGES[page])
    seconds = []
    for _ in range(repeats + 1):
        time.sleep(1.1)  # answers are shared for a second; measure a fresh one
        begun = time.perf_counter()
        test.run()
        seconds.append(time.perf_counter() - begun)
    assert not test.exception and not test.error, "the page tells of a fault"
    if page == "runs":
        print(f"{len(test.dataframe[0].value)} rows in the table")
    return seconds


def main() -> None:
    """Make the lab, time the page, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", choices=sorted(PAGES))
    parser.add_argument("--count", type=int, default=500, help="runs in the lab")
    parser.add_argument("--chosen", type=int, default=15, help="runs that are compared")
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ |= {"NASW_RUNS": f"{place}/runs", "NASW_DATA": f"{place}/lab"}
        ids = make_lab(Path(place, "runs"), given.count)
        query = {"runs": ",".join(ids[: given.chosen])} if given.page == "compare" else {}
        seconds = timed(given.page, given.repeats, **query)
    print(f"{given.page}: {given.count} runs, {os.cpu_count()} cores")
    first, *seconds = seconds
    print(f"first time {1000 * first:.0f} ms, then")
    print(f"median {1000 * statistics.median(seconds):.0f} ms, worst {1000 * max(seconds):.0f} ms")


if __name__ == "__main__":
    main()
