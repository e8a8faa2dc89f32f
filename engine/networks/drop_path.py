"""Drop-path: in training, what an edge carries is left out for some images."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class DropPath:
    """One setting for all cells of a network; acts inside `NormPolicy.tracking()` only.

    DARTS (§3.1) drops results of operations when it trains an architecture by itself, and raises
    the probability from epoch to epoch. Path dropout of super-nets (000 §6.4.5) drops "at all
    edge connections between the nodes", identities included.

    Attributes:
        probability: share of (image, edge) pairs that are left out; 0 switches it off.
        generator: source of the masks, on the device of the activations; None: torch's own.
        identities: drop edges without operation, too.
    """

    probability: float = 0.0
    generator: torch.Generator | None = None
    identities: bool = False

    def __call__(self, x: Tensor) -> Tensor:
        """Zero whole images of (B, C, H, W), and scale the others to keep the expectation."""
        return x * self.mask(x)

    def mask(self, x: Tensor) -> Tensor:
        """Draw the factors (B, 1, 1, 1) of one edge's result (B, C, H, W)."""
        keep = 1.0 - self.probability
        drawn = torch.rand(len(x), 1, 1, 1, device=x.device, generator=self.generator)
        return (drawn < keep).to(x.dtype) / keep
