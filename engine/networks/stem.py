"""The first layer of the image networks."""

from __future__ import annotations

from torch import Tensor, nn

from engine.networks.norm import Norm, NormPolicy


class Stem(nn.Module):
    """3x3 convolution and normalisation."""

    def __init__(self, channels_in: int, channels: int, policy: NormPolicy) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels, 3, padding=1, bias=False)
        self.norm = Norm(channels, policy)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C, H, W)."""
        return self.norm(self.conv(x))
