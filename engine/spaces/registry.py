"""The registry of search spaces."""

from __future__ import annotations

from engine.core.registry import Registry
from engine.core.space import Space

SPACES: Registry[Space] = Registry("search space", "space")


def register_space(space: Space) -> Space:
    """Register an instance under its own name."""
    return SPACES.register(space.name, space)
