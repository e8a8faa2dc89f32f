"""Architectures as sequences of tokens: one per choice of a space, in its order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from engine.core.architecture import Architecture
from engine.core.space import Space

# Uniform between plus and minus this, as in ENAS's controller.
INITIAL_RANGE = 0.1


def vocabularies(space: Space) -> tuple[list[int], list[int]]:
    """Return the number of each choice's vocabulary, and the size of each vocabulary.

    Choices of one kind with the same options share a vocabulary, so that what is learned about
    an operation in one place is known in all.
    """
    numbers: dict[tuple[str, tuple[str, ...]], int] = {}
    of_choice = [numbers.setdefault((c.kind, c.options), len(numbers)) for c in space.choices]
    return of_choice, [len(options) for _, options in numbers]


def sequences(architectures: Sequence[Architecture], device: torch.device) -> Tensor:
    """Return the option indices of N architectures, int64 (N, choices)."""
    return torch.tensor([one.indices for one in architectures], device=device)


def seeded(make: Callable[[], nn.Module], generator: torch.Generator) -> nn.Module:
    """Make a module whose parameters come from `generator`, small and uniform; biases are 0.

    Torch's own generator, whose state is part of checkpoints, is left as it was.
    """
    with torch.device("meta"):
        module = make()
    module = module.to_empty(device="cpu")
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if name.rpartition(".")[2].startswith("bias"):
                parameter.zero_()
            else:
                parameter.uniform_(-INITIAL_RANGE, INITIAL_RANGE, generator=generator)
    return module
