"""One step over all operations at once (DARTS), with and without each saving, in one process.

    python -m benchmarks.mixture [--out FILE.json]

CPU time of forward and backward, the best of a few turns taken by turns, as ratios to the network
as it is. Gradients of both forms are compared before anything is timed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.environment import describe_environment
from engine.networks import Route, SuperNet, build_supernet
from engine.networks.ops import Op
from engine.spaces import get_space
from engine.spec.network import NetworkSpec

TURNS = 5
TOLERANCE = 1e-3
# (space, channels, cells, batch): images are 32x32.
SETTINGS = (("darts", 16, 3, 32), ("nb201", 16, 2, 32))


def mixture(space: str) -> Route:
    """Return a route with all operations of all edges."""
    choices, source = get_space(space).mixture, torch.Generator().manual_seed(0)
    weights = [torch.randn(len(c.options), generator=source).softmax(0) for c in choices]
    active = tuple(tuple(range(len(choice.options))) for choice in choices)
    return Route(active, tuple(one.requires_grad_() for one in weights))


def network(space: str, channels: int, cells: int) -> SuperNet:
    """Return a super-net in the layout that runs use."""
    net = build_supernet(space, NetworkSpec(channels=channels, cells=cells), 0)
    return net.to(memory_format=torch.channels_last)


def pooled_per_edge(net: SuperNet) -> SuperNet:
    """Compute every pooling for its own edge."""
    for module in net.modules():
        if isinstance(module, Op):
            module.shared = None
    return net


def recomputed(net: SuperNet) -> SuperNet:
    """Keep less, compute again."""
    net.recompute(True)
    return net


def compare(setting: tuple[str, int, int, int]) -> dict[str, float]:
    """Return the time of each other form over the time of the network as it is."""
    space, channels, cells, batch = setting
    x = torch.randn(batch, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    x = x.contiguous(memory_format=torch.channels_last)
    forms = {"as it is": network(space, channels, cells)}
    forms["pooled per edge"] = pooled_per_edge(network(space, channels, cells))
    if get_space(space).recomputes:
        forms["recomputed"] = recomputed(network(space, channels, cells))
    route = mixture(space)
    _require_equal({name: _gradient(net, x, route) for name, net in forms.items()})
    best = _best({name: _step(net, x, route) for name, net in forms.items()})
    return {name: best[name] / best["as it is"] for name in forms}


def grouped_convolutions(channels: int, side: int, batch: int = 64, edges: int = 3) -> float:
    """Return the speed-up of one convolution for all edges of a source of `nb201`'s mixture."""
    source = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> Tensor:
        value = torch.randn(shape, generator=source)
        return value.contiguous(memory_format=torch.channels_last)

    x = drawn(batch, channels, side, side).requires_grad_()
    weights = [drawn(channels, channels, 3, 3).requires_grad_() for _ in range(edges)]
    wanted = [drawn(batch, channels, side, side) for _ in range(edges)]

    def apart() -> list[Tensor]:
        outs = [F.conv2d(x, weight, padding=1) for weight in weights]
        return [F.batch_norm(out, None, None, training=True) for out in outs]

    def together() -> list[Tensor]:
        out = F.conv2d(x, torch.cat(weights), padding=1)
        return list(F.batch_norm(out, None, None, training=True).split(channels, 1))

    def step(form: Callable[[], list[Tensor]]) -> Callable[[], None]:
        return lambda: sum((o * w).sum() for o, w in zip(form(), wanted, strict=True)).backward()

    best = _best({"apart": step(apart), "together": step(together)})
    return best["apart"] / best["together"]


def _step(net: SuperNet, x: Tensor, route: Route) -> Callable[[], None]:
    def run() -> None:
        net.zero_grad(set_to_none=True)
        net(x, route).square().mean().backward()

    return run


def _gradient(net: SuperNet, x: Tensor, route: Route) -> Tensor:
    _step(net, x, route)()
    return torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None])


def _require_equal(found: dict[str, Tensor]) -> None:
    wanted = found["as it is"]
    for name, value in found.items():
        error = ((value - wanted).norm() / wanted.norm()).item()
        if not error < TOLERANCE:
            raise SystemExit(f"`{name}` has other gradients ({error}); nothing is timed.")


def _best(forms: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Return the least CPU time per form; turns alternate, the first is a warm-up."""
    times: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(TURNS + 1):
        for name, run in forms.items():
            started = time.process_time()
            run()
            times[name].append(time.process_time() - started)
    return {name: min(found[1:]) for name, found in times.items()}


def main() -> None:
    """Measure everything on one CPU thread and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[dict[str, object]] = []
    for setting in SETTINGS:
        rows.append({"setting": setting, **compare(setting)})
        print(rows[-1])
    for channels, side in ((16, 32), (32, 16), (64, 8), (8, 8)):
        found = grouped_convolutions(channels, side)
        rows.append({"channels": channels, "side": side, "grouped_speedup": found})
        print(rows[-1])
    if arguments.out is not None:
        content = {"environment": describe_environment(), "rows": rows}
        arguments.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
