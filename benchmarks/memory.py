"""Peak memory of the heaviest steps, each measured in a process of its own.

    python -m benchmarks.memory [--out FILE.json] [--only NAME ...]

A measurement is `resource.getrusage(RUSAGE_SELF).ru_maxrss` at the end of a child process that
did nothing else, Python and torch included. This process must stay small, so torch is imported
by the children only: Linux hands a parent's peak on to what it starts.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

GIB = 2**30
# DARTS searches with C=16, 8 cells and batches of 64 (§3.1 of its paper).
CHANNELS, CELLS, BATCH, SIDE, SMALL = 16, 8, 64, 32, 12
LIMIT = 6 * GIB
SCORED = 50
SPACES = ("nb201", "darts", "nats_size")
# One chunk of architectures; `SCORED` of them, chunk after chunk; as many in a single chunk.
PARTS = ("chunk", "all", "at_once")
STEPS = ("nothing", "path", "mixture", "mixture_recomputed", "mixture_bfloat16")
WORK = (*STEPS, *(f"{space}_{part}" for space in SPACES for part in PARTS))


# -- in the child --------------------------------------------------------------------------------
def step(name: str) -> dict[str, Any]:
    """Run one step of the DARTS super-net, forward and backward."""
    import numpy as np
    import torch

    from engine.device import precision
    from engine.networks import Route, build_supernet
    from engine.spaces import get_space
    from engine.spec.network import NetworkSpec
    from engine.tasks import classification

    torch.set_num_threads(1)
    space, network = get_space("darts"), NetworkSpec(channels=CHANNELS, cells=CELLS)
    net = build_supernet("darts", network, 0).to(memory_format=torch.channels_last)
    if name == "nothing":
        return {}
    net.recompute(name == "mixture_recomputed")
    x = torch.randn(BATCH, 3, SIDE, SIDE).contiguous(memory_format=torch.channels_last)
    y = torch.arange(BATCH) % network.classes
    if name == "path":
        route = Route.of(space.sample(np.random.default_rng(0)))
    else:
        weights = [torch.randn(len(c.options)).softmax(0) for c in space.mixture]
        for one in weights:
            one.requires_grad_()
        active = tuple(tuple(range(len(choice.options))) for choice in space.mixture)
        route = Route(active, tuple(weights))
    with precision("bfloat16" if name == "mixture_bfloat16" else "float32", x.device):
        loss = classification.loss(net(x, route), y)
    loss.backward()
    return {}


def score(space_name: str, part: str) -> dict[str, Any]:
    """Score architectures with a super-net, see `PARTS`."""
    import numpy as np
    import torch

    from engine.datasets.batches import DeviceImages
    from engine.evaluators.supernet import SuperNetScorer
    from engine.networks import build_supernet
    from engine.spaces import get_space
    from engine.spec.network import NetworkSpec

    torch.set_num_threads(1)
    space = get_space(space_name)
    # Images so small that a chunk holds more than one architecture on a CPU.
    network = NetworkSpec(channels=8, cells=2, resolution=SMALL).model_copy(
        update=dict(space.fixed)
    )
    net = build_supernet(space_name, network, 0).to(memory_format=torch.channels_last)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (BATCH, SMALL, SMALL, 3)).astype(np.uint8)
    images = DeviceImages(pixels, rng.integers(0, 10, BATCH), "cpu", (0.5,) * 3, (0.3,) * 3)
    scorer = SuperNetScorer(net, network.norm, images, images, BATCH)
    if part == "at_once":
        scorer._chunk = SCORED
    chunk = scorer.chunk_size()
    count = chunk if part == "chunk" else SCORED
    before = peak()
    scorer.scores([space.sample(rng) for _ in range(count)])
    return {"chunk": chunk, "architectures": count, "before_bytes": before}


def peak() -> int:
    """Return the largest resident size of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def child(name: str) -> None:
    """Do the work of one name and print its peak as JSON."""
    if name in STEPS:
        found = step(name)
    else:
        space = next(space for space in SPACES if name.startswith(space))
        found = score(space, name.removeprefix(f"{space}_"))
    print(json.dumps({"name": name, "peak_bytes": peak(), **found}))


# -- in the parent -------------------------------------------------------------------------------
def measure(name: str) -> dict[str, Any]:
    """Return what `child` prints, from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.memory", "--child", name]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(out)
    return found


def main() -> None:
    """Measure and print a table; ends with 1 where a step of the DARTS super-net needs 6 GiB."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", choices=WORK, help=argparse.SUPPRESS)
    parser.add_argument("--only", nargs="+", choices=WORK, default=WORK)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child)
        return
    rows = {name: measure(name) for name in arguments.only}
    for name, row in rows.items():
        print(f"{name}: {row['peak_bytes'] / GIB:.2f} GiB", _details(row))
    for space in SPACES:
        parts = [rows[f"{space}_{part}"] for part in PARTS if f"{space}_{part}" in rows]
        if len(parts) == len(PARTS):
            print(_compared(space, *parts))
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(list(rows.values()), indent=1) + "\n", "utf-8")
    sys.exit(any(rows[name]["peak_bytes"] >= LIMIT for name in STEPS if name in rows))


def _compared(
    space: str, chunk: dict[str, Any], everything: dict[str, Any], at_once: dict[str, Any]
) -> str:
    ratio = everything["peak_bytes"] / chunk["peak_bytes"]
    grown = [(r["peak_bytes"] - r["before_bytes"]) / 2**20 for r in (chunk, everything, at_once)]
    return (
        f"{space}: {SCORED} architectures / one chunk of {chunk['chunk']} = {ratio:.3f}; growth "
        f"{grown[0]:.0f} MiB for a chunk, {grown[1]:.0f} for {SCORED} in chunks, "
        f"{grown[2]:.0f} for {SCORED} at once"
    )


def _details(row: dict[str, Any]) -> str:
    known = {k: row[k] for k in ("chunk", "architectures") if k in row}
    return ", ".join(f"{k} {v}" for k, v in known.items())


if __name__ == "__main__":
    main()
