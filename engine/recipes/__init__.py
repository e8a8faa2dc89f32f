"""Published algorithms as rows of data. One file each; importing this package registers all."""

from __future__ import annotations

import importlib
import pkgutil

from engine.recipes.registry import RECIPES, Recipe

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["RECIPES", "Recipe"]
