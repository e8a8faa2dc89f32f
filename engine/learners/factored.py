"""Independent logits for every choice of an architecture (TuNAS; REINFORCE in 001 §5.4)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from engine.core.space import Space
from engine.learners.registry import LEARNED
from engine.learners.sequence_policy import SequencePolicy


class FactoredPolicy(SequencePolicy):
    """One logit per option of every choice of `Space.choices`, all equal at the start.

    Unlike `Logits`, whose choices are those of mixtures, it has an exact probability for every
    index tuple of any space, as policy gradients need.

    Args:
        space: the search space.
        settings: not used.
        generator: not used.
    """

    def __init__(self, space: Space, settings: Any, generator: torch.Generator) -> None:
        super().__init__(space)
        self.logits = nn.ParameterList(
            [nn.Parameter(torch.zeros(len(choice.options))) for choice in space.choices]
        )

    def start(self, rows: int) -> list[Tensor]:
        """Return the number of rows, in the shape of a state (rows, 0)."""
        return [self.logits[0].new_zeros(rows, 0)]

    def advance(
        self, position: int, before: Tensor | None, state: list[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """See `SequencePolicy.advance`; the options before do not matter."""
        return self.logits[position].expand(len(state[0]), -1), state


LEARNED.register("factored", FactoredPolicy)
