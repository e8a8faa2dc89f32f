"""Images from a numpy `.npz` file, never unpickled.

Arrays: `x_train`, `y_train` and, where there is a test set, `x_test`, `y_test`; or `images`,
`labels`, `test_images`, `test_labels`; and optionally `classes`, an array of texts.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.datasets.image_data import MAX_BYTES, ImageData, Images, Labels
from engine.spec.data import DataSpec
from engine.spec.errors import DataError

NAMINGS = (
    ("x_train", "y_train", "x_test", "y_test"),
    ("images", "labels", "test_images", "test_labels"),
)
_FAULTS = (OSError, ValueError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error)


def load_npz(spec: DataSpec, cache_dir: Path | None) -> ImageData:
    """Read the npz file at `spec.path`.

    Raises:
        DataError: the file is missing or damaged, or an array does not fit; one sentence that
            names file, key and remedy.
    """
    if spec.path is None:
        raise DataError("data.path: give the path of the npz file.")
    return read_npz(Path(spec.path).expanduser())


def read_npz(
    path: Path, name: str = "npz", default_classes: tuple[str, ...] | None = None
) -> ImageData:
    """Read labelled images from an npz file.

    Args:
        path: the file.
        name: registered name that the data carry.
        default_classes: class names to use where the file has no `classes`; otherwise they are
            "0", "1", … up to the largest label.

    Raises:
        DataError: see `load_npz`.
    """
    with _opened(path) as file:
        x_key, y_key, test_x_key, test_y_key = _naming(path, file.files)
        images = _images(path, file, x_key)
        labels = _labels(path, file, y_key, x_key, len(images))
        test_images, test_labels = None, None
        if test_x_key in file.files or test_y_key in file.files:
            _both(path, file.files, test_x_key, test_y_key)
            test_images = _images(path, file, test_x_key)
            test_labels = _labels(path, file, test_y_key, test_x_key, len(test_images))
        classes = _classes(path, file, labels, test_labels, default_classes)
    for key, values in ((y_key, labels), (test_y_key, test_labels)):
        if values is not None and int(values.max()) >= len(classes):
            raise DataError(
                f"{path}: `{key}` has the label {int(values.max())}, but there are only "
                f"{len(classes)} classes; labels count from 0 to {len(classes) - 1}."
            )
    return ImageData(name, images, labels, test_images, test_labels, classes, str(path))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if not path.is_file():
        raise DataError(f"{path}: there is no such file; set data.path to an npz file.")
    if not zipfile.is_zipfile(path):
        raise DataError(
            f"{path}: this is not an npz file; write one with "
            f"numpy.savez(path, x_train=..., y_train=...)."
        )
    try:
        file = np.load(path, allow_pickle=False)
    except _FAULTS as error:
        raise DataError(f"{path}: the file is damaged ({error}); write it again.") from None
    with file:
        yield file


def _naming(path: Path, keys: list[str]) -> tuple[str, str, str, str]:
    found = [naming for naming in NAMINGS if set(naming) & set(keys)]
    if len(found) != 1:
        there = ", ".join(f"`{key}`" for key in sorted(keys)[:10]) or "nothing"
        wanted = "`x_train` and `y_train`, or `images` and `labels`"
        what = "are arrays of both namings" if found else "are no images"
        raise DataError(f"{path}: there {what}; give {wanted}. Found: {there}.")
    _both(path, keys, *found[0][:2])
    return found[0]


def _both(path: Path, keys: list[str], images: str, labels: str) -> None:
    for key, other in ((images, labels), (labels, images)):
        if key not in keys:
            raise DataError(f"{path}: `{key}` is missing; it belongs to `{other}`, add it.")


def _header(path: Path, file: Any, key: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and type of an array before memory is taken for it."""
    try:
        with file.zip.open(f"{key}.npy") as member:
            version = np.lib.format.read_magic(member)
            if version == (1, 0):
                shape, _, dtype = np.lib.format.read_array_header_1_0(member)
            elif version == (2, 0):
                shape, _, dtype = np.lib.format.read_array_header_2_0(member)
            else:
                raise ValueError(f"array format {version} is not known here")
    except _FAULTS as error:
        raise _damaged(path, key, error) from None
    if dtype.hasobject:
        raise DataError(
            f"{path}: `{key}` holds Python objects, which are never read because they could run "
            f"code; store it as a plain array."
        )
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if size > MAX_BYTES:
        raise DataError(
            f"{path}: `{key}` takes {size / 2**30:.1f} GiB; at most {MAX_BYTES // 2**30} GiB "
            f"are read, use fewer or smaller images."
        )
    if size > file.zip.getinfo(f"{key}.npy").file_size:
        raise _damaged(path, key, ValueError("it is shorter than its header says"))
    return shape, dtype


