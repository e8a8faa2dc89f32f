"""From a valid spec to a run, or the reasons why its parts cannot run together. No torch here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from engine.core import capabilities
from engine.core.space import Space
from engine.datasets.registry import DATASETS
from engine.lab_folders import data_folder
from engine.metrics import METRICS
from engine.recipes import RECIPES, Recipe
from engine.recipes.settings import PartialChannelSettings
from engine.spaces import SPACES, get_space
from engine.spec.errors import CompositionError, SpecError, TableError
from engine.spec.experiment import ExperimentSpec
from engine.spec.network import NetworkSpec
from engine.spec.settings import validate_settings
from engine.tables.lookup import check_source

# Fields of `StandAloneSpec` that only some networks offer; 0 is off.
_STAND_ALONE_OPTIONS = ("auxiliary_weight", "drop_path")


def check(spec: ExperimentSpec) -> list[SpecError]:
    """Return every reason why a valid spec cannot run, each at its field; empty: it can.

    What only the data can tell (numbers of images, say) is found when the run starts.
    """
    faults: list[SpecError] = []
    for registry, name in ((SPACES, spec.space), (RECIPES, spec.algorithm)):
        try:
            registry[name]
        except SpecError as fault:
            faults.append(fault)
    if faults:
        return faults
    recipe = RECIPES[spec.algorithm]
    try:
        space = get_space(spec.space, spec.space_settings)
    except SpecError as fault:
        return [fault]
    for rule in RULES:
        faults.extend(rule(spec, space, recipe))
    return faults


def require_runnable(spec: ExperimentSpec) -> None:
    """Raise the first reason of `check`, if there is one."""
    faults = check(spec)
    if faults:
        raise faults[0]


def recipe_settings(spec: ExperimentSpec) -> BaseModel:
    """Return the algorithm's own settings with defaults filled in.

    Raises:
        SpecError: an unknown or wrong setting.
    """
    recipe = RECIPES[spec.algorithm]
    return validate_settings(recipe.settings, spec.settings, "settings", recipe.name)


def skeleton(spec: ExperimentSpec) -> NetworkSpec:
    """Return the network settings with what the algorithm's settings decide of them.

    Raises:
        SpecError: an unknown or wrong setting of the algorithm.
    """
    settings = recipe_settings(spec)
    if not isinstance(settings, PartialChannelSettings):
        return spec.network
    update = {"partial_channels": settings.partial_channels}
    sharing = spec.network.sharing.model_copy(update=update)
    return spec.network.model_copy(update={"sharing": sharing})


def _capabilities(spec: ExperimentSpec, space: Space, recipe: Recipe) -> list[SpecError]:
    missing = sorted(recipe.requires - space.provides)
    if not missing:
        return []
    fitting = [n for n, s in SPACES.items() if recipe.requires <= s.provides]
    needs = " and ".join(capabilities.SENTENCES[name] for name in missing)
    return [
        CompositionError(
            "algorithm",
            f"`{recipe.name}` needs {needs}, which the space `{space.name}` does not have. "
            f"Spaces that fit: {', '.join(fitting) or 'none'}.",
        )
    ]


def _network(spec: ExperimentSpec, space: Space, recipe: Recipe) -> list[SpecError]:
    faults: list[SpecError] = []
    try:
        space.cost(space.sample(np.random.default_rng(0)), spec.network)
    except SpecError as fault:
        faults.append(fault)
    return faults


def _sharing(spec: ExperimentSpec, space: Space, recipe: Recipe) -> list[SpecError]:
    try:
        sharing, norm = skeleton(spec).sharing, spec.network.norm
    except SpecError:
        return []  # `_settings` tells
    faults: list[tuple[str, str]] = []
    for name in sharing.changed():
        if name not in space.factors:
            fitting = [n for n, s in SPACES.items() if name in s.factors]
            words = f"super-nets of `{space.name}` do not have this factor. Spaces that do: "
            faults.append((name, f"{words}{', '.join(fitting) or 'none'}."))
    place = sharing.operations_on
    if sharing.edge_norms and (space.operations_on if place == "default" else place) == "edge":
        words = "with operations on edges, every edge has normalisations of its own already. Set "
        faults.append(("edge_norms", words + "`operations_on: node`, or leave this out."))
    if sharing.edge_norms and not norm.affine and norm.statistics == "batch":
        words = "there is nothing to keep per edge: `network.norm` has neither `affine` nor "
        faults.append(("edge_norms", words + "`statistics` other than `batch`. Change one."))
    if sharing.dynamic_channels != "fixed" and capabilities.WIDTH_MIXTURE in recipe.requires:
        words = f"`{recipe.name}` masks the last channels, so that narrow layers have the first; "
        faults.append(("dynamic_channels", words + "use `fixed`."))
    given = spec.network.sharing.partial_channels
    if given not in (1, sharing.partial_channels):
        words = f"`{recipe.name}` decides it by `settings.partial_channels`; leave this out."
        faults.append(("partial_channels", words))
    if spec.network.channels % sharing.partial_channels:
        words = f"must divide `network.channels`, {spec.network.channels}; given was "
        faults.append(("partial_channels", f"{words}{sharing.partial_channels}."))
    return [CompositionError(f"network.sharing.{name}", text) for name, text in faults]


def _stand_alone(spec: ExperimentSpec, space: Space, recipe: Recipe) -> list[SpecError]:
    """Skeleton and options of stand-alone training that the space's networks do not have."""
    wanted, faults = spec.stand_alone, list[SpecError]()
    for name, value in space.fixed.items():
        if getattr(wanted, name, None) not in (None, value):
            problem = f"`{space.name}` always has {value}; leave this empty."
            faults.append(CompositionError(f"stand_alone.{name}", problem))
    if not faults and wanted.skeleton(spec.network) != spec.network:
        try:
            space.cost(space.sample(np.random.default_rng(0)), wanted.skeleton(spec.network))
        except SpecError as fault:
            field = fault.field.replace("network.", "stand_alone.", 1)
            faults.append(SpecError(field, fault.problem))
    for name in _STAND_ALONE_OPTIONS:
        if getattr(wanted, name) and name not in space.stand_alone_options:
            fitting = [n for n, s in SPACES.items() if name in s.stand_alone_options]
            problem = (
                f"stand-alone networks of `{space.name}` do not offer it; those of "
                f"{', '.join(fitting)} do. Set it to 0."
            )
            faults.append(CompositionError(f"stand_alone.{name}", problem))
    if wanted.drop_path and wanted.epochs == 1:
        problem = "it is 0 in the first epoch and rises from there; train for 2 epochs or more."
        faults.append(SpecError("stand_alone.drop_path", problem))
    return faults


