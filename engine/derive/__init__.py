"""From what was learned to architectures. One file each; importing this registers all."""

from __future__ import annotations

import importlib
import pkgutil

from engine.derive.registry import DERIVERS, Deriver

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["DERIVERS", "Deriver"]
