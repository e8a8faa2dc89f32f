"""Search spaces: what can be chosen. One file a space; importing this package registers all."""

from __future__ import annotations

import importlib
import pkgutil

from engine.core.space import Space
from engine.spaces.registry import SPACES

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")


def get_space(name: str) -> Space:
    """Return the registered space.

    Raises:
        SpecError: no such space.
    """
    return SPACES[name]


__all__ = ["SPACES", "get_space"]
