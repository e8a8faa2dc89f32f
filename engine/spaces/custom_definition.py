"""What a user's own space is made of, as an experiment file or a file of its own says it.

There are three kinds: a cell whose edges carry operations, a chain of blocks that each choose an
operation, and a chain of layers that choose their width. This module has the fields; what must
hold between them is in `custom_check`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, RootModel, model_validator

MAX_NODES, MAX_LAYERS, MAX_WIDTH = 16, 100, 4096


def _texts(value: Any) -> Any:
    """Take one name as a list of one, and numbers as names: YAML reads a node `1` as a number."""
    listed = value if isinstance(value, list) else [value]
    if value is None:
        return None
    return [str(item) if type(item) is int else item for item in listed]


def _numbers(value: Any) -> Any:
    return [value] if type(value) is int else value


Names = Annotated[list[str], BeforeValidator(_texts)]
NamesOrNone = Annotated[list[str] | None, BeforeValidator(_texts)]
Width = Annotated[int, Field(ge=1, le=MAX_WIDTH)]
Kernel = Annotated[int, Field(ge=1, le=11)]
Stride = Literal[1, 2]
_FORBID = ConfigDict(extra="forbid", frozen=True)


class CellDefinition(BaseModel):
    """A cell that is stacked in stages, as NAS-Bench-201 does: operations sit on edges."""

    model_config = _FORBID

    kind: Literal["cell"] = Field("cell", description="A cell whose edges choose an operation.")
    nodes: Names = Field(
        description="Names of the nodes, letters, digits and `_`; a node is the sum of its "
        "incoming edges. The first one is the cell's input.",
    )
    operations: NamesOrNone = Field(
        None, description="Operations of every edge that does not list its own."
    )
    edges: dict[str, NamesOrNone] = Field(
        description="`source->target`, with the operations to choose from; one operation is "
        "fixed, and nothing stands for `operations`.",
    )
    output: NamesOrNone = Field(
        None,
        description="Node whose value leaves the cell; the last one if not given. Several are "
        "concatenated and brought back to the cell's channels by a 1x1 convolution.",
    )
    stages: int = Field(
        3,
        ge=1,
        le=6,
        description="Stages of cells; between two, a residual block halves the image and doubles "
        "the channels. Cells per stage and channels are those of `network`.",
    )


class BlockDefinition(BaseModel):
    """One or several blocks of a chain."""

    model_config = _FORBID

    operations: NamesOrNone = Field(
        None, description="What the block chooses from; not given: the chain's `operations`."
    )
    width: Width | None = Field(
        None, description="Its channels; not given: those of the block before."
    )
    stride: Stride = Field(1, description="2 halves the image; of repeated blocks, the first.")
    repeat: int = Field(1, ge=1, le=MAX_LAYERS, description="How many such blocks.")


class ChainDefinition(BaseModel):
    """Blocks one after another, each choosing its operation, as in SPOS's space."""

    model_config = _FORBID

    kind: Literal["chain"] = Field(description="A chain of blocks that choose an operation.")
    stem: Width = Field(16, description="Channels of the stem.")
    operations: NamesOrNone = Field(
        None, description="Operations of every block that does not list its own."
    )
    blocks: list[BlockDefinition] = Field(
        min_length=1, max_length=MAX_LAYERS, description="The blocks, first one first."
    )


class LayerDefinition(BaseModel):
    """One layer of a chain of sizes."""

    model_config = _FORBID

    widths: Annotated[list[Width], BeforeValidator(_numbers)] = Field(
        description="Numbers of channels to choose from; one is fixed."
    )
    kernels: Annotated[list[Kernel], BeforeValidator(_numbers)] = Field(
        default=[3], description="Odd sides of the kernel to choose from; one is fixed."
    )
    stride: Stride = Field(1, description="2 halves the image.")
    block: Literal["conv", "residual"] = Field(
        "conv",
        description="One convolution, or two with a shortcut around them.",
    )


class SizesDefinition(BaseModel):
    """Layers one after another, each choosing its width, and its kernel if several are given."""

    model_config = _FORBID

    kind: Literal["sizes"] = Field(description="A chain of layers that choose their width.")
    stem: Width = Field(16, description="Channels of the stem.")
    layers: list[LayerDefinition] = Field(
        min_length=1, max_length=MAX_LAYERS, description="The layers, first one first."
    )


Definition = CellDefinition | ChainDefinition | SizesDefinition
KINDS: dict[str, type[CellDefinition] | type[ChainDefinition] | type[SizesDefinition]] = {
    "cell": CellDefinition,
    "chain": ChainDefinition,
    "sizes": SizesDefinition,
}
# What `space: custom` is without settings: NAS-Bench-201 with one node less.
EXAMPLE: dict[str, Any] = {
    "kind": "cell",
    "nodes": ["in", "mid", "out"],
    "operations": ["skip_connect", "nor_conv_1x1", "nor_conv_3x3"],
    "edges": {"in->mid": None, "in->out": None, "mid->out": None},
}


class CustomSettings(RootModel[Annotated[Definition, Field(discriminator="kind")]]):
    """The `space_settings` of the space `custom`; none at all stand for a small example."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    @model_validator(mode="before")
    @classmethod
    def _example(cls, value: Any) -> Any:
        return EXAMPLE if value == {} else value
