"""NAO's encoder, predictor and decoder, with the pool of architectures they learn from."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.learners.pool import Pool
from engine.learners.registry import LEARNED
from engine.learners.sequence_policy import shares
from engine.learners.tokens import seeded, vocabularies


class Encoder(nn.Module):
    """LSTM over the tokens of an architecture; every state is scaled to length 1.

    Args:
        vocabulary: number of the embedding of each choice.
        sizes: options of each embedding.
        width: units.
        generator: source of the initial values.
    """

    def __init__(
        self, vocabulary: list[int], sizes: list[int], width: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.embeddings = nn.ModuleList(
            seeded(lambda size=size: nn.Embedding(size, width), generator) for size in sizes
        )
        self.lstm = seeded(lambda: nn.LSTM(width, width, batch_first=True), generator)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map option indices (N, T) to states (N, T, width)."""
        words = [self.embeddings[v](tokens[:, t]) for t, v in enumerate(self.vocabulary)]
        return F.normalize(self.lstm(torch.stack(words, 1))[0], dim=-1)


class Decoder(nn.Module):
    """LSTM that starts from the latent vector and attends over the encoder's states.

    Args are those of `Encoder`.
    """

    def __init__(
        self, vocabulary: list[int], sizes: list[int], width: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.first = seeded(lambda: nn.Embedding(1, width), generator)
        self.embeddings = nn.ModuleList(
            seeded(lambda size=size: nn.Embedding(size, width), generator) for size in sizes
        )
        self.cell = seeded(lambda: nn.LSTMCell(width, width), generator)
        self.join = seeded(lambda: nn.Linear(2 * width, width), generator)
        self.heads = nn.ModuleList(
            seeded(lambda size=size: nn.Linear(width, size), generator) for size in sizes
        )

    def forward(
        self, states: Tensor, latent: Tensor, tokens: Tensor | None = None
    ) -> tuple[list[Tensor], Tensor]:
        """Return logits (N, options) per choice, and the option of largest logit, (N, T).

        Args:
            states: of the encoder, (N, T, width).
            latent: (N, width).
            tokens: (N, T), the options that count as taken before; None: the decoder's own.
        """
        hidden = memory = latent
        start = torch.zeros(len(states), dtype=torch.int64, device=states.device)
        value, logits, best = self.first(start), [], []
        for position, vocabulary in enumerate(self.vocabulary):
            hidden, memory = self.cell(value, (hidden, memory))
            attention = torch.softmax((states @ hidden[:, :, None])[:, :, 0], 1)
            context = (attention[:, :, None] * states).sum(1)
            joined = torch.tanh(self.join(torch.cat([context, hidden], 1)))
            logits.append(self.heads[vocabulary](joined))
            best.append(logits[-1].argmax(1))
            taken = best[-1] if tokens is None else tokens[:, position]
            value = self.embeddings[vocabulary](taken)
        return logits, torch.stack(best, 1)


class NaoModel(nn.Module):
    """Architectures to vectors, vectors to scores and back (Luo et al., NeurIPS 2018, §3.2).

    Args:
        space: the search space.
        settings: a `NaoSettings`.
        generator: source of the initial values and of the first pool.

    Attributes:
        pool: the architectures that the super-net is trained on. Not a parameter: the learner
            keeps it in its state.
    """

    def __init__(self, space: Space, settings: Any, generator: torch.Generator) -> None:
        super().__init__()
        self.space = space
        width = settings.coder_width
        parts = (*vocabularies(space), width, generator)
        self.encoder = Encoder(*parts)
        self.decoder = Decoder(*parts)
        self.predictor = nn.Sequential(
            seeded(lambda: nn.Linear(width, 2 * width), generator),
            nn.ReLU(),
            seeded(lambda: nn.Linear(2 * width, 1), generator),
        )
        seed = int(torch.randint(2**62, (), generator=generator))
        self.pool = Pool(space)
        self.pool.add_random(settings.pool, np.random.default_rng(seed))

    @staticmethod
    def latent(states: Tensor) -> Tensor:
        """Return the mean of the encoder's states (N, T, width), scaled to length 1."""
        return F.normalize(states.mean(1), dim=-1)

    def predict(self, states: Tensor) -> Tensor:
        """Return the predicted score of encoder states (N, T, width), 0 to 1, (N,)."""
        return torch.sigmoid(cast(Tensor, self.predictor(self.latent(states)))[:, 0])

    def losses(self, tokens: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return the squared error of the predictor and the cross-entropy of the decoder.

        Args:
            tokens: (N, T).
            targets: scores between 0 and 1, (N,).
        """
        states = self.encoder(tokens)
        logits, _ = self.decoder(states, self.latent(states), tokens)
        right = [F.cross_entropy(one, tokens[:, t]) for t, one in enumerate(logits)]
        return F.mse_loss(self.predict(states), targets), torch.stack(right).mean()

    def decoded(self, states: Tensor) -> Tensor:
        """Return the option indices (N, T) that the decoder reads from states."""
        with torch.no_grad():
            found: Tensor = self.decoder(states, self.latent(states))[1]
        return found

    def ascended(self, states: Tensor, size: float) -> Tensor:
        """Move states along the gradient of their predicted score, then scale them to length 1.

        Args:
            states: (N, T, width), without a graph.
            size: factor of the gradient (eta in the paper).
        """
        states = states.detach().requires_grad_()
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(self.predict(states).sum(), states)
        return F.normalize(states.detach() + size * gradient, dim=-1)

    # -- as a distribution ----------------------------------------------------------------
    def probabilities(self) -> list[Tensor]:
        """Return per choice of `Space.mixture` the share of the pool that takes each option."""
        return shares(self.space, self.pool.members)

    def draw(self, rng: np.random.Generator) -> Architecture:
        """Draw uniformly from the pool."""
        members = self.pool.members
        return members[int(rng.integers(len(members)))]


LEARNED.register("nao", NaoModel)
