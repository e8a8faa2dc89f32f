"""`ranking.csv` and `landmarks.csv` of a run folder: written, and read back. No torch here."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.export.files import read_file, write_file
from engine.spec.errors import ArchitectureError, ExportError
from engine.spec.network import NetworkSpec

RANKING = (
    "architecture",
    "text",
    "super_net_accuracy",
    "ground_truth",
    "is_landmark",
    "params",
    "flops",
)
LANDMARKS = ("round", "architecture", "text", "value")


class KnownArchitecture(Protocol):
    """A landmark: what it is, its stand-alone accuracy, the round in which it joined."""

    @property
    def architecture(self) -> Architecture:
        """Which one."""
        ...

    @property
    def value(self) -> float:
        """Stand-alone accuracy in percent."""
        ...

    @property
    def round(self) -> int:
        """From 1."""
        ...


@dataclass(frozen=True)
class RankingRow:
    """A line of `ranking.csv`; accuracies in percent, None where unknown."""

    architecture: Architecture
    text: str
    super_net_accuracy: float | None
    ground_truth: float | None
    is_landmark: bool
    params: int
    flops: int


def write_ranking(
    path: Path,
    space: Space,
    network: NetworkSpec,
    sample: Sequence[Architecture],
    scores: Sequence[float | None],
    truth: Sequence[float | None],
    landmarks: Collection[Architecture] = (),
) -> Path:
    """Write `ranking.csv`, one line per architecture in the order given.

    Args:
        path: the file.
        space: of all architectures.
        network: skeleton for parameters and FLOPs.
        sample: the architectures.
        scores: super-net accuracy of each in percent, None where not evaluated; an empty
            sequence where none was.
        truth: stand-alone accuracy of each in percent, None where unknown; may be empty, too.
        landmarks: architectures to mark as landmarks.

    Raises:
        ExportError: sequences of different lengths; the file cannot be written.
    """
    scores, truth = (values or [None] * len(sample) for values in (scores, truth))
    if not len(sample) == len(scores) == len(truth):
        raise ExportError(
            f"A ranking of {len(sample)} architectures cannot have {len(scores)} super-net "
            f"accuracies and {len(truth)} stand-alone accuracies."
        )
    rows = []
    for architecture, score, value in zip(sample, scores, truth, strict=True):
        cost = space.cost(architecture, network)
        known = "true" if architecture in landmarks else "false"
        text = space.to_text(architecture)
        rows.append([architecture, text, score, value, known, cost.params, cost.flops])
    return write_file(path, _csv(RANKING, rows))


def read_ranking(path: Path, space: Space) -> list[RankingRow]:
    """Read `ranking.csv`.

    Raises:
        ExportError: not such a file; the message names the line.
    """
    rows = []
    for line, cells in _lines(path, RANKING):
        try:
            rows.append(
                RankingRow(
                    architecture=_architecture(space, cells["architecture"], cells["text"]),
                    text=cells["text"],
                    super_net_accuracy=_number(cells["super_net_accuracy"]),
                    ground_truth=_number(cells["ground_truth"]),
                    is_landmark={"true": True, "false": False}[cells["is_landmark"]],
                    params=int(cells["params"]),
                    flops=int(cells["flops"]),
                )
            )
        except (ValueError, KeyError, ArchitectureError) as error:
            raise ExportError(f"Line {line} of {path} is damaged: {error}.") from None
    return rows


def write_landmarks(path: Path, space: Space, landmarks: Iterable[KnownArchitecture]) -> Path:
    """Write `landmarks.csv`, one line per landmark in the order given."""
    rows = [
        [known.round, known.architecture, space.to_text(known.architecture), known.value]
        for known in landmarks
    ]
    return write_file(path, _csv(LANDMARKS, rows))


def read_landmarks(path: Path, space: Space) -> list[tuple[int, Architecture, float]]:
    """Read `landmarks.csv` as (round, architecture, value).

    Raises:
        ExportError: not such a file; the message names the line.
    """
    rows = []
    for line, cells in _lines(path, LANDMARKS):
        try:
            architecture = _architecture(space, cells["architecture"], cells["text"])
            rows.append((int(cells["round"]), architecture, float(cells["value"])))
        except (ValueError, ArchitectureError) as error:
            raise ExportError(f"Line {line} of {path} is damaged: {error}.") from None
    return rows


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write lines; numbers keep all their digits, None becomes an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([repr(float(c)) if isinstance(c, float) else c for c in row])
    return text.getvalue()


def _lines(path: Path, header: Sequence[str]) -> Iterable[tuple[int, dict[str, str]]]:
    try:
        text = read_file(path).decode()
    except UnicodeDecodeError:
        raise ExportError(f"{path} is not a text file.") from None
    reader = csv.reader(io.StringIO(text))
    if next(reader, None) != list(header):
        raise ExportError(f"The first line of {path} must be `{','.join(header)}`.")
    for cells in reader:
        if len(cells) != len(header):
            raise ExportError(
                f"Line {reader.line_num} of {path} has {len(cells)} cells instead of "
                f"{len(header)}."
            )
        yield reader.line_num, dict(zip(header, cells, strict=True))


def _architecture(space: Space, code: str, text: str) -> Architecture:
    architecture = space.parse(text)
    if str(architecture) != code:
        raise ValueError(f"`{code}` is not {text}")
    return architecture


def _number(text: str) -> float | None:
    return float(text) if text else None
