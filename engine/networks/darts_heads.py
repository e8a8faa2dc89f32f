"""The classifiers of the DARTS skeleton: the one at its end, and the auxiliary one within."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.networks.dropout import GlobalDropout
from engine.networks.norm import Norm, NormPolicy


class Classifier(nn.Module):
    """Average over the image, linear classifier.

    Args:
        channels: of the last cell.
        classes: number of logits.
        policy: normalisation policy of the network.
        dropout: probability of dropout before the average in training.
    """

    def __init__(
        self, channels: int, classes: int, policy: NormPolicy, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.dropout = GlobalDropout(dropout, policy)
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x: Tensor, groups: int = 1) -> Tensor:
        """Return logits (groups*B, classes)."""
        return self.classifier(self.dropout(x).mean((2, 3)))


class AuxiliaryHead(nn.Module):
    """DARTS's second classifier, whose loss helps training; it pools to 2x2 first.

    DARTS pools 8x8 (CIFAR) and 7x7 (ImageNet) with a window of 5; other sizes are pooled to 2x2
    by windows that share the image evenly.
    """

    def __init__(self, channels: int, classes: int, policy: NormPolicy) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, 128, 1, bias=False)
        self.first_norm = Norm(128, policy)
        self.second = nn.Conv2d(128, 768, 2, bias=False)
        self.second_norm = Norm(768, policy)
        self.classifier = nn.Linear(768, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, classes) of (B, C, H, W)."""
        x = torch.relu(x)
        if tuple(x.shape[2:]) in ((7, 7), (8, 8)):
            x = F.avg_pool2d(x, 5, x.shape[2] - 5)
        else:
            x = F.adaptive_avg_pool2d(x, 2)
        x = torch.relu(self.first_norm(self.first(x)))
        return self.classifier(torch.relu(self.second_norm(self.second(x))).flatten(1))
