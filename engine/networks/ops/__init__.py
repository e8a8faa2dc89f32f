"""Operations that options build. One file a family; importing this package registers all."""

from __future__ import annotations

import importlib
import pkgutil

from engine.networks.ops.registry import OPS, Op

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["OPS", "Op"]
