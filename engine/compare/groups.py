"""Which runs are seeds of one setting, and what to call each setting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from engine.runs import RunFolder
from engine.spec.experiment import ExperimentSpec
from engine.spec.sweep import assignments, short_names, value_text

# What may differ between the seeds of one setting.
PERSONAL = {"seed", "name", "notes", "tags", "device", "published"}
# What every name says anyway.
_NAMED = {"algorithm", "space", "data.name"}
NAMED_FIELDS = 3  # differences beyond these would make a name longer than a table is wide


def setting(spec: ExperimentSpec) -> str:
    """Return a text that is the same for the seeds of one setting, and for nothing else."""
    return spec.model_dump_json(exclude=PERSONAL)


def group_runs(folders: Sequence[RunFolder]) -> dict[str, list[RunFolder]]:
    """Group runs whose specs are equal apart from the seed and what only people read.

    Names have the algorithm, add-ons, space and data, and of the fields in which the groups differ
    beside these the values that less than half of the groups have. Those that are still alike are
    numbered in the order they are given.
    """
    settings: dict[str, ExperimentSpec] = {}
    members: dict[str, list[RunFolder]] = {}
    for folder in folders:
        spec = folder.spec()
        key = setting(spec)
        settings.setdefault(key, spec)
        members.setdefault(key, []).append(folder)
    return dict(zip(_names(list(settings.values())), members.values(), strict=True))


def _names(specs: Sequence[ExperimentSpec]) -> list[str]:
    values = [spec.model_dump(mode="json", exclude=PERSONAL) for spec in specs]
    differing = _differing(values)
    usual = {field: _usual([_get(value, field) for value in values]) for field in differing}
    short = short_names(differing)
    names, taken = [], Counter[str]()
    for spec, value in zip(specs, values, strict=True):
        found = {field: _get(value, field) for field in differing}
        own = {f: v for f, v in found.items() if v is not _NOWHERE and value_text(v) != usual[f]}
        said = assignments(dict(list(own.items())[:NAMED_FIELDS]), short)
        name = group_name(spec) + (f" · {said}" if said else "")
        taken[name] += 1
        names.append(name if taken[name] == 1 else f"{name} ({taken[name]})")
    return names


def _usual(values: Sequence[Any]) -> str | None:
    """Return the text of the value that more than half of the groups have, if there is one."""
    text, count = Counter(value_text(value) for value in values).most_common(1)[0]
    return text if 2 * count > len(values) else None


def group_name(spec: ExperimentSpec) -> str:
    """Return algorithm, add-ons, space and data of a setting, for people."""
    addons = [name for name, value in spec.addons.model_dump().items() if value is not None]
    return " + ".join([spec.algorithm, *addons]) + f" on {spec.space}, {spec.data.name}"


def _differing(values: Sequence[dict[str, Any]]) -> list[str]:
    """Return the dotted fields that are not the same in all mappings, but for what is named."""
    found: dict[str, None] = {}
    for other in values[1:]:
        found |= dict.fromkeys(_unequal(values[0], other))
    addons = {f"addons.{name}" for name in ExperimentSpec().addons.model_dump()}
    return [field for field in found if field not in _NAMED | addons]


def _unequal(first: Any, second: Any, field: str = "") -> Iterator[str]:
    if first == second:
        return
    if not (isinstance(first, dict) and isinstance(second, dict)):
        yield field
        return
    for name in first | second:
        path = f"{field}.{name}" if field else name
        yield from _unequal(first.get(name, _NOWHERE), second.get(name, _NOWHERE), path)


_NOWHERE = object()


def _get(value: Any, field: str) -> Any:
    for name in field.split("."):
        if not isinstance(value, dict) or name not in value:
            return _NOWHERE
        value = value[name]
    return value
