"""What choices build: operations, cells, super-nets, routes. One network file a space;
importing this package registers all."""

from __future__ import annotations

import importlib
import pkgutil

from engine.networks.builder import build_stand_alone, build_supernet
from engine.networks.norm import Norm, NormPolicy, normalised_sum
from engine.networks.route import Route
from engine.networks.stack import Stack
from engine.networks.supernet import SuperNet

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = [
    "Norm",
    "NormPolicy",
    "Route",
    "Stack",
    "SuperNet",
    "build_stand_alone",
    "build_supernet",
    "normalised_sum",
]
