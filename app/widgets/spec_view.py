"""An experiment as text."""

from __future__ import annotations

from typing import Any

import streamlit as st
import yaml

from engine.spec.experiment import ExperimentSpec
from engine.spec.files import dump


def as_yaml(value: dict[str, Any], spec: ExperimentSpec | None) -> str:
    """Write a valid experiment as its file, an invalid one as it stands."""
    if spec is not None:
        return dump(spec)
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=88)


def show(text: str, height: int | str = "content") -> None:
    """Draw YAML with a copy button."""
    st.code(text, language="yaml", height=height)
