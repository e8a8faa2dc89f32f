"""Which sub-nets a training step runs. One file a policy; importing this package registers all."""

from __future__ import annotations

import importlib
import pkgutil

from engine.paths.registry import PATHS, PathContext, PathPolicy

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["PATHS", "PathContext", "PathPolicy"]
