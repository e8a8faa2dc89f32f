"""Pages may import all of the export but three modules without ever loading torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
EXPORT = ROOT / "engine" / "export"
HEAVY = {"weights", "onnx_file", "command"}
FORBIDDEN = {"torch", "triton", "onnx", "onnxruntime", "onnxscript", "gpu_kernels"}


def modules() -> list[str]:
    return sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in EXPORT.rglob("*.py")
    )


LIGHT = [name for name in modules() if name.rsplit(".", 1)[-1] not in HEAVY]


def file_of(name: str) -> Path | None:
    base = ROOT.joinpath(*name.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Return every module named in an import anywhere in a file, parents included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {path}"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    parts = [name.split(".") for name in found]
    return frozenset(".".join(p[:n]) for p in parts for n in range(1, len(p) + 1))


def reached_from(name: str) -> set[str]:
    parts = name.split(".")
    queue = [".".join(parts[:n]) for n in range(1, len(parts) + 1)]
    seen = set(queue)
    while queue:
        path = file_of(queue.pop())
        for other in imports_of(path) if path is not None else ():
            if other not in seen:
                seen.add(other)
                queue.append(other)
    return seen


@pytest.mark.parametrize("name", LIGHT)
def test_no_import_leads_to_torch(name: str) -> None:
    reached = reached_from(name)
    assert not {other for other in reached if other.split(".")[0] in FORBIDDEN}
    assert "engine.networks" not in reached
    assert not {f"engine.export.{heavy}" for heavy in HEAVY} & reached


def test_the_search_finds_torch_where_it_is() -> None:
    for heavy in HEAVY:
        assert "torch" in reached_from(f"engine.export.{heavy}")


def test_nothing_heavy_is_loaded() -> None:
    code = (
        f"import importlib, sys\nfor name in {LIGHT!r}: importlib.import_module(name)\n"
        f"print(sorted({FORBIDDEN!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
