"""How much a super-net's ranking hangs on the seed (000 sections 5.1, 5.2.5 and 5.3.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from engine.metrics.rank_correlation import kendall_tau

LEAST = 10  # common architectures below which a Kendall tau says next to nothing


@dataclass(frozen=True)
class SeedStability:
    """Agreement of the rankings of several seeds.

    Attributes:
        tau: mean Kendall tau-b over the pairs of seeds; 1 = every seed gives the same order.
            None without a pair that can be compared.
        pairs: number of pairs of seeds that were compared.
        common: smallest number of architectures that such a pair has in common; 0 without pairs.
    """

    tau: float | None
    pairs: int
    common: int


def seed_stability(scores: Sequence[Mapping[str, float]], least: int = LEAST) -> SeedStability:
    """Compare the rankings of every two seeds over the architectures that both have scored.

    Needs no ground truth: an unstable ranking cannot be right for most seeds. Pairs with fewer
    than `least` common architectures, or without an order (all scores equal), are left out.

    Args:
        scores: one mapping per seed, from architecture to super-net score.
        least: common architectures that a pair needs.
    """
    taus, sizes = [], []
    for first, second in combinations(scores, 2):
        common = sorted(first.keys() & second.keys())
        if len(common) < max(least, 2):
            continue
        tau = kendall_tau([first[name] for name in common], [second[name] for name in common])
        if tau is not None:
            taus.append(tau)
            sizes.append(len(common))
    mean = sum(taus) / len(taus) if taus else None
    return SeedStability(mean, len(taus), min(sizes, default=0))
