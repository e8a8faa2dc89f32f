"""Random search with parameter sharing (000 §5.2.3, §6.3.1; 001 §5.4)."""

from __future__ import annotations

from engine.core import capabilities
from engine.recipes.registry import Recipe, register_recipe

RSPS = register_recipe(
    Recipe(
        name="rsps",
        title="Random-NAS (RSPS)",
        source="Li and Talwalkar, UAI 2019; 000 §5.2.3",
        help="Trains like SPOS, one uniform path a step. Afterwards it keeps the best of randomly "
        "drawn architectures by super-net accuracy.",
        paths="uniform",
        searcher="random",
        baselines=(),
        requires=frozenset({capabilities.SHARED_WEIGHTS}),
        addons=frozenset({"landmark", "plasticity"}),
    )
)
