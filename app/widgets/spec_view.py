"""An experiment as text."""

from __future__ import annotations

from typing import Any

import streamlit as st
import yaml

from engine.spec.experiment import ExperimentSpec
from engine.spec.files import build, dump, problems
from engine.spec.sweep import SECTION


def as_yaml(value: dict[str, Any], spec: ExperimentSpec | None) -> str:
    """Write a valid experiment as its file, an invalid one as it stands."""
    if spec is not None:
        return dump(spec)
    return _written(value)


def sweep_as_yaml(value: dict[str, Any]) -> str:
    """Write a mapping with a section `sweep` as its file, every default written out if it can."""
    base = {name: part for name, part in value.items() if name != SECTION}
    if problems(base):
        return _written(value)
    return dump(build(base)) + _written({SECTION: value[SECTION]})


def _written(value: dict[str, Any]) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=88)


def show(text: str, height: int | str = "content") -> None:
    """Draw YAML with a copy button."""
    st.code(text, language="yaml", height=height)
