"""Real data, and small stand-ins for the official CIFAR files, shared by these tests."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.datasets import cifar
from engine.datasets.cifar_layout import LAYOUTS, Files, Layout

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def shared_data() -> Path:
    """Folder with real data, outside of the repository; tests that need it skip without."""
    given = os.environ.get("NASW_SHARED_DATA")
    folder = Path(given) if given else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} is absent (set NASW_SHARED_DATA)")
    return folder


class Python2Pickler(pickle._Pickler):  # type: ignore[name-defined]
    """Writes byte and text strings as Python 2 did, as in the official archives."""

    dispatch = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def save_string(self, text: bytes | str) -> None:
        data = text.encode() if isinstance(text, str) else text
        if len(data) < 256:
            self.write(b"U" + bytes([len(data)]) + data)
        else:
            self.write(b"T" + len(data).to_bytes(4, "little") + data)
        self.memoize(text)

    dispatch[bytes] = save_string
    dispatch[str] = save_string


@pytest.fixture
def python2_pickle() -> Callable[[object], bytes]:
    """Function: object to pickle bytes like those of Python 2 with an old numpy."""

    def dump(value: object) -> bytes:
        buffer = io.BytesIO()
        Python2Pickler(buffer, protocol=2).dump(value)
        return buffer.getvalue().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")

    return dump


@pytest.fixture
def small_cifar(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Layout]:
    """Function: make the loader expect a smaller CIFAR of the given name; returns its layout."""

    def shrink(name: str, train: int = 50, test: int = 20) -> Layout:
        layout = replace(LAYOUTS[name], train_images=train, test_images=test)
        monkeypatch.setitem(cifar.LAYOUTS, name, layout)
        return layout

    return shrink


@pytest.fixture
def cifar_arrays() -> Callable[[Layout], dict[str, np.ndarray]]:
    """Function: random images and labels of the size that a layout expects."""

    def make(layout: Layout) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(7)
        result = {}
        for part, count in (("train", layout.train_images), ("test", layout.test_images)):
            result[f"x_{part}"] = rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
            result[f"y_{part}"] = rng.integers(0, len(layout.classes), count)
        return result

    return make


@pytest.fixture
def write_cifar(python2_pickle: Callable[[object], bytes]) -> Callable[..., Path]:
    """Function: write arrays as the files of one official format into a folder."""

    def write(layout: Layout, files: Files, arrays: dict[str, np.ndarray], root: Path) -> Path:
        folder = root / files.folder
        folder.mkdir(parents=True)
        parts = np.array_split(np.arange(len(arrays["x_train"])), len(files.train))
        pieces = [(n, "train", rows) for n, rows in zip(files.train, parts, strict=True)]
        pieces.append((files.test, "test", np.arange(len(arrays["x_test"]))))
        for name, part, rows in pieces:
            pixels = arrays[f"x_{part}"][rows].transpose(0, 3, 1, 2).reshape(len(rows), -1)
            labels = arrays[f"y_{part}"][rows]
            if files is layout.python:
                content = {
                    "batch_label": "a part",
                    layout.label_key: labels.tolist(),
                    "data": pixels,
                    "filenames": [f"{row}.png" for row in rows],
                }
                (folder / name).write_bytes(python2_pickle(content))
            else:
                columns = [labels[:, None].astype(np.uint8), pixels]
                if layout.label_bytes == 2:
                    columns.insert(0, np.full((len(rows), 1), 19, np.uint8))
                (folder / name).write_bytes(np.concatenate(columns, axis=1).tobytes())
        return folder

    return write


@pytest.fixture
def pack() -> Callable[[Path, Path], str]:
    """Function: pack a folder into a .tar.gz; returns the MD5 of the archive."""

    def make(folder: Path, archive: Path) -> str:
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(folder, folder.name)
        return hashlib.md5(archive.read_bytes()).hexdigest()

    return make
