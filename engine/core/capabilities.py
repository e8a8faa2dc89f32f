"""What parts offer and what they need; `compose` matches the two.

A misfit is refused with these sentences, so that the user learns what is missing.
"""

from __future__ import annotations

OP_CHOICE = "op_choice"
OP_MIXTURE = "op_mixture"
SHARED_WEIGHTS = "shared_weights"
WIDTH_SLICES = "width_slices"
WIDTH_MIXTURE = "width_mixture"
GROUND_TRUTH = "ground_truth"
SEQUENCE_CODE = "sequence_code"
CELL_GRAPH = "cell_graph"
ENUMERABLE = "enumerable"

SENTENCES = {
    OP_CHOICE: "choices between operations",
    OP_MIXTURE: "choices between operations that can be mixed with weights",
    SHARED_WEIGHTS: "a super-net that shares weights between architectures",
    WIDTH_SLICES: "widths that are slices of one larger layer",
    WIDTH_MIXTURE: "layers whose widths can be mixed with weights",
    GROUND_TRUTH: "stand-alone accuracies, from a table or from training",
    SEQUENCE_CODE: "architectures that can be written as a sequence of tokens",
    CELL_GRAPH: "a cell that can be drawn",
    ENUMERABLE: "a space small enough to be listed",
}
