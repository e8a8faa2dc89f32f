"""`model.py` of user-defined spaces is our stand-alone network, for whatever is defined."""

from __future__ import annotations

import itertools
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch
from custom_cases import (
    CELLS,
    EXAMPLES,
    ODD,
    ROOT,
    SMALL,
    custom,
    definitions,
    drawn,
    images,
    scramble,
)
from hypothesis import HealthCheck, given, settings
from safetensors.torch import save_file

from engine.core.architecture import Architecture
from engine.export.python_source import python_source
from engine.export.record import (
    ArchitectureRecord,
    architecture_json,
    describe,
    parse_architecture_json,
)
from engine.export.sources import get_source
from engine.export.weights import exported_state
from engine.export.weights_file import exported_weights
from engine.networks import Route, SuperNet, build_stand_alone
from engine.spaces.custom import CustomSpace
from engine.spec.errors import ExportError

torch.set_num_threads(1)
relaxed = settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
SPACES = {**EXAMPLES, **CELLS}


def module_of(text: str) -> Any:
    module = types.ModuleType("model")
    exec(compile(text, "model.py", "exec"), module.__dict__)
    return module


def ours(space: CustomSpace, record: ArchitectureRecord) -> SuperNet:
    net = build_stand_alone(record.architecture, record.network, 0, space)
    return scramble(net)


@given(definitions)
@relaxed
def test_the_file_is_the_same_network(definition: dict[str, Any]) -> None:
    space = custom(definition)
    for network, one in zip((SMALL, ODD), drawn(space, 2), strict=True):
        record = describe(one, network, definition)
        net, theirs = ours(space, record), module_of(python_source(record)).Network()
        theirs.load_state_dict(exported_state(net, record), strict=True)
        x, route = images(record.network), Route.of(one)
        with net.policy.tracking():
            wanted = net(x, route)
        found = theirs.train()(x)
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
        rename, state = get_source(space).renaming(one), theirs.state_dict()
        for name, value in net.state_dict().items():
            torch.testing.assert_close(state[rename(name)], value, rtol=1e-4, atol=1e-4)
        with net.probing():
            wanted = net(x, route)
        torch.testing.assert_close(theirs.eval()(x), wanted, rtol=1e-4, atol=1e-4)
        assert sum(p.numel() for p in theirs.parameters()) == record.params


def twins(space: CustomSpace, count: int) -> list[tuple[Architecture, Architecture]]:
    """Return pairs of different architectures that build identical networks."""
    seen: dict[str, Architecture] = {}
    pairs = []
    for one in itertools.islice(space.enumerate(), 6000):
        first = seen.setdefault(space.canonical(one), one)
        if first != one:
            pairs.append((first, one))
    return pairs[:: max(1, len(pairs) // count)]


@pytest.mark.parametrize("name", ["joined", "wide", "cell", "chain"])
def test_weights_move_between_identical_networks(name: str, tmp_path: Path) -> None:
    """The strongest test of canonical forms: equal ones compute the same with moved weights."""
    space = custom(SPACES[name])
    pairs = twins(space, 15)
    assert len(pairs) >= 15
    for trained, wanted in pairs:
        record = describe(wanted, SMALL, SPACES[name])
        net = ours(space, describe(trained, SMALL, SPACES[name]))
        save_file(net.state_dict(), tmp_path / "kept.safetensors")
        content = exported_weights(tmp_path / "kept.safetensors", record, trained)
        (tmp_path / "weights.safetensors").write_bytes(content)
        module = module_of(python_source(record))
        theirs = module.build(str(tmp_path / "weights.safetensors"))
        x = images(record.network)
        with net.probing():
            given = net(x, Route.of(trained))
        torch.testing.assert_close(theirs(x), given, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", SPACES)
def test_weights_of_another_network_are_refused(name: str) -> None:
    space = custom(SPACES[name])
    first = drawn(space, 1)[0]
    other = next(o for o in drawn(space, 50) if space.canonical(o) != space.canonical(first))
    with pytest.raises(ExportError, match="which is another network than"):
        get_source(space).renaming(first, other)


@pytest.mark.parametrize("name", SPACES)
def test_a_record_holds_its_definition(name: str) -> None:
    space = custom(SPACES[name])
    record = describe(drawn(space, 1)[0], SMALL, SPACES[name])
    again = parse_architecture_json(architecture_json(record))
    assert again == record
    assert again.search_space.canonical(again.architecture) == record.canonical
    assert again.search_space.digest == space.digest  # type: ignore[attr-defined]


def test_the_files_pass_the_linter_and_the_formatter(tmp_path: Path) -> None:
    names = ["x", *(f"node_{i:02}" for i in range(14)), "y"]
    pairs = itertools.combinations(names, 2)
    crowded = {
        "kind": "cell",
        "nodes": names,
        "operations": ["avg_pool_3x3_norm", "sep_conv_5x5"],
        "edges": {f"{s}->{t}": None for s, t in pairs},
        "output": names[1:],
    }
    many = {
        "kind": "chain",
        "blocks": [
            {"stride": s, "operations": [name, "sep_conv_7x7"]}
            for name in ("conv_7x1_1x7", "skip_or_reduce", "max_pool_3x3_norm", "dil_conv_5x5")
            for s in (1, 2)
        ],
    }
    for number, definition in enumerate([*SPACES.values(), crowded, many]):
        space = custom(definition)
        first = Architecture("custom", (0,) * len(space.choices))
        for place, one in enumerate([first, *drawn(space, 4)]):
            record = describe(one, SMALL, definition)
            path = tmp_path / f"model_{number}_{place}.py"
            path.write_text(python_source(record), encoding="utf-8")
    common = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", str(tmp_path)]
    for command in (["check", *common], ["format", "--check", *common]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
