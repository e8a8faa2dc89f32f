"""The contract of a deriver and the registry of all of them. No torch here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.core.architecture import Architecture
from engine.core.registry import Registry
from engine.core.space import Space

# (space, what each option of each choice of `Space.mixture` counts, how many) to architectures
# of different canonical forms, best first; fewer where the space has no more.
Deriver = Callable[[Space, Sequence[Sequence[float]], int], list[Architecture]]
DERIVERS: Registry[Deriver] = Registry("deriver", "algorithm")
