"""Every exception whose message is meant for the person at the page or the terminal.

A message is one or two plain sentences: what was given, what is allowed, what to do. Pages and
the command line print it as it is; a run that ends with one is marked failed with it.
"""

from __future__ import annotations


class WorkbenchError(Exception):
    """Base of all errors with a user-facing sentence."""


class SpecError(WorkbenchError):
    """A field of an experiment file is missing, unknown, of a wrong type or impossible.

    Args:
        field: dotted path of the field, such as `landmarks.rounds`; empty for the whole file.
        problem: what is wrong with the given value and what is allowed.
    """

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        self.problem = problem
        super().__init__(f"{field}: {problem}" if field else problem)


class CompositionError(SpecError):
    """The parts are valid by themselves but cannot run together."""


class ArchitectureError(WorkbenchError):
    """An architecture text or encoding does not belong to its space."""


class DataError(WorkbenchError):
    """A data set cannot be found, read, or used as it is."""


class TableError(WorkbenchError):
    """A ground-truth table is damaged, of another version, or lacks what is asked of it."""


class TrainingError(WorkbenchError):
    """Training cannot go on, for example because the loss is not finite."""


class RunError(WorkbenchError):
    """A run folder is missing, damaged, owned by somebody else, or in the wrong state."""


class ExportError(WorkbenchError):
    """An architecture or run cannot be exported as asked."""


class StoreError(WorkbenchError):
    """The Redis-compatible store cannot be started or reached."""


class StopRequested(BaseException):
    """The user asked the run to pause or stop; raised after the checkpoint is on disk.

    Not an `Exception`, so that no handler of errors can mistake it for one.
    """

    def __init__(self, wish: str) -> None:
        self.wish = wish
        super().__init__(wish)
