"""Ask/tell searchers. One file each; importing this package registers all. No torch here."""

from __future__ import annotations

import importlib
import pkgutil

from engine.searchers.registry import SEARCHERS, Searcher

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["SEARCHERS", "Searcher"]
