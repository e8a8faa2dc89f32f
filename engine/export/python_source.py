"""`model.py`: an architecture as a file that needs torch and nothing of ours. No torch here."""

from __future__ import annotations

import textwrap
from string import Template

from engine.export.record import ArchitectureRecord
from engine.export.sources import get_source

WIDTH = 99

_HEAD = '''
"""A network found by neural architecture search, in plain PyTorch."""

$facts

from __future__ import annotations

import json
import math
from pathlib import Path

import torch
$imports
$constants
'''

_READER = '''
DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
}


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Read tensors by name; nothing in the file is ever executed.

    The format is 8 bytes with the length of a JSON header, the header, the raw values.

    Raises:
        ValueError: the file is damaged or of another format.
    """
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    values = memoryview(data)[start:]
    tensors = {}
    try:
        if start > len(data):
            raise ValueError("its header is cut short")
        header = json.loads(data[8:start])
        header.pop("__metadata__", None)
        for name, entry in header.items():
            dtype, shape = DTYPES[entry["dtype"]], entry["shape"]
            first, last = entry["data_offsets"]
            size = math.prod(shape) * dtype.itemsize
            if min(shape, default=1) < 1 or first < 0 or not first + size == last <= len(values):
                raise ValueError(f"tensor {name} does not fit into the file")
            buffer = bytearray(values[first:last])
            tensors[name] = torch.frombuffer(buffer, dtype=dtype).reshape(shape)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a whole safetensors file: {error!r}") from error
    return tensors
'''

_MAIN = """
if __name__ == "__main__":
    model = build().eval()
    images = torch.randn(2, $input_channels, $resolution, $resolution)
    with torch.no_grad():
        logits = model(images)
    count = sum(parameter.numel() for parameter in model.parameters())
    print(f"{count:,} parameters, {tuple(images.shape)} -> {tuple(logits.shape)}")
"""

_NORMALISE = '''
def normalise(images: Tensor) -> Tensor:
    """Bring images (B, $input_channels, H, W) of values from 0 to 1 to what the network takes."""
    mean, std = images.new_tensor(MEAN), images.new_tensor(STD)
    return (images - mean.view(1, -1, 1, 1)) / std.view(1, -1, 1, 1)


'''

_BUILD_TRAINED = '''
def build(weights: str | None = None) -> Network:
    """Build the trained network, in evaluation mode.

    Args:
        weights: a safetensors file; None: `WEIGHTS`, beside this file.

    Raises:
        FileNotFoundError: there is no such file; `Network()` builds the network untrained.
        ValueError: the file is damaged.
    """
    path = Path(__file__).with_name(WEIGHTS) if weights is None else Path(weights)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; Network() builds the network untrained")
    network = Network()
    network.load_state_dict(read_safetensors(path), strict=True)
    return network.eval()
'''

_BUILD_UNTRAINED = '''
def build(weights: str | None = None) -> Network:
    """Build the network.

    Args:
        weights: a safetensors file to load, after which the network is in evaluation mode;
            None: random initial values (this architecture was not trained by itself).

    Raises:
        ValueError: the file is damaged.
    """
    network = Network()
    if weights is None:
        return network
    network.load_state_dict(read_safetensors(Path(weights)), strict=True)
    return network.eval()
'''


def python_source(record: ArchitectureRecord, weights: str | None = None) -> str:
    """Return the text of `model.py`.

    It defines `Network` (eager, evaluation with moving averages), `build(weights=None)` and,
    where the data is known, `CLASSES` and `normalise`.

    Args:
        record: the architecture with what is known about it.
        weights: name of the safetensors file beside it (see `engine.export.weights`), or None
            where it was not trained by itself.

    Raises:
        ExportError: the space has no Python source.
    """
    source = get_source(record.search_space)
    functional = "\nfrom torch.nn import functional as F"
    values = {
        "facts": "\n".join(f"# {line}".rstrip() for line in _facts(record)),
        "imports": "from torch import Tensor, nn"
        + (functional if source.uses_functional(record.architecture) else ""),
        "constants": _constants(record, weights),
        "input_channels": record.network.input_channels,
        "resolution": record.network.resolution,
    }
    sections = [_fill(_HEAD, values), source.body(record.architecture, record.network)]
    if record.data is not None and record.data.mean is not None:
        sections.append(_fill(_NORMALISE, values))
    sections += [_READER, _BUILD_UNTRAINED if weights is None else _BUILD_TRAINED]
    sections.append(_fill(_MAIN, values))
    return "\n\n\n".join(section.strip("\n") for section in sections) + "\n"


def _fill(template: str, values: dict[str, object]) -> str:
    return Template(template).substitute(values)


def _facts(record: ArchitectureRecord) -> list[str]:
    network, space = record.network, record.search_space
    built = get_source(record.search_space).cost(record.architecture, network)
    side = network.resolution
    lines = [
        f"{space.title}, written by NAS Workbench.",
        "",
        *_wrapped(record.text),
        "",
        f"Skeleton: channels {network.channels}, cells {network.cells}, "
        f"classes {network.classes}, images {network.input_channels} x {side} x {side}.",
        f"{built.params:,} parameters, {built.flops:,} {space.flop_unit} per image.",
    ]
    if (built.params, built.flops) != (record.params, record.flops):
        lines += _wrapped(
            f"The space counts operations that reach no output, too: {record.params:,} "
            f"parameters, {record.flops:,} {space.flop_unit}."
        )
    return lines + _origin(record)


def _origin(record: ArchitectureRecord) -> list[str]:
    lines = []
    found = [
        ("run", record.run_id),
        ("experiment", record.run_name),
        ("algorithm", record.algorithm),
        ("search", record.searcher),
        ("seed", record.seed),
        ("rank", record.rank),
    ]
    known = ", ".join(f"{name} {value}" for name, value in found if value is not None)
    if known:
        lines += _wrapped(f"Found by: {known}.")
    if record.data is not None:
        origin = f" ({record.data.source})" if record.data.source else ""
        lines += _wrapped(f"Data: {record.data.name}{origin}.")
    for name, value in (
        ("trained by itself", record.stand_alone_accuracy),
        ("with the super-net's weights", record.super_net_accuracy),
    ):
        if value is not None:
            lines.append(f"Accuracy {name}: {value:.2f} %.")
    return lines


def _wrapped(text: str) -> list[str]:
    """Break a text into comment lines; whatever could end a comment becomes a space."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return textwrap.wrap(plain, WIDTH - 2, break_long_words=False, break_on_hyphens=False)


def _constants(record: ArchitectureRecord, weights: str | None) -> str:
    lines = [] if weights is None else [f"WEIGHTS = {_literal(weights)}"]
    if record.data is not None:
        lines.append(_tuple("CLASSES", record.data.classes))
        if record.data.mean is not None and record.data.std is not None:
            lines += [_tuple("MEAN", record.data.mean), _tuple("STD", record.data.std)]
    return "\n".join(["", *lines] if lines else [])


def _tuple(name: str, values: tuple[object, ...]) -> str:
    """Write an assignment, one line where it fits, else one value a line."""
    texts = [_literal(value) for value in values]
    line = f"{name} = ({', '.join(texts)}{',' if len(texts) == 1 else ''})"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{name} = (", *(f"    {text}," for text in texts), ")"])


def _literal(value: object) -> str:
    """Write a number or text; texts in double quotes where that needs no escaping."""
    text = repr(value)
    if isinstance(value, str) and text == f"'{value}'" and '"' not in value:
        return f'"{value}"'
    return text
