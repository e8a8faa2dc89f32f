"""Global dropout: elements are left out right before the global pooling (000 §6.4.5)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from engine.networks.norm import NormPolicy


class GlobalDropout(nn.Module):
    """Dropout of the features that a head pools, in passes that train weights only.

    Training mode alone does not switch it on: landmark and plasticity terms run in it, too, and
    must not draw from any random stream.

    Args:
        probability: share of elements that are left out; 0 switches it off.
        policy: knows which passes train weights.
    """

    def __init__(self, probability: float, policy: NormPolicy) -> None:
        super().__init__()
        self.probability = probability
        self.policy = policy

    def forward(self, x: Tensor) -> Tensor:
        """Zero elements of (B, C, H, W), and scale the others to keep the expectation."""
        if self.probability == 0 or not self.policy.trains:
            return x
        return F.dropout(x, self.probability)
