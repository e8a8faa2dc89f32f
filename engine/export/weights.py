"""Stand-alone weights as safetensors, under the names that the exported `model.py` uses."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from engine.export.files import write_file
from engine.export.record import ArchitectureRecord, parse_architecture_json
from engine.export.sources import get_source
from engine.export.weights_file import RECORD_KEY, pack
from engine.networks import SuperNet, build_stand_alone
from engine.spec.errors import ExportError


def exported_state(net: SuperNet, record: ArchitectureRecord) -> dict[str, Tensor]:
    """Return copies of a network's parameters and moving averages, on the CPU, renamed.

    Args:
        net: a stand-alone network, as `build_stand_alone` makes it.
        record: its architecture and skeleton.

    Raises:
        ExportError: the network is not that of the record, or the space has no Python source.
    """
    state = net.state_dict()
    wanted = build_stand_alone(
        record.architecture, record.network, 0, record.search_space
    ).state_dict()
    shapes = {name: tuple(value.shape) for name, value in state.items()}
    if shapes != {name: tuple(value.shape) for name, value in wanted.items()}:
        raise ExportError(
            f"These weights are not of the architecture {record.text} in its skeleton; export "
            "them with the network specification they were trained with."
        )
    rename = get_source(record.search_space).renaming(record.architecture)
    renamed = {
        rename(name): value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, value in state.items()
    }
    if len(renamed) != len(state):
        raise ValueError(f"the source of `{record.space}` gives two weights one name")
    return renamed


def weights_bytes(net: SuperNet, record: ArchitectureRecord) -> bytes:
    """Return the content of `weights.safetensors`, see `weights_file.pack`.

    Arguments and errors are those of `exported_state`.
    """
    return pack({name: t.numpy() for name, t in exported_state(net, record).items()}, record)


def save_weights(path: Path, net: SuperNet, record: ArchitectureRecord) -> Path:
    """Write `weights.safetensors` atomically; see `weights_bytes`."""
    return write_file(path, weights_bytes(net, record))


def load_weights(path: Path) -> tuple[SuperNet, ArchitectureRecord]:
    """Build the network that a weights file describes, in evaluation mode, on the CPU.

    Call it with `Route.of(record.architecture)` inside `net.probing()`.

    Raises:
        ExportError: the file is missing, damaged, without a record, or not of its architecture.
    """
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise ExportError(f"{path} does not exist.") from None
    except (SafetensorError, OSError) as error:
        raise ExportError(f"{path} is not a whole safetensors file: {error}.") from None
    if RECORD_KEY not in metadata:
        raise ExportError(
            f"{path} does not say of which architecture its weights are; only files written "
            "here can be read back."
        )
    record = parse_architecture_json(metadata[RECORD_KEY], f"The record in {path}")
    return network_of(state, record, str(path)), record


def network_of(state: dict[str, Tensor], record: ArchitectureRecord, where: str) -> SuperNet:
    """Build a stand-alone network, in evaluation mode, from exported tensors.

    Args:
        state: tensors under the names of `exported_state`.
        record: the architecture they belong to.
        where: what to call the tensors' file in messages.

    Raises:
        ExportError: names, shapes or types are not those of the architecture.
    """
    net = build_stand_alone(record.architecture, record.network, 0, record.search_space)
    rename = get_source(record.search_space).renaming(record.architecture)
    ours = net.state_dict()
    names = {rename(name): name for name in ours}
    if set(state) != set(names):
        odd = min(set(state) ^ set(names))
        verb = "lacks the tensor" if odd in names else "has the unknown tensor"
        raise ExportError(f"{where} {verb} `{odd}`; it is not of the architecture {record.text}.")
    for theirs, name in names.items():
        given, wanted = state[theirs], ours[name]
        if (given.shape, given.dtype) != (wanted.shape, wanted.dtype):
            raise ExportError(
                f"In {where} the tensor `{theirs}` is {given.dtype} {tuple(given.shape)}; the "
                f"architecture has {wanted.dtype} {tuple(wanted.shape)}."
            )
    net.load_state_dict({name: state[theirs] for theirs, name in names.items()}, strict=True)
    return net.eval()
