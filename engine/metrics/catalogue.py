"""Every metric by name, with its written definition: what `list metrics` prints."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MetricInfo:
    """What a reader must know to interpret a number.

    Attributes:
        name: the key in `result.json` and events.
        title: for axis labels and table heads.
        definition: complete enough to compute it by hand.
        unit: of the value; "task metric" stands for the unit of the task's own metric
            (percent for accuracy, perplexity, loss).
        higher_is_better: None where it follows the task's metric or there is no better.
        source: document, section, equation.
    """

    name: str
    title: str
    definition: str
    unit: str
    higher_is_better: bool | None
    source: str


_RANKING = (
    MetricInfo(
        "kendall_tau",
        "Kendall tau",
        "tau-b of ground truth and super-net score over the sampled architectures: concordant "
        "minus discordant pairs, over the geometric mean of the pairs not tied on either side. "
        "1: same order, -1: opposite order.",
        "none, -1 to 1",
        True,
        "000 section 5.2.5 (Kendall 1938)",
    ),
    MetricInfo(
        "sparse_kendall_tau",
        "Sparse Kendall tau",
        "tau-b(ground truth rounded to the threshold, score), threshold 0.1 percent points unless "
        "stated. Rounding is exact in decimals, half to even; scores are averaged over super-nets "
        "and not rounded.",
        "none, -1 to 1",
        True,
        "000 section 6.3.3; 002 section 5",
    ),
    MetricInfo(
        "sparse_kendall_tau_published",
        "Sparse Kendall tau (as in the authors' code)",
        "Number the occupied bins floor(truth / threshold) from worst to best; tau-b between "
        "these numbers in the order of the truth and the same numbers in the order of the "
        "scores, position by position. Bins are exact in decimals. For matching published "
        "figures; not the written definition.",
        "none, -1 to 1",
        True,
        "public code that accompanies 000 chapter 6 and 002",
    ),
    MetricInfo(
        "spearman",
        "Spearman rho",
        "Pearson correlation of the ranks of ground truth and score; ties share their mean rank.",
        "none, -1 to 1",
        True,
        "000 section 6.4.1, Table 6.3",
    ),
    MetricInfo(
        "sparse_spearman",
        "Sparse Spearman rho",
        "Spearman rho of (ground truth rounded to the threshold, score), rounded as for "
        "sparse_kendall_tau.",
        "none, -1 to 1",
        True,
        "000 section 6.4.1, Table 6.3",
    ),
    MetricInfo(
        "mean_absolute_displacement",
        "Mean rank displacement",
        "Mean of |position by score - position by ground truth|, positions 1 to n; ties on one "
        "side are ordered by the other side.",
        "ranks",
        False,
        "000 figure 5.5",
    ),
    MetricInfo(
        "rank_change",
        "Rank change while training",
        "Mean of |rank now - rank at the evaluation before| over the sample; ties on one side are "
        "ordered by the other side. Two orders without anything in common give (n^2 - 1) / (3 n).",
        "ranks",
        False,
        "000 section 5.3.5, figure 5.7",
    ),
    MetricInfo(
        "sample_size",
        "Sample size",
        "Number of architectures that the ranking metrics are computed over, landmarks left out.",
        "architectures",
        None,
        "000 section 6.3.3; 002 section 5",
    ),
)

_SEARCH = (
    MetricInfo(
        "super_net_accuracy",
        "Super-net accuracy",
        "Mean score of the sampled architectures with the super-net's weights (in the task's own "
        "metric; averaged over super-nets where there are several).",
        "task metric",
        None,
        "000 section 6.3.4",
    ),
    MetricInfo(
        "final_accuracy",
        "Final search performance",
        "Mean ground truth of the 3 architectures of best score (of all if fewer); tied scores "
        "are taken in the order of the sample.",
        "task metric",
        None,
        "000 section 6.3.4",
    ),
    MetricInfo(
        "best_rank",
        "Best rank",
        "Rank, by ground truth among all architectures of the space, of the best of the 3 "
        "architectures of best score; 1 is the best, equal values share the best rank.",
        "rank",
        False,
        "000 section 5.2.5, Table 5.3",
    ),
    MetricInfo(
        "best_accuracy",
        "Best accuracy",
        "Best ground truth among all architectures that the search ended with.",
        "task metric",
        None,
        "002 Table 1",
    ),
    MetricInfo(
        "surpass_random",
        "Probability to surpass random search",
        "(1 - r / r_max)^n with r = best_rank, r_max architectures in the space and n selected "
        "architectures (3): the chance that none of n uniform draws is as good or better. "
        "Equation 5.1 is printed as 1 - (1 - r / r_max)^n, but the rows of Tables 5.3 and 5.4 "
        "follow the form used here.",
        "probability, 0 to 1",
        True,
        "000 equation 5.1, Tables 5.3 and 5.4",
    ),
    MetricInfo(
        "regret",
        "Regret",
        "Best ground truth of the space minus that of the best of the 3 architectures of best "
        "score (the other way round where lower is better); 0 is best.",
        "task metric",
        False,
        "simple regret; 001 section 5.4.3 compares searches with the optimum",
    ),
    MetricInfo(
        "precision_at_k",
        "Precision at 10",
        "Share of the 10 architectures of best score that are in the best tenth of the sample by "
        "ground truth (rounded up; ties with the last of them count).",
        "share, 0 to 1",
        True,
        "information retrieval; answers the limitation named in 000 section 6.3.3",
    ),
    MetricInfo(
        "top_k_overlap",
        "Top-10 overlap",
        "Number of architectures that are both in the best 10 by score and in the best 10 by "
        "ground truth, divided by 10; ties in the order of the sample.",
        "share, 0 to 1",
        True,
        "information retrieval; answers the limitation named in 000 section 6.3.3",
    ),
    MetricInfo(
        "best_so_far",
        "Best so far",
        "Ground truth of the architecture whose search signal was the best of all trials finished "
        "by a given simulated time.",
        "task metric",
        None,
        "001 section 5.4.3, figure 5.6",
    ),
    MetricInfo(
        "hypervolume",
        "Hypervolume",
        "Volume of the region of objectives that the found architectures dominate, bounded by a "
        "reference point.",
        "product of the objectives' units",
        True,
        "Zitzler and Thiele 1998",
    ),
)

_FORGETTING = tuple(
    MetricInfo(
        name,
        title,
        f"{what} of err_2 - err_1 over the architectures sampled in an epoch: err_1 is an "
        "architecture's error right after its own step, err_2 at the end of the epoch.",
        "task metric (an error)",
        False,
        "000 section 4.4.2, figure 4.4",
    )
    for name, title, what in (
        ("forgetting_mean", "Forgetting, mean", "Mean"),
        ("forgetting_top5", "Forgetting, top 5", "Mean, over the 5 of lowest err_1,"),
        ("forgetting_max", "Forgetting, maximum", "Maximum"),
    )
)

_COMPARISON = (
    MetricInfo(
        "random_policy",
        "Random architectures",
        "Ground truth of a uniformly drawn architecture: mean and standard deviation over the "
        "correlation samples of the group's runs (landmarks left out). At the budget of the "
        "search, n architectures are drawn: their mean is held against final_accuracy, and the "
        "best of them has the moments of the maximum of n draws with replacement.",
        "task metric",
        None,
        "000 sections 5.1 and 5.2.3",
    ),
    MetricInfo(
        "seed_stability",
        "Agreement between seeds",
        "Kendall tau-b between the super-net scores of two seeds over the architectures that both "
        "have scored, at least 10; mean over all pairs of seeds. 1: every seed ranks alike.",
        "none, -1 to 1",
        True,
        "000 sections 5.1 and 5.3.3",
    ),
    MetricInfo(
        "difference",
        "Difference of means",
        "Mean over seeds minus the baseline's mean over seeds, with Welch's 95 % confidence "
        "interval.",
        "task metric",
        None,
        "000 section 5.2.3",
    ),
    MetricInfo(
        "p_two_sided",
        "p (two-sided)",
        "Welch's t-test of equal means: chance of a difference at least as large in either "
        "direction if there were none. Not corrected for several comparisons.",
        "probability, 0 to 1",
        None,
        "Welch 1947",
    ),
    MetricInfo(
        "p_better",
        "p (better than the baseline)",
        "Welch's t-test, one-sided: small when the group is better than the baseline. Not "
        "corrected for several comparisons.",
        "probability, 0 to 1",
        None,
        "Welch 1947",
    ),
    MetricInfo(
        "cohen_d",
        "Cohen's d",
        "Difference of means over the root mean square of the two standard deviations (ddof 1).",
        "none",
        None,
        "Cohen 1988",
    ),
)

METRICS: tuple[MetricInfo, ...] = _RANKING + _SEARCH + _FORGETTING + _COMPARISON


def metric_info(name: str) -> MetricInfo:
    """Return the catalogue's entry.

    Raises:
        KeyError: no metric of that name; the message lists what there is.
    """
    for info in METRICS:
        if info.name == name:
            return info
    known = ", ".join(info.name for info in METRICS)
    raise KeyError(f"there is no metric {name!r}; known are {known}")
