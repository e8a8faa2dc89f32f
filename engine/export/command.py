"""`python -m engine export RUN_DIR --rank K --to FORMAT [--out PATH]`."""

from __future__ import annotations

from pathlib import Path

from engine.export.bundle import write_bundle
from engine.export.dot import dot_source
from engine.export.files import read_file, write_file
from engine.export.folder import (
    DRAWING,
    ONNX,
    RECORD,
    SOURCE,
    WEIGHTS,
    drawing,
    open_architecture,
)
from engine.export.onnx_file import save_onnx
from engine.export.python_source import python_source
from engine.export.record import ArchitectureRecord, architecture_json
from engine.export.weights import load_weights
from engine.spec.errors import ExportError

FORMATS = ("python", "onnx", "safetensors", "json", "dot", "svg", "bundle")
_NAMES = {
    "python": SOURCE,
    "onnx": ONNX,
    "safetensors": WEIGHTS,
    "json": RECORD,
    "dot": "graph.dot",
    "svg": DRAWING,
}


def export(run_dir: Path, rank: int | None, to: str, out: Path | None = None) -> Path:
    """Write a found architecture, or the whole run, in another form.

    Args:
        run_dir: the run folder.
        rank: which architecture, 1 is the best; not needed for `bundle`.
        to: one of `FORMATS`.
        out: the file to write, or an existing folder to put it into. None: the architecture's
            own folder in the run (`bundle`: `<run id>.zip` in the current folder).

    Returns:
        The file written. With `python`, the weights of a trained architecture are put beside
        `NAME.py` as `NAME.safetensors` (`weights.safetensors` beside `model.py`); it loads them.

    Raises:
        ExportError: an unknown format, no such run or rank, an architecture that was not
            trained and has no weights to export, or a place that cannot be written to.
    """
    if to not in FORMATS:
        raise ExportError(f"There is no export format `{to}`; use one of {', '.join(FORMATS)}.")
    if to == "bundle":
        path = _place(out, Path(f"{run_dir.resolve().name}.zip"))
        write_bundle(run_dir, path)
        return path
    if rank is None:
        raise ExportError(
            f"`{to}` exports one architecture; say which with --rank, 1 is the best."
        )
    folder, record = open_architecture(run_dir, rank)
    default = folder / _NAMES[to]
    path = default if out is None else _place(out, Path(default.name))
    if to == "python":
        return _python(folder, record, path)
    if to == "safetensors":
        return _copy(_weights(folder, record), path)
    if to == "onnx":
        net, stored = load_weights(_weights(folder, record))
        _same(stored, record, folder)
        return save_onnx(path, net, record)
    return write_file(path, _text(record, to))


def _place(out: Path | None, name: Path) -> Path:
    if out is None:
        return name
    return out / name.name if out.is_dir() else out


def _text(record: ArchitectureRecord, to: str) -> str:
    if to == "json":
        return architecture_json(record)
    if to == "svg":
        return drawing(record)
    return dot_source(record.search_space.graphs(record.architecture), record.text)


def _python(folder: Path, record: ArchitectureRecord, path: Path) -> Path:
    stored = folder / WEIGHTS
    if not stored.is_file():
        return write_file(path, python_source(record))
    weights = path.with_name(WEIGHTS) if path.name == SOURCE else path.with_suffix(".safetensors")
    _copy(stored, weights)
    return write_file(path, python_source(record, weights.name))


def _weights(folder: Path, record: ArchitectureRecord) -> Path:
    path = folder / WEIGHTS
    if not path.is_file():
        raise ExportError(
            f"The architecture of rank {record.rank} was not trained by itself in this run, so "
            "it has no weights. Export `python` and train that."
        )
    return path


def _same(stored: ArchitectureRecord, record: ArchitectureRecord, folder: Path) -> None:
    if (stored.architecture, stored.network) != (record.architecture, record.network):
        raise ExportError(
            f"{WEIGHTS} and {RECORD} in {folder} are of different architectures; run the "
            "experiment's last stage again."
        )


def _copy(source: Path, target: Path) -> Path:
    if source.resolve() == target.resolve():
        return target
    return write_file(target, read_file(source))