def _recompute(spec: ExperimentSpec, space: Space, recipe: Recipe) -> list[SpecError]:
    if space.recomputes or not spec.super_net.recompute:
        return []
    fitting = ", ".join(n for n, s in SPACES.items() if s.recomputes)
    return [
        CompositionError(
            "super_net.recompute",
            f"operations of `{space.name}` have one layer each, so there is nothing to leave "
            f"out; it is for {fitting}. Set it to false.",
        )
    ]


def _settings(spec: ExperimentSpec, space: Space, recipe: Recipe) -> list[SpecError]:
    try:
        recipe_settings(spec)
    except SpecError as fault:
        return [fault]
    return []


def _addons(spec: ExperimentSpec, space: Space, recipe: Recipe) -> list[SpecError]:
    faults: list[SpecError] = []
    for name, value in spec.addons:
        if value is not None and name not in recipe.addons:
            fitting = [n for n, r in RECIPES.items() if name in r.addons]
            faults.append(
                CompositionError(
                    f"addons.{name}",
                    f"`{recipe.name}` cannot be combined with it. Algorithms that can: "
                    f"{', '.join(fitting)}.",
                )
            )
    return faults


def _landmarks(spec: ExperimentSpec, space: Space, recipe: Recipe) -> list[SpecError]:
    landmark = spec.addons.landmark
    if landmark is None:
        return []
    faults: list[SpecError] = []
    field = "addons.landmark.min_distance"
    if landmark.min_distance >= len(space.choices):
        faults.append(
            SpecError(
                field,
                f"{landmark.min_distance} is too far: architectures of `{space.name}` differ in "
                f"at most {len(space.choices)} choices, and a landmark must differ in more than "
                f"`min_distance`. Use at most {len(space.choices) - 1}.",
            )
        )
    if landmark.rounds > spec.super_net.epochs:
        faults.append(
            SpecError(
                "addons.landmark.rounds",
                f"{landmark.rounds} rounds need at least as many epochs; "
                f"`super_net.epochs` is {spec.super_net.epochs}.",
            )
        )
    evaluated = spec.search.population * spec.search.generations
    if landmark.rounds > 1 and landmark.per_round > evaluated and recipe.searcher != "derived":
        faults.append(
            SpecError(
                "addons.landmark.per_round",
                f"a search of {spec.search.generations} generations of {spec.search.population} "
                f"cannot find {landmark.per_round} landmarks for the next round; lower it or "
                "search more.",
            )
        )
    total = landmark.per_round * landmark.rounds
    if total + spec.evaluation.sample > space.size:
        faults.append(
            SpecError(
                "addons.landmark.per_round",
                f"{landmark.rounds} rounds of {landmark.per_round} landmarks and a sample of "
                f"{spec.evaluation.sample} are more than the {space.size} architectures of "
                f"`{space.name}`.",
            )
        )
    return faults


