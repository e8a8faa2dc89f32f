"""The user's own space, registered with a small example as its default."""

from __future__ import annotations

from engine.spaces.custom_base import CustomSpace, space_of
from engine.spaces.custom_cell import CellSpace
from engine.spaces.custom_chain import ChainSpace
from engine.spaces.custom_definition import CustomSettings
from engine.spaces.custom_sizes import SizesSpace
from engine.spaces.registry import register_space

CUSTOM_SPACE = register_space(space_of(CustomSettings.model_validate({}).root))

__all__ = ["CUSTOM_SPACE", "CellSpace", "ChainSpace", "CustomSpace", "SizesSpace", "space_of"]
