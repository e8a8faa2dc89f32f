"""Which columns of a parquet file from Hugging Face hold the pictures and their classes.

The files carry the data set's features as JSON in their metadata; where they do not, the types
and names of the columns are looked at.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from engine.spec.errors import DataError

PICTURES = ("image", "img", "picture", "images")
LABELS = ("label", "labels", "fine_label", "class", "target", "category")


@dataclass(frozen=True)
class Columns:
    """The two columns, and the names of the classes where the features tell them."""

    image: str
    label: str
    classes: tuple[str, ...] | None


def find_columns(schema: pa.Schema, image: str = "", label: str = "") -> Columns:
    """Find or check the two columns.

    Args:
        schema: of a parquet file.
        image, label: wanted columns; empty: found by their features.

    Raises:
        DataError: there is no such column, or several could be meant.
    """
    features = _features(schema)
    pictures = [name for name in schema.names if _is_picture(schema.field(name), features)]
    image = _chosen("pictures", "--image-column", image, pictures, PICTURES, schema)
    named = [name for name in schema.names if _kind(features, name) == "ClassLabel"]
    labels = named or [name for name in schema.names if _is_label(schema.field(name))]
    label = _chosen("class labels", "--label-column", label, labels, LABELS, schema)
    return Columns(image, label, _class_names(features, label))


def _chosen(
    what: str,
    option: str,
    wanted: str,
    possible: list[str],
    usual: tuple[str, ...],
    schema: pa.Schema,
) -> str:
    if wanted:
        if wanted not in schema.names:
            raise DataError(
                f"{option}: there is no column `{wanted:.80}`; there are: "
                f"{', '.join(schema.names)}."
            )
        return wanted
    if len(possible) == 1:
        return possible[0]
    known = [name for name in usual if name in possible]
    if known:
        return known[0]
    found = f"several: {', '.join(possible)}" if possible else "none"
    raise DataError(
        f"The data set has no column of {what} that can be told by itself (found {found}); name "
        f"one with {option}. Its columns are: {', '.join(schema.names)}."
    )


def _features(schema: pa.Schema) -> dict[str, Any]:
    try:
        found = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _kind(features: dict[str, Any], name: str) -> str:
    feature = features.get(name)
    return str(feature.get("_type", "")) if isinstance(feature, dict) else ""


def _is_picture(field: pa.Field, features: dict[str, Any]) -> bool:
    if features:
        return _kind(features, field.name) == "Image"
    if pa.types.is_struct(field.type):
        return field.type.get_field_index("bytes") >= 0
    return bool(pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type))


def _is_label(field: pa.Field) -> bool:
    kind = field.type
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return field.name.lower() in LABELS and bool(pa.types.is_integer(kind) or text)


def _class_names(features: dict[str, Any], label: str) -> tuple[str, ...] | None:
    if _kind(features, label) != "ClassLabel":
        return None
    names = features[label].get("names")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    return tuple(names)
