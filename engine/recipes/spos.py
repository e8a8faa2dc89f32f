"""Single-path one-shot: uniform paths, then evolution on super-net accuracy (003; 002 §5)."""

from __future__ import annotations

from engine.core import capabilities
from engine.recipes.registry import Recipe, register_recipe

SPOS = register_recipe(
    Recipe(
        name="spos",
        title="SPOS (single-path one-shot)",
        source="Guo et al., ECCV 2020; 000 §6.3.1, 002 §5",
        help="Each training step draws one architecture uniformly and trains only its weights. "
        "Afterwards evolution searches for the architecture with the best super-net accuracy.",
        paths="uniform",
        searcher="evolution",
        requires=frozenset({capabilities.SHARED_WEIGHTS}),
        addons=frozenset({"landmark", "plasticity"}),
    )
)
