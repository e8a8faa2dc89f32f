"""`space NAME sample|size|cost|draw|parse ...`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from engine.core.architecture import Architecture
from engine.core.space import CellGraph, Space
from engine.export.dot import dot_source
from engine.export.files import write_file
from engine.export.graph_svg import svg
from engine.spaces import get_space
from engine.spec.errors import SpecError
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import load, load_mapping, with_values
from engine.spec.lines import located
from engine.spec.network import NetworkSpec

ACTIONS = ("sample", "size", "cost", "draw", "parse", "reference")
SECTION = "space_settings"


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(space)


def space(
    name: Annotated[str, typer.Argument(help="Search space, see `list spaces`.")],
    action: Annotated[str, typer.Argument(help=f"One of {', '.join(ACTIONS)}.")],
    text: Annotated[
        str | None,
        typer.Argument(
            help="Architecture for cost, draw (else all choices) and parse; reference."
        ),
    ] = None,
    count: Annotated[int, typer.Option(help="How many to sample.", min=1)] = 1,
    seed: Annotated[int, typer.Option(help="Seed of the sample.", min=0)] = 0,
    file: Annotated[
        Path | None, typer.Option(help="Settings of the space (YAML), such as a definition.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="A setting of the space: field=value.")
    ] = None,
    spec: Annotated[
        Path | None,
        typer.Option(help="Experiment file whose space and stand-alone network are meant."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="File for the drawing: SVG, or Graphviz if it ends in .dot."),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Sample, count, cost, draw or parse architectures of a space."""
    if action not in ACTIONS:
        raise SpecError("action", f"there is no `{action}`; use one of {', '.join(ACTIONS)}.")
    experiment = load(spec) if spec else None
    given = experiment.space_settings if experiment and experiment.space == name else {}
    found = _configured(name, given, file, set_ or [])
    if action == "size":
        _size(found, json_)
    elif action == "sample":
        rng = np.random.default_rng(seed)
        for _ in range(count):
            _print(found, found.sample(rng), json_)
    elif action == "reference":
        _references(found, text, json_)
    elif action == "draw":
        _draw(found, text, out)
    elif text is None:
        raise SpecError("text", f"`space {name} {action}` needs an architecture.")
    elif action == "parse":
        _print(found, found.parse(text), json_)
    else:
        _cost(found, found.parse(text), experiment, json_)


def _configured(
    name: str, given: dict[str, Any], file: Path | None, assignments: list[str]
) -> Space:
    """Return the space with the settings of an experiment or a file, changed by assignments."""
    values = with_values(given if file is None else load_mapping(file), assignments)
    try:
        return get_space(name, values)
    except SpecError as fault:
        # Settings stand by themselves here: neither is there a section around them.
        field = fault.field.removeprefix(SECTION).removeprefix(".")
        own = SpecError(field, fault.problem)
        if file is None or assignments or fault.field == "space":
            raise own if fault.field.startswith(SECTION) else fault from None
        raise located(own, file.read_text(encoding="utf-8")) from None


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


def _cost(
    space_: Space, architecture: Architecture, experiment: ExperimentSpec | None, json_: bool
) -> None:
    network = NetworkSpec()
    if experiment is not None:
        network = experiment.stand_alone.skeleton(experiment.network)
    cost = space_.cost(architecture, network.model_copy(update=dict(space_.fixed)))
    if json_:
        print(json.dumps({"params": cost.params, "flops": cost.flops}))
    else:
        print(f"{cost.params:,} parameters, {cost.flops:,} {space_.flop_unit} per image")


def _draw(space_: Space, text: str | None, out: Path | None) -> None:
    graphs: dict[str, CellGraph]
    if text is None:
        graphs, title = space_.overview(), f"{space_.title}: all choices"
        if not graphs:
            raise SpecError("text", f"`space {space_.name} draw` needs an architecture.")
    else:
        architecture = space_.parse(text)
        graphs, title = space_.graphs(architecture), space_.to_text(architecture)
    dotted = out is not None and out.suffix == ".dot"
    drawing = dot_source(graphs, title) if dotted else svg(graphs, title=title)
    print(drawing if out is None else write_file(out, drawing))


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
