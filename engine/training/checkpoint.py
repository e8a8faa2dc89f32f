"""Checkpoints: tensors as safetensors, everything else as JSON, both replaced atomically.

The JSON file is written last and names its tensor file, so that a crash between the two leaves
the checkpoint before intact.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from engine.runs import read_json, write_atomically, write_json
from engine.spec.errors import RunError
from engine.training.optim import load_momentum, momentum_tensors

VERSION = 3
KEPT = 2


class Checkpoints:
    """The checkpoints of a run folder.

    Args:
        folder: `checkpoints/` of the run.
        keep: how many of the newest to keep.
    """

    def __init__(self, folder: Path, keep: int = KEPT) -> None:
        self.folder = folder
        self.keep = keep

    def save(self, number: int, state: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Write checkpoint `number` and drop the oldest.

        Raises:
            RunError: the disk is full.
        """
        self.folder.mkdir(exist_ok=True)
        name = f"{number:08d}.safetensors"
        packed = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
        write_atomically(self.folder / name, save(packed))
        content = {"version": VERSION, "tensors": name, "state": state}
        write_json(self.folder / f"{number:08d}.json", content)
        for old in self.numbers()[: -self.keep]:
            (self.folder / f"{old:08d}.json").unlink(missing_ok=True)
            (self.folder / f"{old:08d}.safetensors").unlink(missing_ok=True)

    def numbers(self) -> list[int]:
        """Return the numbers of the complete checkpoints, oldest first."""
        return sorted(int(path.stem) for path in self.folder.glob("[0-9]*.json"))

    def latest(self) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
        """Return (state, tensors) of the newest checkpoint, or None.

        Raises:
            RunError: it is damaged or of another version.
        """
        numbers = self.numbers()
        if not numbers:
            return None
        path = self.folder / f"{numbers[-1]:08d}.json"
        content = read_json(path)
        if content.get("version") != VERSION:
            raise RunError(
                f"The checkpoint {path.name} is of version {content.get('version')}; this "
                f"program reads {VERSION}. Start the run anew."
            )
        try:
            tensors = load_file(self.folder / content["tensors"])
        except (OSError, SafetensorError) as error:
            raise RunError(
                f"The checkpoint {content['tensors']} is damaged ({error}). Delete it and its "
                "JSON file to resume from the one before."
            ) from None
        return content["state"], tensors


def pack(net: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Collect weights, buffers, momentum and torch's own random states."""
    tensors = {f"net/{name}": value for name, value in net.state_dict().items()}
    tensors |= {f"momentum/{k}": v for k, v in momentum_tensors(net, optimiser).items()}
    tensors["random/cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random/cuda"] = torch.cuda.get_rng_state()
    return tensors


def unpack(tensors: dict[str, Tensor], net: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    """Put back what `pack` collected.

    Raises:
        RunError: the weights do not fit the network.
    """
    weights = {k.removeprefix("net/"): v for k, v in tensors.items() if k.startswith("net/")}
    try:
        net.load_state_dict(weights)
    except RuntimeError as error:
        first = str(error).splitlines()[0]
        raise RunError(f"The checkpoint does not fit this experiment: {first}") from None
    device = next(net.parameters()).device
    momentum = {
        k.removeprefix("momentum/"): v.to(device)
        for k, v in tensors.items()
        if k.startswith("momentum/")
    }
    load_momentum(net, optimiser, momentum)
    torch.set_rng_state(tensors["random/cpu"])
    if "random/cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["random/cuda"])
