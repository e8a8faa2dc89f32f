"""From the names of files to parts and classes: one folder per class, train/ and test/ above.

cat/1.jpg, dog/2.png                              no test set; one is split off later
train/cat/1.jpg, test/cat/9.jpg                   test/ may also be called val/
photos/cat/1.jpg, photos/dog/2.png                a folder around everything is passed over
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from engine.datasets.folder import TESTS, TRAIN
from engine.datasets.pictures import SUFFIXES
from engine.spec.errors import DataError

_CLUTTER = ("__MACOSX", "Thumbs.db")


@dataclass(frozen=True)
class Placed:
    """A picture and what its place says of it.

    Attributes:
        name: as the source calls it.
        test: it belongs to the test set.
        label: its class.
    """

    name: str
    test: bool
    label: str


@dataclass(frozen=True)
class Tree:
    """All pictures in the order of part, class and name.

    Attributes:
        placed: the pictures.
        misplaced: (name, reason) of pictures that lie in no class.
        classes: names, sorted.
        note: what was left out, for people; empty where nothing was.
    """

    placed: tuple[Placed, ...]
    misplaced: tuple[tuple[str, str], ...]
    classes: tuple[str, ...]
    note: str

    @property
    def has_test(self) -> bool:
        """Tell whether there is a test set."""
        return any(item.test for item in self.placed)


def read_tree(names: Iterable[str], where: str) -> Tree:
    """Sort pictures by part and class.

    Args:
        names: paths with `/`, relative to the source; folders end in `/` and are passed over.
        where: the source, for messages.

    Raises:
        DataError: no pictures, fewer than two classes, or parts with different classes.
    """
    pictures, others = _pictures(names)
    if not pictures:
        raise DataError(f"{where}: there are no pictures in it ({', '.join(sorted(SUFFIXES))}).")
    around = _folder_around(pictures)
    inner = {name: parts[around:] for name, parts in pictures.items()}
    parted = any(parts[0].lower() == TRAIN and len(parts) > 2 for parts in inner.values())
    test_name = _test_folder(inner.values()) if parted else None
    placed, misplaced, unused = [], [], set()
    for name, parts in inner.items():
        part = parts[0].lower() if parted else TRAIN
        if parted and part not in (TRAIN, test_name):
            if part in TESTS:
                unused.add(f"{part}/ not used")
            else:
                misplaced.append((name, "lies beside train/ and belongs to no part"))
            continue
        below = parts[1:] if parted else parts
        if len(below) != 2:
            where_to = "in no class folder" if len(below) < 2 else "deeper than its class folder"
            misplaced.append((name, f"lies {where_to}"))
            continue
        placed.append(Placed(name, part != TRAIN, below[0]))
    placed.sort(key=lambda item: (item.test, item.label, item.name))
    notes = sorted(unused) + ([_counted(others)] if others else [])
    classes = _classes(placed, misplaced, where)
    return Tree(tuple(placed), tuple(misplaced), classes, ", ".join(notes))


def _pictures(names: Iterable[str]) -> tuple[dict[str, tuple[str, ...]], int]:
    """Return the parts of each picture's path by its name, and how many other files there are."""
    pictures, others = {}, 0
    for name in names:
        parts = PurePosixPath(name).parts
        if name.endswith("/") or any(part.startswith(".") or part in _CLUTTER for part in parts):
            continue
        if PurePosixPath(name).suffix.lower() in SUFFIXES:
            pictures[name] = parts
        else:
            others += 1
    return pictures, others


def _folder_around(pictures: dict[str, tuple[str, ...]]) -> int:
    """Return how many folders lie around everything, the folder of the training part apart."""
    paths = list(pictures.values())
    depth = 0
    while (
        all(len(parts) >= depth + 3 for parts in paths)
        and len({parts[depth] for parts in paths}) == 1
        and paths[0][depth].lower() != TRAIN
    ):
        depth += 1
    return depth


def _test_folder(paths: Iterable[Sequence[str]]) -> str | None:
    there = {parts[0].lower() for parts in paths}
    return next((name for name in TESTS if name in there), None)


def _classes(
    placed: Sequence[Placed], misplaced: Sequence[tuple[str, str]], where: str
) -> tuple[str, ...]:
    train = {item.label for item in placed if not item.test}
    test = {item.label for item in placed if item.test}
    if len(train) < 2:
        found = f"only one class, `{min(train)}`" if train else "no classes"
        hint = f"; for example, {misplaced[0][0]} {misplaced[0][1]}" if misplaced else ""
        raise DataError(
            f"{where}: there is {found}{hint}. Make one folder per class, at least two, with or "
            f"without train/ and test/ above them."
        )
    lacking = sorted(train ^ test) if test else []
    if lacking:
        part = "test" if lacking[0] in train else "training"
        raise DataError(
            f"{where}: the class `{lacking[0]}` has no pictures in the {part} part; both parts "
            f"must have the same classes."
        )
    return tuple(sorted(train))


def _counted(others: int) -> str:
    return f"{others} other file{'s' if others > 1 else ''} ignored"
