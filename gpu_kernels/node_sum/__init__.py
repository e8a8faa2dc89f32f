"""`node_sum`: normalise the tensors on a node's incoming edges and add them up, in one go."""

from gpu_kernels.node_sum.api import node_sum

__all__ = ["node_sum"]
