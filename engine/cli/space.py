"""`space NAME sample|size|cost|draw|parse|reference ...`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.export.files import write_file
from engine.export.graph_svg import svg
from engine.spaces import get_space
from engine.spec.errors import SpecError
from engine.spec.files import load
from engine.spec.network import NetworkSpec

ACTIONS = ("sample", "size", "cost", "draw", "parse", "reference")


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(space)


def space(
    name: Annotated[str, typer.Argument(help="Search space, see `list spaces`.")],
    action: Annotated[str, typer.Argument(help=f"One of {', '.join(ACTIONS)}.")],
    text: Annotated[
        str | None,
        typer.Argument(help="Architecture, for cost, draw and parse; name, to see one reference."),
    ] = None,
    count: Annotated[int, typer.Option(help="How many to sample.", min=1)] = 1,
    seed: Annotated[int, typer.Option(help="Seed of the sample.", min=0)] = 0,
    spec: Annotated[
        Path | None, typer.Option(help="Experiment file whose stand-alone network is costed.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File for the drawing (SVG).")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Sample, count, cost, draw or parse architectures of a space."""
    found = get_space(name)
    network = _network(spec)
    if action == "size":
        _size(found, json_)
    elif action == "sample":
        rng = np.random.default_rng(seed)
        for _ in range(count):
            _print(found, found.sample(rng), json_)
    elif action == "reference":
        _references(found, text, json_)
    elif action in ("cost", "draw", "parse"):
        if text is None:
            raise SpecError("text", f"`space {name} {action}` needs an architecture.")
        _one(found, found.parse(text), action, network, out, json_)
    else:
        raise SpecError("action", f"there is no `{action}`; use one of {', '.join(ACTIONS)}.")


def _network(spec: Path | None) -> NetworkSpec:
    if spec is None:
        return NetworkSpec()
    found = load(spec)
    return found.stand_alone.skeleton(found.network)


def _size(space_: Space, json_: bool) -> None:
    """Print the number of index tuples, then what publications count."""
    if json_:
        found: dict[str, object] = {"space": space_.name, "size": space_.size}
        print(json.dumps(found | ({"counts": space_.counts} if space_.counts else {})))
        return
    print(space_.size)
    for what, count in space_.counts.items():
        print(f"{count}  {what}")


def _references(space_: Space, name: str | None, json_: bool) -> None:
    """Print published architectures with their sizes, ours beside the printed ones."""
    rows = [row for row in space_.references if name in (None, row.name)]
    if not rows:
        names = ", ".join(dict.fromkeys(row.name for row in space_.references))
        known = f"it has {names}" if names else "it has none"
        asked = f"no reference `{name}`" if name else "no references"
        raise SpecError("reference", f"`{space_.name}` has {asked}; {known}.")
    if json_:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return
    for row in rows:
        print(f"{row.name}: {row.params:,} parameters at {row.network}; {row.published} in print")
        print(f"  {row.source}{f'; {row.remark}' if row.remark else ''}")
        if name is not None:
            print(f"  {row.text}")


def _one(
    space_: Space,
    architecture: Architecture,
    action: str,
    network: NetworkSpec,
    out: Path | None,
    json_: bool,
) -> None:
    if action == "parse":
        _print(space_, architecture, json_)
    elif action == "cost":
        cost = space_.cost(architecture, network)
        if json_:
            print(json.dumps({"params": cost.params, "flops": cost.flops}))
        else:
            print(f"{cost.params:,} parameters, {cost.flops:,} {space_.flop_unit} per image")
    else:
        drawing = svg(space_.graphs(architecture), title=space_.to_text(architecture))
        if out is None:
            print(drawing)
        else:
            print(write_file(out, drawing))


def _print(space_: Space, architecture: Architecture, json_: bool) -> None:
    text = space_.to_text(architecture)
    if json_:
        content = architecture.to_json() | {
            "text": text,
            "canonical": space_.canonical(architecture),
            "choices": space_.decode(architecture),
        }
        print(json.dumps(content))
    else:
        print(text)
