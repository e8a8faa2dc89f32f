"""How operations of user-defined spaces are written, and which definitions that needs."""

from __future__ import annotations

import re
from string import Template

from engine.export.sources import custom_text as text
from engine.spaces.operations import OPERATIONS, REDUCE
from engine.spec.network import NetworkSpec

_KERNEL = re.compile(r"(nor|sep|dil)_conv_(\d)x\d")
_CLASSES = {"nor": "ReluConvNorm", "sep": "SepConv", "dil": "DilConv"}
_POOL = re.compile(r"(avg|max)_pool_3x3(_norm)?")
_POOLS = {"avg": "average_pool", "max": "max_pool"}
# What is defined only where it is used: a word of the text, its definition. Later ones need
# what stands before them.
_PARTS = (
    ("ReluConvNorm(", text.RELU_CONV_NORM),
    ("SepConv(", text.SEP_CONV),
    ("DilConv(", text.DIL_CONV),
    ("RowColumnConv(", text.ROW_COLUMN_CONV),
    ("FactorizedReduce(", text.REDUCE),
    ("max_pool(", text.MAX_POOL),
    ("average_pool(", text.AVERAGE_POOL),
    ("PoolNorm(", text.POOL_NORM),
    ("Residual(", text.RESIDUAL),
    ("Reduction(", text.REDUCTION),
)


def made(name: str, before: object, width: object, stride: int = 1) -> str | None:
    """Return the expression that builds an operation, None for one that hands its source on.

    Args:
        name: of the operation.
        before, width: numbers of channels, or the variables that hold them.
        stride: 1 or 2.
    """
    strided = "" if stride == 1 else ", stride=2"
    if OPERATIONS[name].is_identity(stride):
        return None
    if name == REDUCE:
        return f"FactorizedReduce({before}, {width})"
    if match := _KERNEL.fullmatch(name):
        return f"{_CLASSES[match[1]]}({before}, {width}, {match[2]}{strided})"
    if match := _POOL.fullmatch(name):
        pool = f"{_POOLS[match[1]]}({strided.removeprefix(', ')})"
        return f"PoolNorm({pool}, {width})" if match[2] else pool
    assert name == "conv_7x1_1x7", name
    return f"RowColumnConv({before}, {width}{strided})"


def body(main: list[str], network: NetworkSpec, **values: object) -> str:
    """Join the definitions that some classes use, these classes, and fill in the numbers.

    Args:
        main: texts of the classes, the network last.
        network: skeleton.
        values: further placeholders of the texts.
    """
    used = "\n".join(main)
    parts = [text.NORM, text.CONV_NORM]
    parts += [definition for word, definition in _PARTS if word in used]
    joined = "\n\n\n".join(part.strip("\n") for part in [*parts, text.HEAD, *main])
    return Template(joined).substitute(
        affine=network.norm.affine,
        momentum=repr(network.norm.momentum),
        classes=network.classes,
        input_channels=network.input_channels,
        **values,
    )
