"""A data set at Hugging Face, by its id, from its parquet form; none of its code is ever run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.datasets.file_problems import FileProblems
from engine.datasets.hub_columns import Columns, find_columns
from engine.datasets.hub_files import HubFile, Listing, fetch_files, list_files
from engine.datasets.image_data import ImageData
from engine.datasets.picture_files import PictureFile, Report, read_all
from engine.spec.errors import DataError

TRAIN_SPLITS = ("train", "training")
TEST_SPLITS = ("test", "validation", "valid", "val", "dev")
NO_SPLIT = "none"
MOST_CLASSES = 10_000
_ROWS = 128


@dataclass(frozen=True)
class HubChoice:
    """What to take; what is empty is found.

    Attributes:
        config: configuration, or subset.
        train, test: splits; `none` for `test` takes no test set.
        image, label: columns.
    """

    config: str = ""
    train: str = ""
    test: str = ""
    image: str = ""
    label: str = ""


def read_hub(
    dataset: str,
    cache_dir: Path,
    choice: HubChoice,
    resolution: int | None,
    skip: bool,
    report: Report,
) -> tuple[ImageData, FileProblems]:
    """Fetch and read a data set.

    Downloads stay in `<cache_dir>/downloads` until the data set could be read, so that another
    try does not fetch them again.

    Raises:
        DataError: it cannot be fetched, or has no pictures with class labels.
    """
    import pyarrow as pa  # takes a moment to load: only when used

    report("Asking Hugging Face", 0, None)
    listing = list_files(dataset)
    config, train, test = choose(listing, choice)
    wanted = [f for f in listing.files if f.config == config and f.split in (train, test)]
    paths = fetch_files(wanted, cache_dir / "downloads", report)
    try:
        result = _read(dataset, wanted, paths, test, choice, resolution, skip, report)
    except (pa.ArrowException, OSError) as error:
        for path in paths:
            path.unlink(missing_ok=True)
        raise DataError(f"{dataset}: its parquet files cannot be read ({error}).") from None
    for path in paths:
        path.unlink(missing_ok=True)
    data, problems = result
    notes = [f"configuration {config}", f"splits {train}" + (f" and {test}" if test else "")]
    notes += ["only its beginning, as converted there"] if listing.partial else []
    notes += [f"{problems.count} unusable left out"] if problems.count else []
    return ImageData(
        "imported",
        data.images,
        data.labels,
        data.test_images,
        data.test_labels,
        data.classes,
        f"huggingface.co/datasets/{dataset} ({', '.join(notes)})",
    ), problems


def choose(listing: Listing, choice: HubChoice) -> tuple[str, str, str]:
    """Return configuration, training split and test split (empty where there is none).

    Raises:
        DataError: what was asked for is not there, or several could be meant.
    """
    configs = list(dict.fromkeys(file.config for file in listing.files))
    usual = ("default",) if len(configs) > 1 else tuple(configs)
    config = _one_of("configuration", "--config", choice.config, configs, usual)
    splits = list(dict.fromkeys(f.split for f in listing.files if f.config == config))
    usual = TRAIN_SPLITS if len(splits) > 1 else tuple(splits)
    train = _one_of("split to train with", "--train-split", choice.train, splits, usual)
    if choice.test == NO_SPLIT:
        return config, train, ""
    others = [split for split in splits if split != train]
    if choice.test:
        return config, train, _one_of("test split", "--test-split", choice.test, others, ())
    return config, train, next((split for split in TEST_SPLITS if split in others), "")


def _one_of(
    what: str, option: str, wanted: str, there: Sequence[str], usual: Sequence[str]
) -> str:
    if wanted:
        if wanted not in there:
            raise DataError(
                f"{option}: there is no {what} `{wanted:.80}`; there are: {', '.join(there)}."
            )
        return wanted
    for name in usual:
        if name in there:
            return name
    raise DataError(f"{option}: choose a {what}; there are: {', '.join(there)}.")


# -- reading ------------------------------------------------------------------------------------
class _Rows:
    """The pictures of parquet files, row by row, in pieces."""

    def __init__(self, paths: Sequence[Path], files: Sequence[HubFile], image: str) -> None:
        from pyarrow import parquet

        self._tables = [
            (file.split, parquet.ParquetFile(path))
            for path, file in zip(paths, files, strict=True)
        ]
        self._image = image

    def __len__(self) -> int:
        return sum(table.metadata.num_rows for _, table in self._tables)

    def chunks(self) -> Iterator[Sequence[PictureFile]]:
        """Yield the pictures in pieces."""
        done: dict[str, int] = {}
        for split, table in self._tables:
            for batch in table.iter_batches(_ROWS, columns=[self._image]):
                start = done.get(split, 0)
                done[split] = start + batch.num_rows
                values = batch.column(0).to_pylist()
                yield [_picture(f"{split}, row {start + n}", v) for n, v in enumerate(values)]


def _picture(name: str, value: Any) -> PictureFile:
    data = value.get("bytes") if isinstance(value, dict) else value
    if not isinstance(data, bytes):
        return PictureFile(name, b"", "it has no picture")
    return PictureFile(name, data)


def _read(
    dataset: str,
    files: Sequence[HubFile],
    paths: Sequence[Path],
    test: str,
    choice: HubChoice,
    resolution: int | None,
    skip: bool,
    report: Report,
) -> tuple[ImageData, FileProblems]:
    from pyarrow import parquet

    columns = find_columns(parquet.read_schema(paths[0]), choice.image, choice.label)
    tables = [parquet.read_table(path, columns=[columns.label]) for path in paths]
    values = [value for table in tables for value in table.column(0).to_pylist()]
    is_test = np.repeat([file.split == test for file in files], [len(table) for table in tables])
    classes, labels = _labels(dataset, columns, values)
    rows = _Rows(paths, files, columns.image)
    images, kept, problems = read_all(rows, resolution, skip, report)
    unlabelled = int((labels[kept] < 0).sum())
    if unlabelled:
        raise DataError(
            f"{dataset}: {unlabelled} of its pictures have no class; choose another split or "
            "another --label-column."
        )
    labels, is_test = labels[kept], is_test[kept]
    tested = bool(test)
    return ImageData(
        "imported",
        images[~is_test],
        labels[~is_test],
        images[is_test] if tested else None,
        labels[is_test] if tested else None,
        classes,
        dataset,
    ), problems


def _labels(
    dataset: str, columns: Columns, values: Sequence[Any]
) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the classes and each row's number, −1 for a row without a class."""
    if columns.classes is not None:
        count = len(columns.classes)
        numbers = [v if isinstance(v, int) and 0 <= v < count else -1 for v in values]
        return columns.classes, np.array(numbers, np.int64)
    known = {value for value in values if isinstance(value, (int, str))}
    if len(known) > MOST_CLASSES or len({type(value) for value in known}) > 1:
        raise DataError(
            f"{dataset}: the column `{columns.label}` has {len(known)} different values, which "
            "are no classes; name another with --label-column."
        )
    ordered = sorted(known)  # type: ignore[type-var]  # of one type
    number = {value: place for place, value in enumerate(ordered)}
    return tuple(map(str, ordered)), np.array([number.get(v, -1) for v in values], np.int64)
