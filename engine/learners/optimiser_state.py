"""The tensors of any optimiser by parameter name, for checkpoints without pickle."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def optimiser_tensors(module: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return `<parameter>/<key>` to tensor for everything the optimiser keeps per parameter.

    Args:
        module: owns the parameters; the optimiser may have some of them only.
        optimiser: such as Adam, with `exp_avg`, `exp_avg_sq` and `step`.
    """
    found = {}
    for name, parameter in module.named_parameters():
        for key, value in optimiser.state.get(parameter, {}).items():
            if value is not None:
                found[f"{name}/{key}"] = torch.as_tensor(value)
    return found


def load_optimiser_tensors(
    module: nn.Module, optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]
) -> None:
    """Put back what `optimiser_tensors` returned."""
    parameters = dict(module.named_parameters())
    optimiser.state.clear()
    for path, value in tensors.items():
        name, _, key = path.rpartition("/")
        parameter = parameters[name]
        # Counters stay where they were made; moments live beside their parameter.
        place = parameter.device if value.shape == parameter.shape else value.device
        optimiser.state[parameter][key] = value.to(place).clone()
