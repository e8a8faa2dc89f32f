"""FBNetV2's search for widths: channel masks with Gumbel-softmax weights (001 §5.4)."""

from __future__ import annotations

from engine.core import capabilities
from engine.recipes.fbnet import FbnetSettings
from engine.recipes.registry import Recipe, register_recipe

FBNET_V2 = register_recipe(
    Recipe(
        name="fbnet_v2",
        title="FBNetV2 (masked widths)",
        source="Wan et al., CVPR 2020, §3.1; 001 §5.4 (masking and Gumbel-softmax)",
        help="Every layer runs at its largest width, times a mask that mixes all widths with "
        "Gumbel-softmax weights; their logits learn from the loss times a power of the log cost. "
        "A cost is approximated by a sum of prices per layer.",
        paths="gumbel_soft",
        mixes=True,
        learned="logits",
        learner="fbnet",
        searcher="derived",
        settings=FbnetSettings,
        requires=frozenset({capabilities.SHARED_WEIGHTS, capabilities.WIDTH_MIXTURE}),
        addons=frozenset({"landmark", "plasticity"}),
    )
)
