"""The catalogue's dictionary, made from the models themselves."""

from __future__ import annotations

from typing import Any

from engine.metrics.catalogue import METRICS
from engine.recipes import RECIPES
from engine.spaces import SPACES
from engine.spec.experiment import ExperimentSpec

DATASETS = (
    ("digits", "Handwritten digits", "1,797 real 8 × 8 digits, bundled.", False),
    ("cifar10", "CIFAR-10", "60,000 photographs in 10 classes.", True),
    ("folder", "Own pictures in folders", "One sub-folder of pictures per class.", True),
)


def sample_catalog() -> dict[str, Any]:
    """Return what `engine.catalog.load_catalog` returns."""
    return {
        "spaces": [
            {
                "name": n,
                "title": s.title,
                "source": s.source,
                "help": s.help,
                "size": s.size,
                "choices": [{"name": c.name, "options": list(c.options)} for c in s.choices],
            }
            for n, s in SPACES.items()
        ],
        "algorithms": [
            {
                "name": n,
                "title": r.title,
                "source": r.source,
                "help": r.help,
                "settings_schema": r.settings.model_json_schema(),
            }
            for n, r in RECIPES.items()
        ],
        "datasets": [
            {"name": n, "title": t, "description": d, "needs_path": p} for n, t, d, p in DATASETS
        ],
        "addons": [{"name": "landmark", "title": "Landmark regularisation"}],
        "metrics": [
            {"name": m.name, "title": m.title, "definition": m.definition, "unit": m.unit}
            for m in METRICS
        ],
        "schema": ExperimentSpec.model_json_schema(),
    }
