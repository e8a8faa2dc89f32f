"""Weights files from the results bank, rewritten under the names of `model.py`. No torch here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from engine.core.architecture import Architecture
from engine.export.files import read_file
from engine.export.record import ArchitectureRecord, architecture_json
from engine.export.sources import Translates, get_source
from engine.spec.errors import ExportError

RECORD_KEY = "architecture_record"
BUFFERS = (".running_mean", ".running_var")

Arrays = dict[str, np.ndarray]


def pack(arrays: Arrays, record: ArchitectureRecord) -> bytes:
    """Return the content of `weights.safetensors`: tensors, and the record as metadata.

    The metadata have the one key `architecture_record`, with the JSON of `architecture.json`:
    indices, text, network specification, normalisation of the data, class names. (Several keys
    would be written in an order that differs from process to process.)
    """
    return safetensors.numpy.save(arrays, {RECORD_KEY: architecture_json(record)})


def exported_weights(
    path: Path, record: ArchitectureRecord, trained_as: Architecture | None = None
) -> bytes:
    """Turn the state of our stand-alone network into the content of `weights.safetensors`.

    Args:
        path: safetensors file with the state under our names.
        record: the architecture to export.
        trained_as: the architecture whose network was trained, where it is an identical one
            with other indices; None: the architecture itself.

    Raises:
        ExportError: the file is missing, damaged, or not of this architecture and skeleton.
    """
    source = get_source(record.search_space)
    rename = source.renaming(record.architecture, trained_as)
    try:
        arrays = safetensors.numpy.load(read_file(path))
    except (SafetensorError, ValueError, KeyError) as error:
        raise ExportError(f"{path} is not a whole safetensors file: {error}.") from None
    if trained_as is not None and isinstance(source, Translates):
        arrays = source.translated(arrays, record.architecture, trained_as, record.network)
    renamed = {rename(name): array for name, array in arrays.items()}
    built = source.cost(record.architecture, record.network).params
    held = sum(array.size for name, array in renamed.items() if not name.endswith(BUFFERS))
    if held != built or len(renamed) != len(arrays):
        raise ExportError(
            f"{path} holds {held:,} parameters, but {record.text} has {built:,} in its skeleton; "
            "the file is of another architecture."
        )
    return pack(renamed, record)
