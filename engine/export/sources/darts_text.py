"""The fixed parts of a DARTS network's Python source."""

NORM = '''
def batch_norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation as it was in training."""
    return nn.BatchNorm2d(channels, eps=1e-5, momentum=$momentum, affine=$affine)
'''

STEM = '''
class Stem(nn.Module):
    """3x3 convolution and normalisation."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels, 3, padding=1, bias=False)
        self.norm = batch_norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))
'''

RELU_CONV = '''
class ReluConvNorm(nn.Module):
    """ReLU, 1x1 convolution, normalisation."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels, 1, bias=False)
        self.norm = batch_norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(torch.relu(x)))
'''

REDUCE = '''
class FactorizedReduce(nn.Module):
    """ReLU, two 1x1 convolutions of stride 2 on shifted grids, normalisation."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.even = nn.Conv2d(channels_in, half, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(channels_in, channels - half, 1, stride=2, bias=False)
        self.norm = batch_norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(x)
        height, width = x.shape[2:]
        shifted = nn.functional.pad(x, (0, width % 2, 0, height % 2))[:, :, 1:, 1:]
        return self.norm(torch.cat([self.even(x), self.odd(shifted)], dim=1))
'''

SEP_CONV = '''
class SepConv(nn.Module):
    """Twice ReLU, depth-wise and 1x1 convolution, normalisation."""

    def __init__(self, channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.depthwise_1 = nn.Conv2d(
            channels, channels, kernel, stride, kernel // 2, groups=channels, bias=False
        )
        self.pointwise_1 = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm_1 = batch_norm(channels)
        self.depthwise_2 = nn.Conv2d(
            channels, channels, kernel, padding=kernel // 2, groups=channels, bias=False
        )
        self.pointwise_2 = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm = batch_norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm_1(self.pointwise_1(self.depthwise_1(torch.relu(x))))
        return self.norm(self.pointwise_2(self.depthwise_2(torch.relu(x))))
'''

DIL_CONV = '''
class DilConv(nn.Module):
    """ReLU, depth-wise convolution with dilation 2, 1x1 convolution, normalisation."""

    def __init__(self, channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(
            channels, channels, kernel, stride, kernel - 1, 2, groups=channels, bias=False
        )
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm = batch_norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.pointwise(self.depthwise(torch.relu(x))))
'''

MAX_POOL = '''
def max_pool(x: Tensor, stride: int = 1) -> Tensor:
    """3x3 maximum."""
    return nn.functional.max_pool2d(x, 3, stride, padding=1)
'''

AVERAGE_POOL = '''
def average_pool(x: Tensor, stride: int = 1) -> Tensor:
    """3x3 average that leaves out the padding."""
    return nn.functional.avg_pool2d(x, 3, stride, padding=1, count_include_pad=False)
'''

UNUSED = '''
class Unused(nn.Module):
    """Stands in for a cell whose output no later cell reads; it keeps the size only."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, s0: Tensor, s1: Tensor) -> Tensor:
        return s1[:, :, :: self.stride, :: self.stride]
'''

NETWORK = '''
class Network(nn.Module):
    """Stem, a chain of cells that each read the two before, linear classifier."""

    def __init__(self) -> None:
        super().__init__()
        channels = $channels
        before, last, reduced = 3 * channels, 3 * channels, False
        self.stem = Stem($input_channels, last)
        cells: list[nn.Module] = []
        for layer in range($cells):
            reduces = layer in $reducing
            if reduces:
                channels = 2 * channels
$append
            before, last, reduced = last, 4 * channels, reduces
        self.cells = nn.ModuleList(cells)
        self.classifier = nn.Linear(last, $classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, $classes) of normalised images (B, $input_channels, H, W)."""
        s0 = s1 = self.stem(images)
        for cell in self.cells:
            s0, s1 = s1, cell(s0, s1)
        return self.classifier(s1.mean((2, 3)))
'''
