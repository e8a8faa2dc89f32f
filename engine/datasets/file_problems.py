"""What is wrong with single files of an import, gathered so that all can be mended at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.spec.errors import DataError

MOST_LISTED = 20


@dataclass
class FileProblems:
    """Files that cannot be used, each with its reason.

    Attributes:
        listed: (file, reason) of the first `MOST_LISTED`.
        count: how many there are altogether.
    """

    listed: list[tuple[str, str]] = field(default_factory=list)
    count: int = 0

    def add(self, name: str, reason: str) -> None:
        """Take one more file."""
        self.count += 1
        if len(self.listed) < MOST_LISTED:
            self.listed.append((name, reason))

    def to_json(self) -> dict[str, Any]:
        """Return the files with their reasons, and how many more there are."""
        files = [{"file": name, "reason": reason} for name, reason in self.listed]
        return {"count": self.count, "files": files}


class UnusableFilesError(DataError):
    """Some files of an import cannot be used, and leaving them out was not asked for.

    Args:
        problems: which, and why.
        of: number of files that were looked at.
    """

    def __init__(self, problems: FileProblems, of: int) -> None:
        self.problems = problems
        super().__init__(
            f"{problems.count} of {of} files cannot be used: {_list(problems.listed)}"
            f"{_more(problems)}. Mend them, or leave them out with --skip-unreadable; nothing was "
            f"imported."
        )


def _list(listed: Sequence[tuple[str, str]]) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in listed)


def _more(problems: FileProblems) -> str:
    rest = problems.count - len(problems.listed)
    return f"; and {rest} more" if rest else ""
