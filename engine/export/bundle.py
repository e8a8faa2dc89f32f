"""A run folder as one ZIP file. No torch here."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from engine.export.files import replacing
from engine.spec.errors import ExportError

CHECKPOINTS = "checkpoints"
_CHUNK = 1 << 20
# The ZIP format's first possible moment: equal folders give equal bundles.
_MOMENT = (1980, 1, 1, 0, 0, 0)
_COMPRESSED = frozenset({".safetensors", ".onnx", ".pt", ".gz", ".zip", ".png", ".npz"})


def bundle_files(run_dir: Path, checkpoints: bool = False) -> Iterator[Path]:
    """Yield the files of a bundle, relative to the run folder, in order of their names.

    Left out are names that begin with a dot (the lock and files that are being written), links
    and other things that are no plain files, and checkpoints unless asked for.

    Raises:
        ExportError: there is no such folder.
    """
    if not run_dir.is_dir():
        raise ExportError(f"There is no run folder {run_dir}.")
    found = []
    for place, folders, names in os.walk(run_dir, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(place, name)
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                found.append(path.relative_to(run_dir))
    for path in sorted(found, key=lambda path: path.parts):
        if checkpoints or path.parts[0] != CHECKPOINTS:
            yield path


def write_bundle(
    run_dir: Path, out: Path | BinaryIO, checkpoints: bool = False
) -> Path | BinaryIO:
    """Write a run folder as ZIP under one top folder of its name, a megabyte at a time.

    Equal folders give equal bytes (with one version of zlib): names are sorted, times and
    permissions fixed. Every file is read to the length that it has when its turn comes, so the
    bundle of a run that is still going on is a valid one, too.

    Args:
        run_dir: the run folder.
        out: a path, replaced atomically, or an open binary file.
        checkpoints: put the checkpoints in, too; they can be large.

    Returns:
        `out`.

    Raises:
        ExportError: no such folder, a file that cannot be read, a full disk.
    """
    if not isinstance(out, Path):
        try:
            _write(run_dir, out, checkpoints, None)
        except OSError as error:
            raise ExportError(f"Cannot write the bundle: {error.strerror or error}.") from error
        return out
    with replacing(out) as file:
        _write(run_dir, file, checkpoints, out.resolve())
    return out


def write_bundles(run_dirs: Sequence[Path], out: BinaryIO) -> None:
    """Write several run folders as one ZIP, each under a top folder of its name, no checkpoints.

    Equal folders in equal order give equal bytes; see `write_bundle`.

    Args:
        run_dirs: run folders of different names.
        out: an open binary file.

    Raises:
        ExportError: no such folder, a file that cannot be read, a full disk.
    """
    try:
        with zipfile.ZipFile(out, "w") as bundle:
            for run_dir in run_dirs:
                _add_all(bundle, run_dir, False, None)
    except OSError as error:
        raise ExportError(f"Cannot write the bundle: {error.strerror or error}.") from error


def bundle_bytes(run_dir: Path, checkpoints: bool = False) -> bytes:
    """Return the bundle in memory; see `write_bundle`."""
    buffer = io.BytesIO()
    write_bundle(run_dir, buffer, checkpoints)
    return buffer.getvalue()


def _write(run_dir: Path, out: BinaryIO, checkpoints: bool, itself: Path | None) -> None:
    with zipfile.ZipFile(out, "w") as bundle:
        _add_all(bundle, run_dir, checkpoints, itself)


def _add_all(
    bundle: zipfile.ZipFile, run_dir: Path, checkpoints: bool, itself: Path | None
) -> None:
    top = run_dir.resolve().name
    for path in bundle_files(run_dir, checkpoints):
        if (run_dir / path).resolve() != itself:
            _add(bundle, run_dir / path, f"{top}/{path.as_posix()}")


def _add(bundle: zipfile.ZipFile, path: Path, name: str) -> None:
    info = zipfile.ZipInfo(name, _MOMENT)
    info.create_system = 3  # Unix, whatever the machine: it gives the next line its meaning
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    packed = path.suffix in _COMPRESSED
    info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
    with _opened(path) as file:
        # The size tells zipfile whether the entry needs the 64-bit form.
        left = info.file_size = os.fstat(file.fileno()).st_size
        with bundle.open(info, "w") as entry:
            while left and (chunk := _read(file, min(_CHUNK, left), path)):
                entry.write(chunk)
                left -= len(chunk)


def _opened(path: Path) -> BinaryIO:
    try:
        return open(path, "rb")
    except OSError as error:
        raise _unreadable(error, path) from error


def _read(file: BinaryIO, count: int, path: Path) -> bytes:
    try:
        return file.read(count)
    except OSError as error:
        raise _unreadable(error, path) from error


def _unreadable(error: OSError, path: Path) -> ExportError:
    return ExportError(
        f"{path} cannot be read for the bundle: {error.strerror or error}. If the run is going "
        "on, make the bundle again."
    )


def _refuse(error: OSError) -> None:
    raise _unreadable(error, Path(error.filename)) from error
