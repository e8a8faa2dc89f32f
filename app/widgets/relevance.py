"""Which settings have an effect, given everything else that was chosen.

A setting that has none is not drawn; `Form` still draws one that is at fault, so that whatever a
file brought along can be corrected.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.widgets.parts import RecipePart, SpacePart, Value
from app.widgets.schema import at
from engine.core import capabilities
from engine.recipes import RECIPES
from engine.spec.network import SharingSpec
from engine.spec.training import StandAloneSpec

# What the data decides when a run starts.
TAKEN_FROM_DATA = ("network.classes", "network.input_channels", "network.resolution")
# The skeleton of found networks, which is counted and exported even where none is trained.
SKELETON = frozenset({"channels", "cells", "affine"})
_OPTIONS = ("auxiliary_weight", "drop_path")
_WITHOUT_PATH = ("digits",)


def irrelevant(value: Value, space: SpacePart, recipe: RecipePart) -> frozenset[str]:
    """Return the dotted fields that change nothing, or nothing that is allowed.

    Args:
        value: the experiment as the form holds it.
        space: of `parts.space_part`.
        recipe: of `parts.recipe_part`.
    """
    rules = (_data, _network, _sharing, _search, _evaluation, _stand_alone)
    return frozenset(path for rule in rules for path in rule(value, space, recipe))


def _data(value: Value, space: SpacePart, recipe: RecipePart) -> Iterator[str]:
    if at(value, "data.name") in _WITHOUT_PATH:
        yield "data.path"
    if at(value, "data.held_out_images") is not None:
        yield "data.held_out_fraction"


def _network(value: Value, space: SpacePart, recipe: RecipePart) -> Iterator[str]:
    yield from TAKEN_FROM_DATA
    for name in space.fixed:
        yield f"network.{name}"
        yield f"stand_alone.{name}"
    if not space.recomputes:
        yield "super_net.recompute"
    if recipe.uses_all:
        yield "super_net.unsampled"
    trains = at(value, "evaluation.ground_truth.source") == "train"
    if not trains and at(value, "network.norm.statistics") != "moving":
        yield "network.norm.momentum"


def _sharing(value: Value, space: SpacePart, recipe: RecipePart) -> Iterator[str]:
    hidden = set(SharingSpec.model_fields) - space.factors
    chosen = at(value, "network.sharing.operations_on")
    place = space.operations_on if chosen in (None, "default") else chosen
    norm = at(value, "network.norm") or {}
    nothing_to_keep = not norm.get("affine") and norm.get("statistics") == "batch"
    if place == "edge" or nothing_to_keep:
        hidden.add("edge_norms")
    if capabilities.WIDTH_MIXTURE in recipe.requires:
        hidden.add("dynamic_channels")
    if "partial_channels" in recipe.settings:
        hidden.add("partial_channels")
    yield from (f"network.sharing.{name}" for name in hidden)


def _search(value: Value, space: SpacePart, recipe: RecipePart) -> Iterator[str]:
    if not recipe.evolves:
        yield "search.parents"
        yield "search.mutation"


def _evaluation(value: Value, space: SpacePart, recipe: RecipePart) -> Iterator[str]:
    if recipe.mixes:
        yield "evaluation.forgetting"
    if at(value, "addons.landmark") is None:
        yield "evaluation.ground_truth.landmark_column"


def _stand_alone(value: Value, space: SpacePart, recipe: RecipePart) -> Iterator[str]:
    for name in _OPTIONS:
        if name not in space.stand_alone_options:
            yield f"stand_alone.{name}"
    if at(value, "evaluation.ground_truth.source") == "table":
        rest = set(StandAloneSpec.model_fields) - SKELETON
        yield from (f"stand_alone.{name}" for name in rest)


def refusals(recipe: RecipePart, addons: tuple[str, ...], algorithm: str) -> dict[str, str]:
    """Say of each add-on that an algorithm does not take why it is off, by dotted path."""
    found = {}
    for name in addons:
        if name not in recipe.addons:
            fitting = [RECIPES[n].title for n in RECIPES.names() if name in RECIPES[n].addons]
            found[f"addons.{name}"] = (
                f"{algorithm} cannot be combined with it. Algorithms that can: "
                f"{', '.join(fitting) or 'none'}."
            )
    return found
