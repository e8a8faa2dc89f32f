"""Drop-path: in training, an operation's result is left out for some images (DARTS, §3.1)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class DropPath:
    """One setting for all cells of a network; the trainer raises it from epoch to epoch.

    Attributes:
        probability: share of (image, operation) pairs that are left out; 0 switches it off.
        generator: source of the masks, on the device of the activations; None: torch's own.
    """

    probability: float = 0.0
    generator: torch.Generator | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """Zero whole images of (B, C, H, W), and scale the others to keep the expectation."""
        keep = 1.0 - self.probability
        drawn = torch.rand(len(x), 1, 1, 1, device=x.device, generator=self.generator)
        return x * ((drawn < keep).to(x.dtype) / keep)
