"""The lab's results bank: every stand-alone training is kept and never repeated.

Append-only JSON lines, one file per writing process, so that many workers need no lock.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import secrets
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.spec.errors import TableError

VERSION = 1


@dataclass(frozen=True)
class BankRow:
    """One finished training.

    Attributes:
        space: name of the space.
        canonical: canonical form of the architecture within it.
        text: architecture in the field's notation.
        protocol: hash of data, network and training settings.
        replicate: which initialisation, from 0.
        held_out: accuracy on the held-out part, percent.
        test: accuracy on the test part, percent.
        loss: cross-entropy on the held-out part.
        seconds: training time.
        version: format of the row.
    """

    space: str
    canonical: str
    text: str
    protocol: str
    replicate: int
    held_out: float
    test: float
    loss: float
    seconds: float
    version: int = VERSION

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What the row answers."""
        return self.space, self.canonical, self.protocol, self.replicate


class Bank:
    """Rows of all files of a folder, plus a file of our own for new ones.

    Args:
        folder: made when the first row is added.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rows: dict[tuple[str, str, str, int], BankRow] = {}
        name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        self._own = folder / name
        self._read: dict[Path, tuple[int, int]] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read what other writers have added; a half-written last line is left for later.

        Raises:
            TableError: a line is damaged; the message names file and line.
        """
        if not self.folder.is_dir():
            return
        for path in sorted(self.folder.glob("*.jsonl")):
            if path != self._own:
                self._read_new(path)

    def _read_new(self, path: Path) -> None:
        offset, lines = self._read.get(path, (0, 0))
        if path.stat().st_size == offset:
            return
        with open(path, "rb") as file:
            file.seek(offset)
            data = file.read()
        complete = data[: data.rfind(b"\n") + 1]
        found = complete.splitlines()
        for number, line in enumerate(found, start=lines + 1):
            row = parse_row(line, f"line {number} of {path}")
            self._rows.setdefault(row.key, row)
        self._read[path] = offset + len(complete), lines + len(found)

    def get(self, space: str, canonical: str, protocol: str, replicate: int) -> BankRow | None:
        """Return a stored result, or None."""
        return self._rows.get((space, canonical, protocol, replicate))

    def add(self, row: BankRow) -> None:
        """Store a result on disk at once; an existing one for the same key is kept.

        Raises:
            TableError: the disk is full or not writable.
        """
        if row.key in self._rows:
            return
        line = json.dumps(asdict(row), allow_nan=False) + "\n"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with open(self._own, "a", encoding="utf-8") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise TableError(
                f"Cannot write to the results bank {self.folder}: {error.strerror}. "
                "Free some disk space or set NASW_DATA to another folder."
            ) from error
        self._rows[row.key] = row

    def weights_path(self, row: BankRow) -> Path | None:
        """Return the file of trained weights of a row, or None where it is gone."""
        path = self._weights(row)
        return path if path.is_file() else None

    def _weights(self, row: BankRow) -> Path:
        # The text too: two writers may have trained equal networks under different encodings.
        parts = (*row.key, row.text)
        name = hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:32]
        return self.folder / "weights" / f"{name}.safetensors"

    def keep_weights(self, row: BankRow, data: bytes) -> None:
        """Store a row's weights, already in safetensors form.

        Raises:
            TableError: the disk is full or not writable.
        """
        path = self._weights(row)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(data)
            os.replace(temporary, path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise TableError(
                f"Cannot keep weights in {path.parent}: {error.strerror}. Free some disk space."
            ) from error

    def rows(self) -> list[BankRow]:
        """Return all rows."""
        return list(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)


def parse_row(line: bytes, where: str) -> BankRow:
    """Read a line of a bank's file.

    Args:
        line: the line.
        where: what messages call it.

    Raises:
        TableError: it is damaged or of another version.
    """
    try:
        value = json.loads(line)
        version = value.get("version", 1)
        if version != VERSION:
            raise TableError(
                f"In the results bank, {where} was written by another version ({version}; this "
                f"one reads {VERSION}). Move the file away."
            )
        row = BankRow(**value)
        _check_types(row)
    except (ValueError, TypeError, AttributeError) as error:
        raise TableError(
            f"In the results bank, {where} is damaged ({error}); remove that line and keep the "
            "rest."
        ) from None
    return row


def _check_types(row: BankRow) -> None:
    for name in ("space", "canonical", "text", "protocol"):
        if not isinstance(getattr(row, name), str):
            raise TypeError(f"`{name}` is no text")
    for name in ("replicate", "held_out", "test", "loss", "seconds"):
        number = getattr(row, name)
        if type(number) not in (int, float) or not math.isfinite(number):
            raise TypeError(f"`{name}` is no number")
