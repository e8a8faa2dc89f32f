"""BayesNAS: a mixture whose irrelevant operations are pruned by a Bayesian prior."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from engine.core import capabilities
from engine.recipes.registry import Recipe, register_recipe
from engine.recipes.settings import AlphaSettings, EncodingSettings


class BayesNasSettings(AlphaSettings, EncodingSettings):
    """Settings of BayesNAS. There is no decay: the prior takes its place."""

    model_config = ConfigDict(extra="forbid")

    alpha_learning_rate: float = Field(
        1e-3, gt=0, le=10, description="Learning rate of the mixture weights."
    )
    alpha_weight_decay: float = Field(
        0.0, ge=0, le=1, description="L2 penalty on the mixture weights, beside the prior."
    )
    sparsity: float = Field(
        0.01, ge=0, le=1e6, description="Weight lambda of the reweighted l1 penalty."
    )
    prune_below: float = Field(
        0.01,
        ge=0,
        lt=1,
        description="Options whose prior variance falls below this share of the largest of "
        "those into the same node are pruned for good.",
    )


BAYESNAS = register_recipe(
    Recipe(
        name="bayesnas",
        title="BayesNAS",
        source="Zhou et al., ICML 2019, §3-4; 000 §5.2.2",
        help="Operations are added with weights under a hierarchical prior of automatic "
        "relevance determination; those that the data does not need are pruned epoch by epoch.",
        paths="relevance",
        mixes=True,
        learned="relevance",
        learner="relevance",
        searcher="derived",
        settings=BayesNasSettings,
        requires=frozenset({capabilities.SHARED_WEIGHTS, capabilities.OP_MIXTURE}),
        addons=frozenset({"landmark", "plasticity"}),
    )
)
