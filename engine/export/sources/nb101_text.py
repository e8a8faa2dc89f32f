"""The fixed parts of a NAS-Bench-101 `model.py`."""

from __future__ import annotations

NORM = '''
class ConvNormRelu(nn.Module):
    """Convolution, normalisation, ReLU; the size of the image stays."""

    def __init__(self, before: int, width: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, width, kernel, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(width, eps=1e-5, momentum=$momentum, affine=$affine)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.norm(self.conv(x)))
'''

POOL = '''
def max_pool(x: Tensor) -> Tensor:
    """3x3 maximum; the size of the image stays."""
    return F.max_pool2d(x, 3, stride=1, padding=1)
'''

STACKS = """
# Per stack, the output channels of a cell and those of its vertices.
STACKS = (
$stacks
)
"""

NETWORK = '''
class Network(nn.Module):
    """Stem, three stacks of cells with pooling between them, average, linear classifier."""

    def __init__(self) -> None:
        super().__init__()
        before = $channels
        self.stem = ConvNormRelu($input_channels, before, 3)
        layers: list[nn.Module] = []
        for stack, (channels, widths) in enumerate(STACKS):
            if stack > 0:
                layers.append(nn.MaxPool2d(2, ceil_mode=True))
            for _ in range($cells):
                layers.append(Cell(before, channels, widths))
                before = channels
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Linear(before, $classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, $classes) of normalised images (B, $input_channels, H, W)."""
        return self.classifier(self.layers(self.stem(images)).mean((2, 3)))
'''