def _read(path: Path, file: Any, key: str) -> Any:
    try:
        return file[f"{key}.npy"]  # the very member whose header was checked
    except _FAULTS as error:
        raise _damaged(path, key, error) from None


def _damaged(path: Path, key: str, error: Exception) -> DataError:
    return DataError(f"{path}: `{key}` is damaged ({error}); write the file again.")


def _images(path: Path, file: Any, key: str) -> Images:
    shape, dtype = _header(path, file, key)
    if dtype != np.uint8:
        hint = " (multiply by 255 first if they lie between 0 and 1)" if dtype.kind == "f" else ""
        raise DataError(
            f"{path}: `{key}` is {dtype}; images must be uint8 from 0 to 255, convert them{hint}."
        )
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in (1, 3)):
        hint = ""
        if len(shape) == 4 and shape[1] in (1, 3):
            hint = f", transpose with `{key}.transpose(0, 2, 3, 1)`"
        raise DataError(
            f"{path}: `{key}` has the shape {shape}; images must be (N, H, W), (N, H, W, 1) or "
            f"(N, H, W, 3){hint}."
        )
    if 0 in shape:
        raise DataError(f"{path}: `{key}` is empty, its shape is {shape}; store some images.")
    images: Images = _read(path, file, key)
    return images[..., None] if images.ndim == 3 else images


def _labels(path: Path, file: Any, key: str, images_key: str, count: int) -> Labels:
    shape, dtype = _header(path, file, key)
    if dtype.kind not in "ui":
        raise DataError(
            f"{path}: `{key}` is {dtype}; labels must be whole numbers from 0 up, convert them."
        )
    if len(shape) != 1 and not (len(shape) == 2 and shape[1] == 1):
        raise DataError(
            f"{path}: `{key}` has the shape {shape}; labels must be (N,), one number an image "
            f"(`{key}.argmax(1)` for one-hot rows)."
        )
    if shape[0] != count:
        raise DataError(
            f"{path}: `{key}` has {shape[0]} labels and `{images_key}` {count} images; both must "
            f"have the same length."
        )
    labels: npt.NDArray[Any] = _read(path, file, key).reshape(-1)
    if int(labels.min()) < 0:
        raise DataError(
            f"{path}: `{key}` has the label {int(labels.min())}; labels count from 0, remove or "
            f"renumber it."
        )
    if int(labels.max()) >= 2**31:
        raise DataError(
            f"{path}: `{key}` has the label {int(labels.max())}; labels must be positions in the "
            f"list of classes, renumber them from 0."
        )
    return labels.astype(np.int64)


def _classes(
    path: Path,
    file: Any,
    labels: Labels,
    test_labels: Labels | None,
    default: tuple[str, ...] | None,
) -> tuple[str, ...]:
    if "classes" not in file.files:
        if default is not None:
            return default
        highest = int(labels.max())
        if test_labels is not None:
            highest = max(highest, int(test_labels.max()))
        if highest >= len(labels):
            raise DataError(
                f"{path}: the largest label is {highest} with only {len(labels)} images; renumber "
                f"the labels from 0 without gaps."
            )
        return tuple(str(number) for number in range(highest + 1))
    shape, dtype = _header(path, file, "classes")
    if dtype.kind not in "US" or len(shape) != 1:
        raise DataError(
            f"{path}: `classes` is {dtype} with the shape {shape}; it must be a list of texts, "
            f"such as numpy.array(['cat', 'dog'])."
        )
    raw = _read(path, file, "classes").tolist()
    return tuple(item.decode("utf-8", "replace") if dtype.kind == "S" else item for item in raw)
