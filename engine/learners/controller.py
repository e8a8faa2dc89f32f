"""ENAS's controller: an LSTM that emits one option after another (000 §5.2.2; 004 §1.8)."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from engine.core.space import Space
from engine.learners.registry import LEARNED
from engine.learners.sequence_policy import SequencePolicy
from engine.learners.tokens import seeded, vocabularies


class Controller(SequencePolicy):
    """Two-layer LSTM; its input is the embedding of the option taken before.

    logits = tanh_constant * tanh(W h / temperature), which keep every option possible (Pham et
    al. 2018, §2.1 and appendix; Bello et al. 2017). Choices between earlier nodes are options
    like all others here, where ENAS attends over the nodes' states.

    Args:
        space: the search space.
        settings: a `ControllerSettings`.
        generator: source of the initial values.
    """

    def __init__(self, space: Space, settings: Any, generator: torch.Generator) -> None:
        super().__init__(space)
        self.tanh_constant = settings.tanh_constant
        self.temperature = settings.temperature
        width = settings.controller_width
        self.vocabulary, sizes = vocabularies(space)
        self.cells = nn.ModuleList(
            seeded(lambda: nn.LSTMCell(width, width), generator)
            for _ in range(settings.controller_layers)
        )
        self.first = seeded(lambda: nn.Embedding(1, width), generator)
        self.embeddings = nn.ModuleList(
            seeded(lambda size=size: nn.Embedding(size, width), generator) for size in sizes
        )
        self.heads = nn.ModuleList(
            seeded(lambda size=size: nn.Linear(width, size), generator) for size in sizes
        )

    def start(self, rows: int) -> list[Tensor]:
        """Return zeros: hidden and cell state of every layer, (rows, width) each."""
        weight = cast(Tensor, self.first.weight)
        return [weight.new_zeros(rows, weight.shape[1]) for _ in range(2 * len(self.cells))]

    def advance(
        self, position: int, before: Tensor | None, state: list[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """See `SequencePolicy.advance`."""
        if before is None:
            value = self.first(torch.zeros(len(state[0]), dtype=torch.int64, device=self.device))
        else:
            value = self.embeddings[self.vocabulary[position - 1]](before)
        following: list[Tensor] = []
        for layer, cell in enumerate(self.cells):
            value, memory = cell(value, (state[2 * layer], state[2 * layer + 1]))
            following += [value, memory]
        logits = self.heads[self.vocabulary[position]](value)
        return self.tanh_constant * torch.tanh(logits / self.temperature), following


LEARNED.register("controller", Controller)