def _sample(spec: ExperimentSpec, space: Space, recipe: Recipe) -> list[SpecError]:
    if spec.evaluation.sample <= space.size:
        return []
    return [
        SpecError(
            "evaluation.sample",
            f"`{space.name}` has only {space.size} architectures; "
            f"given was {spec.evaluation.sample}.",
        )
    ]


def _truth(spec: ExperimentSpec, space: Space, recipe: Recipe) -> list[SpecError]:
    truth = spec.evaluation.ground_truth
    if truth.source != "table":
        return []
    field = "evaluation.ground_truth"
    if not truth.table:
        problem = "give the path of a CSV file or the name of an imported table, or train instead."
        return [SpecError(f"{field}.table", problem)]
    try:
        check_source(truth.table, space, (), data_folder())
    except TableError as fault:
        return [SpecError(f"{field}.table", str(fault))]
    if not truth.column:
        return [SpecError(f"{field}.column", "name the column that ranks the architectures.")]
    for part, column in (("column", truth.column), ("landmark_column", truth.landmark_column)):
        try:
            check_source(truth.table, space, [column] if column else [], data_folder())
        except TableError as fault:
            return [SpecError(f"{field}.{part}", str(fault))]
    return []


def _search(spec: ExperimentSpec, space: Space, recipe: Recipe) -> list[SpecError]:
    if spec.search.parents <= spec.search.population:
        return []
    return [
        SpecError(
            "search.parents",
            f"{spec.search.parents} parents cannot be chosen from a population of "
            f"{spec.search.population}.",
        )
    ]


def _data(spec: ExperimentSpec, space: Space, recipe: Recipe) -> list[SpecError]:
    path = spec.data.path
    try:
        known = DATASETS[spec.data.name]
    except SpecError as fault:
        return [fault]
    if known.needs_path and path is None:
        return [SpecError("data.path", f"`{spec.data.name}` needs the path of its images.")]
    if path is not None and not Path(path).exists():
        return [SpecError("data.path", f"there is no file or folder {path}.")]
    return []


def _forgetting(spec: ExperimentSpec, space: Space, recipe: Recipe) -> list[SpecError]:
    if spec.evaluation.forgetting == 0 or not recipe.mixes:
        return []
    return [
        CompositionError(
            "evaluation.forgetting",
            f"an update of `{recipe.name}` trains a mixture, not one architecture that later ones "
            "could make forget; set it to 0.",
        )
    ]


Rule = Callable[[ExperimentSpec, Space, Recipe], list[SpecError]]


def _published(spec: ExperimentSpec, space: Space, recipe: Recipe) -> list[SpecError]:
    known = [metric.name for metric in METRICS]
    return [
        SpecError(f"published.{name}", f"there is no such metric; there are {', '.join(known)}.")
        for name in spec.published
        if name not in known
    ]


RULES: tuple[Rule, ...] = (
    _published,
    _capabilities,
    _network,
    _sharing,
    _stand_alone,
    _recompute,
    _settings,
    _addons,
    _landmarks,
    _sample,
    _forgetting,
    _truth,
    _search,
    _data,
)
