"""Which data sets there are, and one door to load any of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from engine.core.registry import Registry
from engine.datasets.cifar import load_cifar
from engine.datasets.digits import load_digits
from engine.datasets.folder import load_folder
from engine.datasets.image_data import ImageData
from engine.datasets.imported import load_imported, problem_of
from engine.datasets.npz import load_npz
from engine.datasets.pictures import resize_images
from engine.lab_folders import data_folder
from engine.spec.data import DataSpec
from engine.spec.errors import DataError


def _no_file(path: str) -> str | None:
    return None if Path(path).expanduser().exists() else f"there is no file or folder {path}."


@dataclass(frozen=True)
class DatasetInfo:
    """What pages and the command line say of a data set.

    Args:
        title: name for people.
        description: one sentence.
        needs_path: `data.path` must be given.
        can_fetch: `fetch` can download it; without a path it is looked for in the cache.
        loader: reads the images as they are; called with the spec and the cache folder.
        path_problem: says why a path cannot be used before anything is read, None where it can.
    """

    title: str
    description: str
    needs_path: bool
    can_fetch: bool
    loader: Callable[[DataSpec, Path | None], ImageData]
    path_problem: Callable[[str], str | None] = _no_file


DATASETS: Registry[DatasetInfo] = Registry("data set", "data.name")

DATASETS.register(
    "digits",
    DatasetInfo(
        title="Handwritten digits",
        description="1,797 grey images of 8x8 pixels in 10 classes; comes with scikit-learn.",
        needs_path=False,
        can_fetch=False,
        loader=load_digits,
    ),
)
DATASETS.register(
    "cifar10",
    DatasetInfo(
        title="CIFAR-10",
        description="50,000 + 10,000 colour photographs of 32x32 pixels in 10 classes.",
        needs_path=False,
        can_fetch=True,
        loader=load_cifar,
    ),
)
DATASETS.register(
    "cifar100",
    DatasetInfo(
        title="CIFAR-100",
        description="50,000 + 10,000 colour photographs of 32x32 pixels in 100 classes.",
        needs_path=False,
        can_fetch=True,
        loader=load_cifar,
    ),
)
DATASETS.register(
    "folder",
    DatasetInfo(
        title="Picture folder",
        description="Your own pictures: one sub-folder per class, with or without train/ and "
        "test/ above them.",
        needs_path=True,
        can_fetch=False,
        loader=load_folder,
    ),
)
DATASETS.register(
    "npz",
    DatasetInfo(
        title="Numpy file",
        description="Your own arrays: x_train and y_train (and x_test, y_test), or images and "
        "labels, as uint8 and whole numbers.",
        needs_path=True,
        can_fetch=False,
        loader=load_npz,
    ),
)

DATASETS.register(
    "imported",
    DatasetInfo(
        title="Imported data set",
        description="Your own images, imported once under Datasets or with `data import`; the "
        "path is the name that they were given there.",
        needs_path=True,
        can_fetch=False,
        loader=load_imported,
        path_problem=lambda name: problem_of(name, data_folder() / "datasets"),
    ),
)


def load(spec: DataSpec, cache_dir: Path | None = None) -> ImageData:
    """Load a data set and bring its images to `spec.resolution` if that is set.

    Args:
        spec: name, path and resolution; its splits and augmentation play no part here.
        cache_dir: folder of downloaded archives, by default `cifar.default_cache_dir()`.

    Raises:
        DataError: unknown name, missing path, or data that cannot be used.
    """
    if spec.name not in DATASETS:
        raise DataError(
            f"data.name: there is no data set `{spec.name}`; known are "
            f"{', '.join(DATASETS.names())}."
        )
    info = DATASETS[spec.name]
    if info.needs_path and spec.path is None:
        raise DataError(f"data.path: the data set `{spec.name}` needs a path; give one.")
    data = info.loader(spec, cache_dir)
    if spec.resolution is None:
        return data
    tests = data.test_images
    return replace(
        data,
        images=resize_images(data.images, spec.resolution),
        test_images=None if tests is None else resize_images(tests, spec.resolution),
    )
