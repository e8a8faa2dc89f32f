"""What a data set is, in words and numbers."""

from __future__ import annotations

import time
from datetime import datetime

from app.lab_datasets import Known
from app.widgets import numbers
from engine.datasets.preview import Preview


def short(preview: Preview) -> dict[str, object]:
    """Return what a card tells."""
    test = preview.counts.test
    return {
        "Training images": numbers.count(sum(preview.counts.train)),
        "Test images": "none, split off by a run" if test is None else numbers.count(sum(test)),
        "Classes": _classes(preview),
        "Images": _pixels(preview),
    }


def long(item: Known, preview: Preview) -> dict[str, object]:
    """Return what the page of a data set tells."""
    found = short(preview) | {
        "Mean per channel": _each(preview.mean),
        "Deviation per channel": _each(preview.std),
        "Comes from": preview.source,
        "Fingerprint": preview.fingerprint,
    }
    if item.imported is not None:
        moment = datetime.fromisoformat(item.imported.imported).timestamp()
        found["Imported"] = numbers.clock(moment, time.time(), numbers.zone())
    found["In an experiment file"] = _named(item)
    return found


def _classes(preview: Preview) -> str:
    names = preview.classes
    listed = ", ".join(names[:12])
    return f"{len(names)} ({listed}{', …' if len(names) > 12 else ''})"


def _pixels(preview: Preview) -> str:
    colour = "grey" if preview.channels == 1 else "colour"
    return f"{preview.width} × {preview.height} pixels, {colour}"


def _each(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.3f}" for value in values)


def _named(item: Known) -> str:
    path = f", path: {item.spec.path}" if item.spec.path else ""
    return f"data: {{name: {item.spec.name}{path}}}"
