"""Fair DARTS: operations do not compete; gates and a zero-one loss."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from engine.core import capabilities
from engine.recipes.registry import Recipe, register_recipe
from engine.recipes.settings import AlphaSettings, EncodingSettings


class FairDartsSettings(AlphaSettings, EncodingSettings):
    """Settings of Fair DARTS."""

    model_config = ConfigDict(extra="forbid")

    zero_one_weight: float = Field(
        10.0, ge=0, le=1e6, description="Weight of the loss that pushes gates to 0 or 1."
    )


FAIR_DARTS = register_recipe(
    Recipe(
        name="fair_darts",
        title="Fair DARTS",
        source="Chu et al., ECCV 2020; 000 §3.2",
        help="Every operation has a sigmoid gate of its own, so that none gains by pushing others "
        "down. Those above 0.85 are kept, at most two per node.",
        paths="soft",
        mixes=True,
        learned="gates",
        learner="zero_one",
        searcher="derived",
        derive="threshold",
        settings=FairDartsSettings,
        requires=frozenset({capabilities.SHARED_WEIGHTS, capabilities.OP_MIXTURE}),
        addons=frozenset({"landmark", "plasticity"}),
    )
)
