"""Random valid experiments, made from the models themselves: a new field is covered at once."""

from __future__ import annotations

import types
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine.spec.experiment import ExperimentSpec


def bounds(metadata: list[Any]) -> dict[type, Any]:
    """Return the limits of a field by kind."""
    kinds = {Ge: "ge", Gt: "gt", Le: "le", Lt: "lt", MinLen: "min_length", MaxLen: "max_length"}
    return {
        kind: getattr(item, name)
        for item in metadata
        for kind, name in kinds.items()
        if isinstance(item, kind)
    }


def numbers(kind: type, limit: dict[type, Any]) -> st.SearchStrategy[Any]:
    """Return whole or real numbers within the limits, the limits themselves included."""
    low, high = limit.get(Ge, limit.get(Gt)), limit.get(Le, limit.get(Lt))
    if kind is int:
        low = low + 1 if Gt in limit else low
        high = high - 1 if Lt in limit else high
        return st.integers(low, high)
    return st.floats(
        low,
        high,
        exclude_min=Gt in limit,
        exclude_max=Lt in limit,
        allow_nan=False,
        allow_infinity=False,
    )


def values(annotation: Any, metadata: list[Any]) -> st.SearchStrategy[Any]:
    """Return a strategy for the type of a field."""
    limit, origin = bounds(metadata), get_origin(annotation)
    if origin in (Union, types.UnionType):
        return st.one_of(*(values(part, metadata) for part in get_args(annotation)))
    if origin is Literal:
        return st.sampled_from(get_args(annotation))
    if origin is list:
        return st.lists(values(get_args(annotation)[0], []), max_size=min(4, limit[MaxLen]))
    if origin is dict and get_args(annotation)[1] is not Any:
        return st.dictionaries(
            st.text(max_size=5), values(get_args(annotation)[1], []), max_size=2
        )
    if origin is dict:
        return st.dictionaries(
            st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=2
        )
    if annotation is type(None):
        return st.none()
    if annotation is bool:
        return st.booleans()
    if annotation is str:
        return st.text(min_size=limit.get(MinLen, 0), max_size=min(30, limit.get(MaxLen, 30)))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return models(annotation)
    assert annotation in (int, float), f"{annotation} needs a strategy here"
    return numbers(annotation, limit)


def models(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """Return mappings that some fields of a model are left out of, but for the required ones."""
    fields: dict[str, FieldInfo] = model.model_fields
    found = {name: values(i.annotation, list(i.metadata)) for name, i in fields.items()}
    required = {name: found.pop(name) for name, field in fields.items() if field.is_required()}
    return st.fixed_dictionaries(required, optional=found)


experiments = models(ExperimentSpec)
