"""One thread: these networks are so small that a second one would only wait."""

from __future__ import annotations

import pytest


@pytest.fixture
def one_thread() -> None:
    import torch

    torch.set_num_threads(1)
