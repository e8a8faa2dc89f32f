"""What operations cost and which shapes they can change, by name and without torch.

`engine.networks.ops` builds them; `tests/unit/custom` proves for every name that this table and
the built modules agree. Multiply-adds are those of convolutions; normalisation and pooling are
free, as NAS-Bench-201 and DARTS count.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.core.space import Cost

NONE = "none"
SKIP = "skip_connect"
REDUCE = "skip_or_reduce"

_KERNEL = re.compile(r"(.*_conv)_(\d)x\2")
Shape = Literal["any", "any stride", "none"]
Side = Literal["in", "out"]


@dataclass(frozen=True)
class Conv:
    """One convolution of an operation, followed by a normalisation or not.

    Attributes:
        kernel: height and width.
        inner: it has the operation's number of input channels on both sides.
        depthwise: every channel by itself.
        strided: which of height and width it divides by the operation's stride.
        norm: a normalisation with scale and shift follows.
    """

    kernel: tuple[int, int]
    inner: bool = False
    depthwise: bool = False
    strided: tuple[bool, bool] = (False, False)
    norm: bool = False


@dataclass(frozen=True)
class Operation:
    """An operation that a custom space can name.

    Attributes:
        name: as it is registered.
        help: what it does, in half a sentence.
        convs: its convolutions in order; empty for operations without weights.
        shape: which shapes it can change: any stride and width, the stride only, or none.
    """

    name: str
    help: str
    convs: tuple[Conv, ...] = ()
    shape: Shape = "any"

    @property
    def weightless(self) -> bool:
        """Tell whether it never has parameters, so that two of them on one value are equal."""
        return not self.convs

    @property
    def deep(self) -> bool:
        """Tell whether it has several layers, so that what is between them can be left out."""
        return len(self.convs) > 1

    def misfit(self, before: int, width: int, stride: int) -> str | None:
        """Say why it cannot map `before` channels to `width` with a stride, or return None."""
        if self.name == REDUCE and stride == 2:
            return None if width > 1 else "its stride-2 form has two halves, and the width is 1"
        if before != width and self.shape != "any":
            return f"it keeps the number of channels, and {before} become {width} here"
        if stride != 1 and self.shape == "none":
            return f"it keeps the size of the image, and the stride is {stride} here"
        return None

    def is_identity(self, stride: int) -> bool:
        """Tell whether it hands its source on."""
        return self.name == SKIP or (self.name == REDUCE and stride == 1)

    def cost(self, before: int, width: int, stride: int, side: int, affine: bool = True) -> Cost:
        """Count the parameters and multiply-adds of one image.

        Args:
            before: input channels.
            width: output channels.
            stride: 1 or 2.
            side: height and width of the source, in pixels.
            affine: normalisations have scale and shift.
        """
        if self.is_identity(stride):
            return Cost(0, 0)
        params = flops = 0
        height = across = side
        for conv in self.convs:
            out = before if conv.inner else width
            weights = conv.kernel[0] * conv.kernel[1] * out * (1 if conv.depthwise else before)
            if conv.strided[0]:
                height = -(-height // stride)
            if conv.strided[1]:
                across = -(-across // stride)
            params += weights + (2 * out if conv.norm and affine else 0)
            flops += weights * height * across
        return Cost(params, flops)


_BOTH = (True, True)


def _separable(kernel: int) -> tuple[Conv, ...]:
    sides = (kernel, kernel)
    return (
        Conv(sides, inner=True, depthwise=True, strided=_BOTH),
        Conv((1, 1), inner=True, norm=True),
        Conv(sides, inner=True, depthwise=True),
        Conv((1, 1), norm=True),
    )


def _dilated(kernel: int) -> tuple[Conv, ...]:
    sides = (kernel, kernel)
    return (
        Conv(sides, inner=True, depthwise=True, strided=_BOTH),
        Conv((1, 1), norm=True),
    )


def _plain(kernel: int) -> tuple[Conv, ...]:
    return (Conv((kernel, kernel), strided=_BOTH, norm=True),)


_ROW_COLUMN = (
    Conv((1, 7), inner=True, strided=(False, True)),
    Conv((7, 1), strided=(True, False), norm=True),
)

_LISTED = (
    Operation(NONE, "no edge: contributes nothing"),
    Operation(SKIP, "the source itself", shape="none"),
    Operation(
        REDUCE, "the source itself; with stride 2, two shifted 1x1 convolutions", _plain(1), "none"
    ),
    *(
        Operation(f"nor_conv_{k}x{k}", f"ReLU, {k}x{k} convolution, normalisation", _plain(k))
        for k in (1, 3)
    ),
    *(
        Operation(f"sep_conv_{k}x{k}", f"two depth-wise separable {k}x{k}s", _separable(k))
        for k in (3, 5, 7)
    ),
    *(
        Operation(f"dil_conv_{k}x{k}", f"separable {k}x{k} with dilation 2", _dilated(k))
        for k in (3, 5)
    ),
    Operation("conv_7x1_1x7", "1x7, then 7x1 convolution", _ROW_COLUMN),
    *(
        Operation(f"{kind}_pool_3x3{norm}", words, shape="any stride")
        for kind, mean in (("avg", "mean"), ("max", "maximum"))
        for norm, words in (("", f"3x3 {mean}"), ("_norm", f"3x3 {mean}, normalised"))
    ),
)
OPERATIONS = {operation.name: operation for operation in _LISTED}


def share_kernels(names: Iterable[str]) -> bool:
    """Tell whether two operations differ in their kernel size alone, as two `nor_conv` do."""
    convs = [name for name in names if OPERATIONS[name].convs]
    families = [match[1] for name in convs if (match := _KERNEL.fullmatch(name))]
    return len(set(families)) < len(families)


def unknown(name: str, known: Sequence[str] = tuple(OPERATIONS)) -> str:
    """Return a sentence that refuses an operation's name and lists what there is."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    return f"there is no operation `{name:.40}`.{hint} Known are {', '.join(known)}."
