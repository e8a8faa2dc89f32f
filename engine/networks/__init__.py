"""What choices build: operations, cells, super-nets, routes. One network file a space."""

from __future__ import annotations

import importlib

from engine.networks.builder import build_stand_alone, build_supernet
from engine.networks.norm import Norm, NormPolicy, normalised_sum
from engine.networks.route import Route
from engine.networks.stack import Stack
from engine.networks.supernet import SuperNet

for _name in ("nb201",):
    importlib.import_module(f"{__name__}.{_name}")

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
