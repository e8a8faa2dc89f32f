"""Reads our own source as syntax trees: what it imports, and what it must not do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("app", "workers", "engine", "gpu_kernels")
# Serialisers that run code when they read.
UNSAFE_MODULES = {
    "pickle",
    "_pickle",
    "cPickle",
    "cloudpickle",
    "dill",
    "joblib",
    "jsonpickle",
    "marshal",
    "shelve",
}
UNSAFE_NAMES = {"eval", "exec", "__import__"}
UNSAFE_ATTRIBUTES = {
    "os.popen",
    "os.system",
    "yaml.full_load",
    "yaml.unsafe_load",
    "yaml.FullLoader",
    "yaml.Loader",
    "yaml.UnsafeLoader",
}


def python_files(*folders: str) -> list[Path]:
    """Return the source files of top-level folders."""
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in found if "__pycache__" not in path.parts]


def module_name(path: Path) -> str:
    """Return the dotted name of a file of ours."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


class Imports(ast.NodeVisitor):
    """Collects (line, dotted name, inside a function) of every import of a file.

    Imports for type checkers only are left out. `from a import b` gives `a.b`, whether `b` is a
    module or not; relative ones are resolved; `import_module("a")` counts.
    """

    def __init__(self, module: str, package: bool) -> None:
        self.package = module.split(".") if package else module.split(".")[:-1]
        self.found: list[tuple[int, str, bool]] = []
        self._depth = 0

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for child in node.orelse:
                self.visit(child)
        else:
            self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        self._depth += 1
        self.generic_visit(node)
        self._depth -= 1

    visit_AsyncFunctionDef = visit_FunctionDef
    visit_Lambda = visit_FunctionDef

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(node.lineno, alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = node.module.split(".") if node.module else []
        if node.level:
            base = self.package[: len(self.package) - node.level + 1] + base
        for alias in node.names:
            self._add(node.lineno, ".".join([*base, alias.name]))

    def visit_Call(self, node: ast.Call) -> None:
        called = _dotted(node.func).rpartition(".")[2]
        first = node.args[0] if node.args else None
        if (
            called in ("import_module", "__import__")
            and isinstance(first, ast.Constant)
            and isinstance(first.value, str)
        ):
            self._add(node.lineno, first.value)
        self.generic_visit(node)

    def _add(self, line: int, name: str) -> None:
        self.found.append((line, name, self._depth > 0))


def imports_of(source: str, module: str, package: bool = False) -> list[tuple[int, str, bool]]:
    """Return what `Imports` finds in a source text."""
    visitor = Imports(module, package)
    visitor.visit(_tree(source))
    return visitor.found


@cache
def _tree(source: str) -> ast.Module:
    return ast.parse(source)


@cache
def file_imports(path: Path) -> list[tuple[int, str, bool]]:
    """Return what a file of ours imports."""
    source = path.read_text(encoding="utf-8")
    return imports_of(source, module_name(path), path.name == "__init__.py")


def is_below(name: str, roots: set[str]) -> bool:
    """Tell whether a dotted name is one of the roots or inside one."""
    return any(name == root or name.startswith(f"{root}.") for root in roots)


def _dotted(node: ast.expr) -> str:
    """Return `a.b.c` for such an expression, with `?` for a part that is no name."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def unsafe_uses(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, what) for bare excepts, unpickling, and running text as code."""
    for line, name, _ in imports_of(source, "x"):
        if is_below(name, UNSAFE_MODULES) or name in ("torch.load", "pandas.read_pickle"):
            yield line, name
    for node in ast.walk(_tree(source)):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield node.lineno, "bare except"
        elif isinstance(node, ast.Attribute) and _dotted(node) in UNSAFE_ATTRIBUTES:
            yield node.lineno, _dotted(node)
        elif isinstance(node, ast.Call):
            yield from _unsafe_call(node)


def _unsafe_call(node: ast.Call) -> Iterator[tuple[int, str]]:
    called = _dotted(node.func)
    given = {word.arg: ast.unparse(word.value) for word in node.keywords}
    if called in UNSAFE_NAMES or called.endswith(".read_pickle"):
        yield node.lineno, called
    if called == "torch.load" and given.get("weights_only") != "True":
        yield node.lineno, "torch.load without weights_only=True"
    if given.get("allow_pickle", "False") != "False":
        yield node.lineno, "allow_pickle"
    if given.get("shell", "False") != "False":
        yield node.lineno, "shell"
