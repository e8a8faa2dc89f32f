"""Image classification: cross-entropy and top-1 accuracy in percent."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

HIGHER_IS_BETTER = True
UNIT = "%"


def loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy of logits (B, classes) and labels (B,)."""
    return F.cross_entropy(logits.float(), labels)


def losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy per route, shape (R,), of logits (R, B, classes)."""
    routes, batch, classes = logits.shape
    each = F.cross_entropy(
        logits.float().reshape(-1, classes), labels.repeat(routes), reduction="none"
    )
    return each.reshape(routes, batch).mean(1)


def correct(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the number of right answers per route, shape (R,), of logits (R, B, classes)."""
    return (logits.argmax(-1) == labels).sum(-1)
