"""Python source of found architectures: one file a space; importing this registers all."""

from __future__ import annotations

import importlib
import pkgutil

from engine.export.sources.registry import SOURCES, Selects, Source, Translates, get_source

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["SOURCES", "Selects", "Source", "Translates", "get_source"]
