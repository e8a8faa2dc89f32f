"""Metrics of rankings, searches and runs: numbers in, numbers out. numpy and scipy, no torch.

`summary.ranking_metrics` gives all metrics of one super-net under the names of `METRICS`, the
catalogue with the written definition of each.
"""

from __future__ import annotations

from engine.metrics.anytime import AnytimeBand, anytime_band, at_times, best_so_far
from engine.metrics.binning import floor_bins, nearest_bins
from engine.metrics.bootstrap import Correlation, correlation_with_interval
from engine.metrics.catalogue import METRICS, MetricInfo, metric_info
from engine.metrics.comparison import GroupComparison, compare_groups, mean_and_std
from engine.metrics.disorder import Disorder, disorder, rank_change
from engine.metrics.forgetting import Forgetting, forgetting, forgetting_reduction
from engine.metrics.grouped import GroupTau, tau_by_group
from engine.metrics.hypervolume import hypervolume, non_dominated
from engine.metrics.random_policy import (
    Moments,
    best_of_draws,
    best_rank_of_draws,
    budget_blocks,
)
from engine.metrics.rank_correlation import (
    CORRELATIONS,
    kendall_tau,
    sparse_kendall_tau,
    sparse_kendall_tau_published,
    sparse_spearman,
    spearman,
)
from engine.metrics.rank_history import RankHistory, rank_history, shuffled_change
from engine.metrics.search_quality import (
    best_rank,
    final_performance,
    precision_at_k,
    rank_of,
    regret,
    selected,
    super_net_accuracy,
    top_k_overlap,
)
from engine.metrics.seed_stability import SeedStability, seed_stability
from engine.metrics.summary import (
    RANKING_METRICS,
    definitions,
    ranking_correlations,
    ranking_metrics,
)
from engine.metrics.surpass_random import surpass_random

__all__ = [
    "AnytimeBand",
    "CORRELATIONS",
    "Correlation",
    "Disorder",
    "Forgetting",
    "GroupComparison",
    "GroupTau",
    "METRICS",
    "MetricInfo",
    "Moments",
    "RANKING_METRICS",
    "RankHistory",
    "SeedStability",
    "anytime_band",
    "at_times",
    "best_of_draws",
    "best_rank",
    "best_rank_of_draws",
    "best_so_far",
    "budget_blocks",
    "compare_groups",
    "correlation_with_interval",
    "definitions",
    "disorder",
    "final_performance",
    "floor_bins",
    "forgetting",
    "forgetting_reduction",
    "hypervolume",
    "kendall_tau",
    "mean_and_std",
    "metric_info",
    "nearest_bins",
    "non_dominated",
    "precision_at_k",
    "rank_change",
    "rank_history",
    "rank_of",
    "ranking_correlations",
    "ranking_metrics",
    "regret",
    "seed_stability",
    "selected",
    "sparse_kendall_tau",
    "sparse_kendall_tau_published",
    "sparse_spearman",
    "shuffled_change",
    "spearman",
    "super_net_accuracy",
    "surpass_random",
    "tau_by_group",
    "top_k_overlap",
]
