"""NAO: gradient ascent in the latent space of an architecture autoencoder, with shared weights."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.core import capabilities
from engine.recipes.registry import Recipe, register_recipe


class NaoSettings(BaseModel):
    """Settings of NAO."""

    model_config = ConfigDict(extra="forbid")

    pool: int = Field(
        200,
        ge=4,
        le=100_000,
        description="Architectures in the pool; each step trains one of them, drawn uniformly.",
        json_schema_extra={"unit": "architectures"},
    )
    round_epochs: int = Field(
        25,
        ge=1,
        le=100_000,
        description="Epochs between two rounds; the last epoch always ends one.",
        json_schema_extra={"unit": "epochs"},
    )
    seeds: int = Field(
        50,
        ge=1,
        le=100_000,
        description="Best architectures of the pool from which gradient ascents start.",
        json_schema_extra={"unit": "architectures"},
    )
    new: int = Field(
        50,
        ge=0,
        le=100_000,
        description="Architectures found by gradient ascent that replace the worst, per round.",
        json_schema_extra={"unit": "architectures"},
    )
    new_random: int = Field(
        10,
        ge=0,
        le=100_000,
        description="Random architectures that replace further ones, per round.",
        json_schema_extra={"unit": "architectures"},
    )
    coder_width: int = Field(
        96,
        ge=1,
        le=4096,
        description="Units of encoder, decoder and embeddings; the predictor has twice as many.",
        json_schema_extra={"unit": "units"},
    )
    coder_epochs: int = Field(
        500,
        ge=1,
        le=100_000,
        description="Passes of encoder, predictor and decoder over the pool, per round.",
        json_schema_extra={"unit": "epochs"},
    )
    coder_batch: int = Field(
        100,
        ge=1,
        le=100_000,
        description="Architectures per update of encoder, predictor and decoder.",
        json_schema_extra={"unit": "architectures"},
    )
    coder_learning_rate: float = Field(
        1e-3, gt=0, le=10, description="Their learning rate (Adam)."
    )
    coder_weight_decay: float = Field(1e-4, ge=0, le=1, description="Their L2 penalty.")
    trade_off: float = Field(
        0.8,
        ge=0,
        le=1,
        description="Weight of the predictor's squared error; the decoder's cross-entropy has "
        "the rest.",
    )
    step_size: float = Field(
        1.0,
        gt=0,
        le=1e6,
        description="First step along the gradient of the predicted score; later tries go this "
        "much further each.",
    )
    step_limit: int = Field(
        50,
        ge=1,
        le=10_000,
        description="Tries with growing steps until enough new architectures are found.",
        json_schema_extra={"unit": "tries"},
    )

    @model_validator(mode="after")
    def _some_of_the_pool_stay(self) -> NaoSettings:
        if self.seeds > self.pool:
            raise ValueError(f"{self.seeds} `seeds` cannot be taken from a pool of {self.pool}")
        if self.new + self.new_random >= self.pool:
            raise ValueError(
                f"{self.new + self.new_random} new architectures would replace the whole pool of "
                f"{self.pool}; lower `new` or `new_random`"
            )
        return self


NAO = register_recipe(
    Recipe(
        name="nao",
        title="NAO",
        source="Luo et al., NeurIPS 2018; 000 §5.2.2, 002 §5",
        help="A pool of architectures shares the super-net. A model learns to encode them, to "
        "predict their accuracy and to decode them; steps uphill in its latent space give new "
        "architectures for the pool, whose best counts.",
        paths="sampled",
        learned="nao",
        learner="nao",
        searcher="derived",
        settings=NaoSettings,
        requires=frozenset({capabilities.SHARED_WEIGHTS, capabilities.SEQUENCE_CODE}),
        addons=frozenset({"landmark", "plasticity"}),
    )
)
