"""Search spaces: what can be chosen. One file a space; importing this package registers all."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from engine.core.space import Space
from engine.spaces.registry import SPACES

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")


def get_space(name: str, settings: Mapping[str, Any] | None = None) -> Space:
    """Return a space with the given settings.

    Args:
        name: registered name.
        settings: the `space_settings` of an experiment; None: the defaults.

    Raises:
        SpecError: no such space, or a wrong setting, named at its field.
    """
    if not settings:
        return SPACES[name]
    return _configured(name, json.dumps(settings, default=str))


@lru_cache(maxsize=64)
def _configured(name: str, settings: str) -> Space:
    space = SPACES[name]
    return space.configured(space.read_settings(json.loads(settings)))


__all__ = ["SPACES", "get_space"]
