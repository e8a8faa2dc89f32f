"""For all tests: generated examples have no deadline, as machines are busy at times."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("workbench", deadline=None)
settings.load_profile("workbench")
