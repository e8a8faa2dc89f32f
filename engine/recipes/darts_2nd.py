"""DARTS, second order: the architecture step looks one weight step ahead."""

from __future__ import annotations

from pydantic import ConfigDict

from engine.core import capabilities
from engine.recipes.registry import Recipe, register_recipe
from engine.recipes.settings import AlphaSettings, EncodingSettings


class SecondOrderSettings(AlphaSettings, EncodingSettings):
    """Settings of second-order DARTS."""

    model_config = ConfigDict(extra="forbid")


DARTS_2ND = register_recipe(
    Recipe(
        name="darts_2nd",
        title="DARTS, second order",
        source="Liu et al., ICLR 2019, §2.3, eq. 7-8; 000 §5.2.2, 001 §3.2.1",
        help="Like first-order DARTS, but the gradient of the architecture counts how the weights "
        "would answer to it. Four passes a step instead of one.",
        paths="soft",
        mixes=True,
        learned="logits",
        learner="unrolled",
        searcher="derived",
        derive="argmax",
        settings=SecondOrderSettings,
        requires=frozenset({capabilities.SHARED_WEIGHTS, capabilities.OP_MIXTURE}),
        addons=frozenset({"landmark", "plasticity"}),
    )
)
