"""The science of NAS Workbench: spaces, super-nets, searches, metrics, and the run folder.

Runs without the page, the workers and Redis. Imports point down only (docs/architecture.md).
"""

__version__ = "0.1.0"
