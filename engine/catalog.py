"""The catalogue: what the engine offers, as data for pages and other programs. No torch here."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.datasets.registry import DATASETS
from engine.metrics import definitions
from engine.recipes import RECIPES
from engine.spaces import SPACES
from engine.spec.addons import AddonsSpec
from engine.spec.experiment import ExperimentSpec

CATALOG_PATH = Path(__file__).with_name("catalog.json")
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
# Folders of examples beside the ready ones: best settings per space, and a sweep per factor.
SHELVES = ("presets", "factors")


def build_catalog() -> dict[str, Any]:
    """Collect names, schemas, capabilities, sources and help from the registries."""
    return {
        "version": 1,
        "spaces": [
            {
                "name": name,
                "title": space.title,
                "source": space.source,
                "help": space.help,
                "size": space.size,
                "provides": sorted(space.provides),
                "fixed": dict(space.fixed),
                "recomputes": space.recomputes,
                "stand_alone_options": sorted(space.stand_alone_options),
                "factors": sorted(space.factors),
                "settings_schema": space.settings.model_json_schema(),
                "choices": [asdict(choice) for choice in space.choices],
            }
            for name, space in SPACES.items()
        ],
        "algorithms": [
            {
                "name": name,
                "title": recipe.title,
                "source": recipe.source,
                "help": recipe.help,
                "slots": {
                    "paths": recipe.paths,
                    "searcher": recipe.searcher,
                    "baselines": list(recipe.baselines),
                },
                "requires": sorted(recipe.requires),
                "addons": sorted(recipe.addons),
                "settings_schema": recipe.settings.model_json_schema(),
            }
            for name, recipe in RECIPES.items()
        ],
        "datasets": [
            {
                "name": name,
                "title": info.title,
                "description": info.description,
                "needs_path": info.needs_path,
            }
            for name, info in DATASETS.items()
        ],
        "addons": [
            {"name": name, "title": name.capitalize(), "description": field.description}
            for name, field in AddonsSpec.model_fields.items()
        ],
        "metrics": definitions(),
        "schema": ExperimentSpec.model_json_schema(),
    }


def load_catalog() -> dict[str, Any]:
    """Read the checked-in copy, which pages use; a test fails when it is stale."""
    value: dict[str, Any] = json.loads(CATALOG_PATH.read_text(encoding="utf-8"))
    return value


def examples() -> dict[str, Path]:
    """Return the ready experiments by name, in the order of their file names.

    They stand in `examples/` itself, need nothing but what the workbench brings, and are what a
    newcomer is offered.
    """
    return {path.stem: path for path in sorted(EXAMPLES.glob("*.yaml"))}


def example_files() -> dict[str, Path]:
    """Return every experiment and sweep file: the ready ones, then `SHELVES` as `shelf/name`."""
    shelved = {
        f"{shelf}/{path.stem}": path
        for shelf in SHELVES
        for path in sorted((EXAMPLES / shelf).glob("*.yaml"))
    }
    return examples() | shelved
