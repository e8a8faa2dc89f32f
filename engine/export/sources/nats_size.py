"""The size space of NATS-Bench as Python: `engine.networks.nats_size` with fixed widths."""

from __future__ import annotations

from collections.abc import Callable
from string import Template

from engine.core.architecture import Architecture
from engine.core.space import Cost
from engine.export.sources.registry import SOURCES
from engine.spaces.nats_size import NATS_SIZE_SPACE, widths_of
from engine.spec.errors import ExportError
from engine.spec.network import NetworkSpec

_BODY = '''
def batch_norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation as it was in training."""
    return nn.BatchNorm2d(channels, eps=1e-5, momentum=$momentum, affine=$affine)


class ConvNorm(nn.Module):
    """Convolution and normalisation."""

    def __init__(self, before: int, width: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, width, kernel, stride, kernel // 2, bias=False)
        self.norm = batch_norm(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class Cell(nn.Module):
    """Node x0 is the input, x3 the output; a node is the sum of its incoming edges."""

    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        self.edge_0_1 = ConvNorm(before, width, 3)
        self.edge_0_2 = ConvNorm(before, width, 3)
        self.edge_1_2 = ConvNorm(width, width, 3)
        self.edge_1_3 = ConvNorm(width, width, 3)
        self.edge_2_3 = ConvNorm(width, width, 3)
        # The skip connection is a projection where the widths differ.
        self.edge_0_3 = nn.Identity() if before == width else ConvNorm(before, width, 1)

    def forward(self, x0: Tensor) -> Tensor:
        y0 = torch.relu(x0)
        y1 = torch.relu(self.edge_0_1(y0))
        y2 = torch.relu(self.edge_0_2(y0) + self.edge_1_2(y1))
        return self.edge_0_3(x0) + self.edge_1_3(y1) + self.edge_2_3(y2)


class Reduction(nn.Module):
    """Residual block that halves the image."""

    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        self.first = ConvNorm(before, width, 3, stride=2)
        self.second = ConvNorm(width, width, 3)
        self.shortcut = nn.Conv2d(before, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.second(torch.relu(self.first(torch.relu(x))))
        return inner + self.shortcut(F.avg_pool2d(x, 2, ceil_mode=True))


class Head(nn.Module):
    """Normalisation, ReLU, average over the image, linear classifier."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = batch_norm(channels)
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.relu(self.norm(x)).mean((2, 3)))


class Network(nn.Module):
    """Stem, cells and reductions in turn, head."""

    def __init__(self) -> None:
        super().__init__()
        widths = ($widths)
        before = widths[0]
        self.stem = ConvNorm($input_channels, before, 3)
        layers: list[nn.Module] = []
        for number, width in enumerate(widths):
            kind = Reduction if number % 2 == 1 else Cell
            layers.append(kind(before, width))
            before = width
        self.layers = nn.Sequential(*layers)
        self.head = Head(before, $classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, $classes) of normalised images (B, $input_channels, H, W)."""
        return self.head(self.layers(self.stem(images)))
'''


class NatsSizeSource:
    """See `Source`."""

    def body(self, architecture: Architecture, network: NetworkSpec) -> str:
        """Write the layers and the network."""
        return Template(_BODY.strip("\n")).substitute(
            widths=", ".join(map(str, widths_of(architecture.indices, network))),
            affine=network.norm.affine,
            momentum=repr(network.norm.momentum),
            classes=network.classes,
            input_channels=network.input_channels,
        )

    def uses_functional(self, architecture: Architecture) -> bool:
        """The reductions always pool."""
        return True

    def cost(self, architecture: Architecture, network: NetworkSpec) -> Cost:
        """Count as the space does: nothing is dead."""
        return NATS_SIZE_SPACE.cost(architecture, network)

    def renaming(
        self, architecture: Architecture, trained_as: Architecture | None = None
    ) -> Callable[[str], str]:
        """Map `trunk.layers.2.edge_0_1.conv.weight` to `layers.2.edge_0_1.conv.weight`."""
        if trained_as not in (None, architecture):
            raise ExportError(
                f"The weights are of {NATS_SIZE_SPACE.to_text(trained_as)}, which is another "
                f"network than {NATS_SIZE_SPACE.to_text(architecture)}."
            )
        return lambda name: name.removeprefix("trunk.")


SOURCES.register("nats_size", lambda space: NatsSizeSource())
