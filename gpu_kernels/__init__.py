"""Fused operations for training many small networks at once, in plain torch and in Triton.

Nothing here knows of architecture search. `import gpu_kernels` needs torch alone; Triton is
imported at the first call that runs in it.
"""

from gpu_kernels.dispatch import (
    Choice,
    KernelUnavailableError,
    double_backward,
    last_choice,
    subscribe,
)
from gpu_kernels.node_sum import node_sum

__all__ = [
    "Choice",
    "KernelUnavailableError",
    "double_backward",
    "last_choice",
    "node_sum",
    "subscribe",
]
