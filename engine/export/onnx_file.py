"""ONNX export of a trained stand-alone network, run with onnxruntime before it is handed out."""

from __future__ import annotations

import logging
import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from engine.export.files import write_file
from engine.export.python_source import python_source
from engine.export.record import ArchitectureRecord, architecture_json
from engine.export.weights import exported_state, network_of
from engine.export.weights_file import RECORD_KEY
from engine.networks import Route, SuperNet
from engine.spec.errors import ExportError

OPSET = 18
"""Version of the ONNX operator set that is written; onnxruntime reads it from 1.14 on."""

TOLERANCE = 1e-4
"""Largest difference of logits allowed, relative to the largest logit where that is above 1."""

CHECKED_BATCHES = (1, 2, 5)
MAX_BYTES = 2**31 - 2**24


def onnx_bytes(net: SuperNet, record: ArchitectureRecord) -> bytes:
    """Export a stand-alone network as it evaluates, with moving averages.

    The file has one input `images` (batch, C, H, W), float32, normalised as `record.data` says,
    one output `logits` (batch, classes), a free batch size, and the record as the metadata
    property `architecture_record`.

    What is exported is the network of `model.py`, which must agree with ours here: onnxruntime's
    logits are held against those of `net` on random images.

    Args:
        net: a stand-alone network, as `build_stand_alone` makes it, on any device.
        record: its architecture and skeleton.

    Raises:
        ExportError: the logits differ by more than `TOLERANCE` or are not finite, the network is
            not that of the record, or it is too large for one ONNX file (2 GB).
    """
    state = exported_state(net, record)
    size = sum(value.numel() * value.element_size() for value in state.values())
    if size > MAX_BYTES:
        raise ExportError(
            f"This network has {size / 1e9:.1f} GB of weights; an ONNX file holds 2 GB. "
            "Export `python` and `safetensors` instead."
        )
    model = source_network(record)
    model.load_state_dict(state, strict=True)
    data = _convert(model.eval(), record)
    check_onnx(data, network_of(state, record, "this network"), record)
    return data


def save_onnx(path: Path, net: SuperNet, record: ArchitectureRecord) -> Path:
    """Write the ONNX file atomically once it was checked; see `onnx_bytes`."""
    return write_file(path, onnx_bytes(net, record))


def source_network(record: ArchitectureRecord) -> nn.Module:
    """Build the network that the text of `model.py` defines, with random weights.

    Raises:
        ExportError: the space has no Python source.
    """
    module = types.ModuleType("model")
    exec(compile(python_source(record), "model.py", "exec"), module.__dict__)
    with torch.random.fork_rng(devices=[]):
        return module.Network()


def check_onnx(data: bytes, net: SuperNet, record: ArchitectureRecord) -> float:
    """Compare an ONNX file with a network on random images, in several batch sizes.

    Args:
        data: the file.
        net: the stand-alone network on the CPU.
        record: its architecture and skeleton.

    Returns:
        The largest difference of logits, divided by the largest logit where that is above 1.

    Raises:
        ExportError: the difference is above `TOLERANCE`, or logits are not finite.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    network, worst = record.network, 0.0
    for batch in CHECKED_BATCHES:
        shape = (batch, network.input_channels, network.resolution, network.resolution)
        images = rng.standard_normal(shape, dtype=np.float32)
        with net.probing():
            wanted = net(torch.from_numpy(images), Route.of(record.architecture)).numpy()
        (given,) = session.run(["logits"], {"images": images})
        worst = max(worst, _difference(given, wanted))
    if worst > TOLERANCE:
        raise ExportError(
            f"The ONNX file of {record.text} gives other logits than the network (difference "
            f"{worst:.1e}, allowed {TOLERANCE:.0e}), so it was not written. Export `python` "
            "instead, and report this."
        )
    return worst


def _difference(given: np.ndarray, wanted: np.ndarray) -> float:
    if given.shape != wanted.shape:
        raise ExportError(
            f"The ONNX file gives logits of shape {given.shape} instead of {wanted.shape}, so it "
            "was not written. Export `python` instead, and report this."
        )
    if not (np.isfinite(wanted).all() and np.isfinite(given).all()):
        raise ExportError(
            "The logits of this network are not finite numbers; its training went wrong, so "
            "there is nothing to export. Train it again with a lower learning rate."
        )
    return float(np.abs(given - wanted).max() / max(1.0, np.abs(wanted).max()))


def _convert(model: nn.Module, record: ArchitectureRecord) -> bytes:
    network = record.network
    images = torch.zeros(2, network.input_channels, network.resolution, network.resolution)
    program = _export(model, images)
    proto = program.model_proto
    _strip(proto.graph)
    proto.metadata_props.add(key=RECORD_KEY, value=architecture_json(record))
    proto.doc_string = f"{record.text} of the space {record.space}"
    onnx.checker.check_model(proto, full_check=True)
    return proto.SerializeToString(deterministic=True)


def _export(model: nn.Module, images: Tensor) -> torch.onnx.ONNXProgram:
    batch = torch.export.Dim("batch")
    with _quiet():
        program = torch.onnx.export(
            model,
            (images,),
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes={"images": {0: batch}},
        )
    assert program is not None, "with dynamo=True a program is returned"
    return program


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's notes for its own developers away from the user's terminal.

    Those are warnings about deprecated calls inside of torch and about torchvision being absent;
    errors still come through as exceptions.
    """
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        logger.setLevel(level)


def _strip(graph: onnx.GraphProto) -> None:
    """Remove the exporter's notes: they repeat the graph, and name paths of this machine."""
    del graph.metadata_props[:]
    items = (*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer)
    for item in items:
        del item.metadata_props[:]
        item.doc_string = ""
