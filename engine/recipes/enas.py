"""ENAS: an LSTM controller by REINFORCE, in turns with the weights of the paths it draws."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from engine.core import capabilities
from engine.recipes.registry import Recipe, register_recipe
from engine.recipes.settings import PolicyStepsSettings


class EnasSettings(PolicyStepsSettings):
    """Settings of ENAS."""

    model_config = ConfigDict(extra="forbid")

    controller_width: int = Field(
        100,
        ge=1,
        le=4096,
        description="Hidden units of a layer of the controller, and length of its embeddings.",
        json_schema_extra={"unit": "units"},
    )
    controller_layers: int = Field(
        2, ge=1, le=8, description="Layers of the controller (2 in 000 §5.2.2)."
    )
    tanh_constant: float = Field(
        2.5,
        gt=0,
        le=100,
        description="Largest size of a logit; smaller values keep all options more likely.",
    )
    temperature: float = Field(
        5.0, gt=0, le=1000, description="What logits are divided by before the tanh."
    )


ENAS = register_recipe(
    Recipe(
        name="enas",
        title="ENAS",
        source="Pham et al., ICML 2018; 000 §5.2.2, 003, 004 §1.8",
        help="An LSTM controller draws the path of every step. After each epoch it learns from "
        "the super-net accuracy of its draws; at the end the best of many draws counts.",
        paths="sampled",
        learned="controller",
        learner="reinforce",
        searcher="drawn",
        settings=EnasSettings,
        requires=frozenset({capabilities.SHARED_WEIGHTS, capabilities.SEQUENCE_CODE}),
        addons=frozenset({"landmark", "plasticity"}),
    )
)
