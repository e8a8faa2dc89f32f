"""How somebody outside asks a run to pause or stop."""

from __future__ import annotations

from typing import Literal, Protocol

Wish = Literal["pause", "stop"]


class Control(Protocol):
    """Asked at every training step; must be cheap and must not raise."""

    def wish(self) -> Wish | None:
        """Return what is wished, or None to go on."""
        ...


class NoControl:
    """Nobody interferes."""

    def wish(self) -> Wish | None:
        """Go on."""
        return None


class FlagControl:
    """A wish set from the same process, for the terminal's Ctrl-C and for tests."""

    def __init__(self) -> None:
        self.flag: Wish | None = None

    def wish(self) -> Wish | None:
        """Return the flag."""
        return self.flag
