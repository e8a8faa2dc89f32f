"""Memory and time of importing and using a table as large as NAS-Bench-101.

    python -m benchmarks.tables [--rows 423624] [--architectures 300] [--out FILE.json]

Each step runs in a process of its own, whose peak resident memory is read at its end, and that of
the processes it started (never less than its own when it started them). `import` and `use` work on
a synthetic CSV of as many different DARTS cells as NAS-Bench-101 has networks, with two accuracies
each; `official` reads a file in the NATS format with four trainings of 200 epochs an architecture.
`start` is a process that does nothing but load the program.
"""

from __future__ import annotations

import argparse
import json
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from engine.environment import describe_environment
from engine.spaces import get_space
from engine.tables.importing import SpaceChoice, import_table
from engine.tables.lookup import open_lookup
from engine.tables.store import open_table
from engine.tables.table_stats import table_stats

NETWORKS_OF_NB101 = 423_624
WRITE = "write"
STEPS = ("start", "import", "use", "official")
LIMIT_MIB = 1024
SPACE = get_space("darts")


def write_csv(path: Path, rows: int) -> None:
    """Write different architectures with two accuracies each."""
    rng, seen = np.random.default_rng(0), set[str]()
    with path.open("w", encoding="utf-8") as file:
        file.write("arch,val,test\n")
        while len(seen) < rows:
            text = SPACE.to_text(SPACE.sample(rng))
            if text not in seen:
                seen.add(text)
                first, second = rng.uniform(50, 95, 2)
                file.write(f'"{text}",{first:.4f},{second:.4f}\n')


def training(dataset: str, seed: int, epochs: int) -> dict[str, Any]:
    """Return the results of one training in the official form."""
    keys = [f"{split}@{e}" for split in ("x-valid", "x-test", "ori-test") for e in range(epochs)]
    return {
        "name": dataset,
        "seed": seed,
        "epochs": epochs,
        "params": 1.0,
        "flop": 100.0,
        "latency": [0.01],
        "eval_names": ["x-valid", "x-test", "ori-test"],
        "train_acc1es": {epoch: 50.0 for epoch in range(epochs)},
        "train_times": {epoch: 7.5 for epoch in range(epochs)},
        **{
            name: {key: 50.0 + 0.01 * place for place, key in enumerate(keys)}
            for name in ("eval_acc1es", "eval_losses", "eval_times")
        },
    }


def write_official(path: Path, architectures: int) -> None:
    """Write a file in the official format."""
    space = get_space("nb201")
    listed = [space.to_text(one) for one in islice(space.enumerate(), architectures)]
    datasets = ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120")
    infos = {
        index: {
            "200": {
                "arch_index": index,
                "arch_str": text,
                "all_results": {(name, 777): training(name, 777, 200) for name in datasets},
            }
        }
        for index, text in enumerate(listed)
    }
    with path.open("wb") as file:
        pickle.dump({"meta_archs": listed, "arch2infos": infos}, file, protocol=2)


def work(step: str, folder: Path) -> None:
    """Do one step; the import comes before the use."""
    if step == "import":
        import_table("csv", folder / "large.csv", folder, space=SpaceChoice("darts"))
    elif step == "official":
        import_table("nats_tss", folder / "official.pth", folder)
    elif step == "use":
        lookup = open_lookup("large", SPACE, ["test", "val"], folder)
        rng = np.random.default_rng(1)
        assert all(lookup.get(SPACE.sample(rng)) is None for _ in range(100))
        assert len(lookup.everything()) == len(open_table(folder, "large"))
        table_stats(open_table(folder, "large"))


def measured(*words: str) -> dict[str, Any]:
    """Run a step in a process of its own and return seconds and peak memory in MiB."""
    command = [sys.executable, "-m", "benchmarks.tables", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return dict(json.loads(done.stdout))


def run_step(step: str, folder: Path) -> None:
    """Do a step in this process and print what it took."""
    start = time.perf_counter()
    work(step, folder)
    seconds = time.perf_counter() - start
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    row = {"step": step, "seconds": seconds, "peak_mib": peak(), "peak_of_children_mib": children}
    print(json.dumps(row))


def peak() -> float:
    """Return this process's peak in MiB; `getrusage` would count that of its parent, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Write the files, run every step, and say whether any needed more than a gigabyte."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=NETWORKS_OF_NB101)
    parser.add_argument("--architectures", type=int, default=300)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--step", choices=(WRITE, *STEPS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step == WRITE:
        write_csv(given.folder / "large.csv", given.rows)
        write_official(given.folder / "official.pth", given.architectures)
    if given.step:
        run_step(given.step, given.folder)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        counts = ("--rows", str(given.rows), "--architectures", str(given.architectures))
        measured("--step", WRITE, "--folder", name, *counts)
        sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
        rows = [measured("--step", step, "--folder", name) for step in STEPS]
    for row in rows:
        print(
            f"{row['step']:10} {row['seconds']:8.1f} s   peak {row['peak_mib']:7.0f} MiB, "
            f"child processes {row['peak_of_children_mib']:6.0f} MiB"
        )
    if given.out:
        content = {"environment": describe_environment(), "bytes": sizes, "rows": rows}
        given.out.write_text(json.dumps(content, indent=1), encoding="utf-8")
    if max(max(row["peak_mib"], row["peak_of_children_mib"]) for row in rows) > LIMIT_MIB:
        raise SystemExit(f"A step needed more than {LIMIT_MIB} MiB.")


if __name__ == "__main__":
    main()
