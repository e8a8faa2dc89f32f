"""The probability that a search result is better than random search with the same budget."""

from __future__ import annotations

from engine.metrics._arrays import whole_number


def surpass_random(rank: int, total: int, runs: int) -> float:
    """Return (1 - rank / total) ** runs: the chance that no random draw is as good or better.

    Among `total` architectures, rank 1 being the best, the best one that a method found in
    `runs` runs has the given rank. Random search with the same budget draws `runs` architectures
    uniformly with replacement; each misses the `rank` best ones with probability
    1 - rank / total, and the method is strictly better exactly when all of them miss.

    000 prints p = 1 - (1 - r / r_max)^n (eq. 5.1, and again in section 6.3.4). That is a misprint:
    it is the chance that random search matches or beats the method, which falls as the method
    improves. The rows of its Tables 5.3 and 5.4 (n = 10, r_max = 423,624: rank 19,552 -> .62,
    57,079 -> .24, 96,939 -> .07, 3,543 -> .92, 4,610 -> .90) follow the formula used here, and so
    does the authors' public code, which counts ranks from the worst: (r' / r_max)^n.

    Args:
        rank: of the best architecture found, 1..total (1 = best).
        total: number of architectures in the space (r_max), >= 1.
        runs: number of architectures found, one per run, and of random draws (n), >= 1.

    Returns:
        A probability in [0, 1).

    Raises:
        ValueError: an argument is not a whole number of its range.
    """
    total = whole_number("total", total, 1)
    rank = whole_number("rank", rank, 1, total)
    runs = whole_number("runs", runs, 1)
    return float(((total - rank) / total) ** runs)
