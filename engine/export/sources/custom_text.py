"""The fixed parts of the Python source of user-defined spaces."""

NORM = '''
def batch_norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation as it was in training."""
    return nn.BatchNorm2d(channels, eps=1e-5, momentum=$momentum, affine=$affine)
'''

CONV_NORM = '''
class ConvNorm(nn.Module):
    """Convolution and normalisation."""

    def __init__(self, before: int, width: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, width, kernel, stride, kernel // 2, bias=False)
        self.norm = batch_norm(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))
'''

RELU_CONV_NORM = '''
class ReluConvNorm(ConvNorm):
    """ReLU, convolution, normalisation."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(torch.relu(x))
'''

SEP_CONV = '''
class SepConv(nn.Module):
    """Twice ReLU, depth-wise and 1x1 convolution, normalisation; the first has the stride."""

    def __init__(self, before: int, width: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        padding = kernel // 2
        self.depthwise_1 = nn.Conv2d(
            before, before, kernel, stride, padding, groups=before, bias=False
        )
        self.pointwise_1 = nn.Conv2d(before, before, 1, bias=False)
        self.norm_1 = batch_norm(before)
        self.depthwise_2 = nn.Conv2d(
            before, before, kernel, padding=padding, groups=before, bias=False
        )
        self.pointwise_2 = nn.Conv2d(before, width, 1, bias=False)
        self.norm = batch_norm(width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm_1(self.pointwise_1(self.depthwise_1(torch.relu(x))))
        return self.norm(self.pointwise_2(self.depthwise_2(torch.relu(x))))
'''

DIL_CONV = '''
class DilConv(nn.Module):
    """ReLU, depth-wise convolution with dilation 2, 1x1 convolution, normalisation."""

    def __init__(self, before: int, width: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(
            before, before, kernel, stride, kernel - 1, 2, groups=before, bias=False
        )
        self.pointwise = nn.Conv2d(before, width, 1, bias=False)
        self.norm = batch_norm(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.pointwise(self.depthwise(torch.relu(x))))
'''

ROW_COLUMN_CONV = '''
class RowColumnConv(nn.Module):
    """ReLU, 1x7 and 7x1 convolution, normalisation."""

    def __init__(self, before: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.row = nn.Conv2d(before, before, (1, 7), (1, stride), (0, 3), bias=False)
        self.column = nn.Conv2d(before, width, (7, 1), (stride, 1), (3, 0), bias=False)
        self.norm = batch_norm(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.column(self.row(torch.relu(x))))
'''

REDUCE = '''
class FactorizedReduce(nn.Module):
    """ReLU, two 1x1 convolutions of stride 2 on shifted grids, normalisation."""

    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        half = width // 2
        self.even = nn.Conv2d(before, half, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(before, width - half, 1, stride=2, bias=False)
        self.norm = batch_norm(width)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(x)
        height, width = x.shape[2:]
        shifted = nn.functional.pad(x, (0, width % 2, 0, height % 2))[:, :, 1:, 1:]
        return self.norm(torch.cat([self.even(x), self.odd(shifted)], dim=1))
'''

MAX_POOL = '''
def max_pool(stride: int = 1) -> nn.Module:
    """3x3 maximum."""
    return nn.MaxPool2d(3, stride, padding=1)
'''

AVERAGE_POOL = '''
def average_pool(stride: int = 1) -> nn.Module:
    """3x3 average that leaves out the padding."""
    return nn.AvgPool2d(3, stride, padding=1, count_include_pad=False)
'''

POOL_NORM = '''
class PoolNorm(nn.Module):
    """Pooling, normalisation without scale and shift."""

    def __init__(self, pool: nn.Module, channels: int) -> None:
        super().__init__()
        self.pool = pool
        self.norm = nn.BatchNorm2d(channels, eps=1e-5, momentum=$momentum, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.pool(x))
'''

RESIDUAL = '''
class Residual(nn.Module):
    """Two convolutions with a shortcut around them, projected where the shape changes."""

    def __init__(self, before: int, width: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.first = ConvNorm(before, width, kernel, stride)
        self.second = ConvNorm(width, width, kernel)
        shortcut: list[nn.Module] = []
        if stride == 2:
            shortcut.append(nn.AvgPool2d(2, ceil_mode=True))
        if stride == 2 or before != width:
            shortcut.append(nn.Conv2d(before, width, 1, bias=False))
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.second(torch.relu(self.first(torch.relu(x))))
        return inner + self.shortcut(x)
'''

HEAD = '''
class Head(nn.Module):
    """Normalisation, ReLU, average over the image, linear classifier."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = batch_norm(channels)
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.relu(self.norm(x)).mean((2, 3)))
'''

FORWARD = '''
    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, $classes) of normalised images (B, $input_channels, H, W)."""
        return self.head(self.layers(self.stem(images)))
'''

CELLS = (
    '''
class Network(nn.Module):
    """Stem, $stages of cells with residual blocks between them, head."""

    def __init__(self) -> None:
        super().__init__()
        channels = $channels
        self.stem = ConvNorm($input_channels, channels, 3)
        layers: list[nn.Module] = []
        for stage in range($count):
            if stage > 0:
                layers.append(Reduction(channels))
                channels = 2 * channels
            layers += [$cell for _ in range($cells)]
        self.layers = nn.Sequential(*layers)
        self.head = Head(channels, $classes)
'''
    + FORWARD
)

REDUCTION = '''
class Reduction(nn.Module):
    """Residual block that halves the image and doubles the channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        wide = 2 * channels
        self.first = nn.Conv2d(channels, wide, 3, stride=2, padding=1, bias=False)
        self.first_norm = batch_norm(wide)
        self.second = nn.Conv2d(wide, wide, 3, padding=1, bias=False)
        self.second_norm = batch_norm(wide)
        self.shortcut = nn.Conv2d(channels, wide, 1, bias=False)
        self.pool = nn.AvgPool2d(2, ceil_mode=True)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.first_norm(self.first(torch.relu(x)))
        inner = self.second_norm(self.second(torch.relu(inner)))
        return inner + self.shortcut(self.pool(x))
'''

CHAIN = (
    '''
class Network(nn.Module):
    """Stem, layers one after another, head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvNorm($input_channels, $channels, 3)
$layers
        self.head = Head($width, $classes)
'''
    + FORWARD
)
