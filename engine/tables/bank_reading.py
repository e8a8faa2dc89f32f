"""The results bank for people who look at it: sound rows, what is damaged, and protocols in words.

`Bank` refuses to answer as long as a line is damaged, since a run must not train twice what the
line may have known. Who only looks gets all sound rows, and is told of the others.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.spec.errors import TableError
from engine.tables.bank import BankRow, parse_row

PROTOCOLS = "protocols"
_HASH_LETTERS = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class BankReading:
    """What a bank holds.

    Attributes:
        rows: sound rows, one per key, in the order of files and lines.
        faults: a sentence per line or file that cannot be read.
    """

    rows: tuple[BankRow, ...]
    faults: tuple[str, ...]


def read_bank(folder: Path) -> BankReading:
    """Read all files of a bank; a half-written last line is left out."""
    rows: dict[tuple[str, str, str, int], BankRow] = {}
    faults: list[str] = []
    for path in sorted(folder.glob("*.jsonl")) if folder.is_dir() else []:
        try:
            data = path.read_bytes()
        except OSError as error:
            faults.append(f"{path} cannot be read ({error.strerror}).")
            continue
        for number, line in enumerate(data[: data.rfind(b"\n") + 1].splitlines(), start=1):
            try:
                row = parse_row(line, f"line {number} of {path}")
            except TableError as error:
                faults.append(str(error))
            else:
                rows.setdefault(row.key, row)
    return BankReading(tuple(rows.values()), tuple(faults))


def stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what changes when something is added to a bank: names, sizes, times of its files."""
    if not folder.is_dir():
        return ()
    files = [*folder.glob("*.jsonl"), *(folder / PROTOCOLS).glob("*.json")]
    states = [(path.name, path.stat()) for path in sorted(files)]
    return tuple((name, state.st_size, state.st_mtime_ns) for name, state in states)


def keep_protocol(folder: Path, protocol: str, content: Mapping[str, Any]) -> None:
    """Keep what a protocol's hash stands for, beside the rows.

    Args:
        folder: of the bank.
        protocol: the hash.
        content: sections `data`, `network` and `training`, as JSON.

    Raises:
        TableError: the disk is full or not writable.
    """
    path = folder / PROTOCOLS / f"{protocol}.json"
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")
        os.replace(draft, path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise TableError(
            f"Cannot write to the results bank {folder}: {error.strerror}. "
            "Free some disk space or set NASW_DATA to another folder."
        ) from error


def read_protocol(folder: Path, protocol: str) -> dict[str, Any] | None:
    """Return what `keep_protocol` kept; None where nothing is known or the file is damaged."""
    if not protocol or not set(protocol) <= _HASH_LETTERS:
        return None  # a row can name anything, also a path
    try:
        text = (folder / PROTOCOLS / f"{protocol}.json").read_text(encoding="utf-8")
        value = json.loads(text)
    except (OSError, ValueError):
        return None
    known = isinstance(value, dict) and all(
        isinstance(value.get(name), dict) for name in ("data", "network", "training")
    )
    return value if known else None
