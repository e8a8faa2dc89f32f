"""Pictures, archives and imports for the tests of imported data sets."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from engine.datasets.imported import Imported
from engine.datasets.importing import ImportChoice, import_data


def quiet(what: str, done: int, total: int | None) -> None:
    """Take a report of progress."""


def png(value: int, size: tuple[int, int] = (6, 6), mode: str = "RGB") -> bytes:
    """Return a picture of one colour."""
    fill = value if mode == "L" else (value,) * len(mode)
    buffer = io.BytesIO()
    Image.new(mode, size, fill).save(buffer, "PNG")
    return buffer.getvalue()


def zip_file(path: Path, members: dict[str, bytes]) -> Path:
    """Write an archive."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def two_classes(prefix: str = "", each: int = 3, first: int = 0) -> dict[str, bytes]:
    """Return pictures of the classes cat and dog; every one has its own grey value."""
    return {
        f"{prefix}{label}/{number}.png": png(first + 20 * place + number)
        for place, label in enumerate(("cat", "dog"))
        for number in range(each)
    }


def bring(
    kind: str, source: object, lab: Path, name: str = "photos", **choice: object
) -> Imported:
    """Import a source into a lab's folder."""
    return import_data(kind, str(source), name, lab, ImportChoice(**choice), quiet)  # type: ignore[arg-type]


def left_behind(lab: Path) -> list[str]:
    """Return every file of a lab's folder."""
    return sorted(str(path.relative_to(lab)) for path in lab.rglob("*") if path.is_file())


def values(images: np.ndarray) -> list[int]:
    """Return the first grey value of each image."""
    found: list[int] = images[:, 0, 0, 0].tolist()
    return found
