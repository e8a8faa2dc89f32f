"""What learns which architectures are good. One file a learner; importing this registers all."""

from __future__ import annotations

import importlib
import pkgutil

from engine.learners.registry import LEARNED, LEARNERS, Learner, LearnerContext, Step

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["LEARNED", "LEARNERS", "Learner", "LearnerContext", "Step"]
