"""The ONNX file gives the network's logits, or is not handed out."""

from __future__ import annotations

import json
import logging
import socket
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from export_cases import CELLS, full_record, images_for, record_of, scrambled

from engine.export import onnx_file
from engine.export.onnx_file import OPSET, TOLERANCE, check_onnx, onnx_bytes, save_onnx
from engine.networks import Route
from engine.spec.errors import ExportError


def no_network(*arguments: Any, **named: Any) -> None:
    raise AssertionError("the export opened a connection")


@pytest.fixture(scope="module")
def exported() -> dict[str, Any]:
    """Export once: the file, and what was said and warned meanwhile."""
    record = full_record()
    net = scrambled(record)
    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", no_network)
    state = torch.get_rng_state()
    level = logging.getLogger("torch.onnx").level
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        data = onnx_bytes(net, record)
    patch.undo()
    return {
        "record": record,
        "net": net,
        "data": data,
        "warned": [str(item.message) for item in warned],
        "stream": torch.equal(torch.get_rng_state(), state),
        "level": logging.getLogger("torch.onnx").level == level,
    }


def run(data: bytes, images: torch.Tensor) -> np.ndarray:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"images": images.numpy()})
    return np.asarray(found)


@pytest.mark.parametrize("count", [1, 2, 3, 17])
def test_logits_in_every_batch_size(exported: dict[str, Any], count: int) -> None:
    record, net = exported["record"], exported["net"]
    images = images_for(record, count=count, seed=count)
    with net.probing():
        wanted = net(images, Route.of(record.architecture)).numpy()
    np.testing.assert_allclose(run(exported["data"], images), wanted, rtol=1e-4, atol=1e-5)


def test_check_reports_the_difference(exported: dict[str, Any]) -> None:
    assert check_onnx(exported["data"], exported["net"], exported["record"]) < TOLERANCE / 10


def test_names_shapes_and_opset(exported: dict[str, Any]) -> None:
    model = onnx.load_from_string(exported["data"])
    assert [(item.domain, item.version) for item in model.opset_import] == [("", OPSET)]

    def shape(value: onnx.ValueInfoProto) -> list[Any]:
        return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]

    (images,), (logits,) = model.graph.input, model.graph.output
    assert (images.name, shape(images)) == ("images", ["batch", 1, 9, 9])
    assert (logits.name, shape(logits)) == ("logits", ["batch", 7])
    assert {item.name for item in model.graph.initializer} >= {"head.classifier.weight"}


def test_record_is_in_the_file(exported: dict[str, Any]) -> None:
    model = onnx.load_from_string(exported["data"])
    (item,) = [p for p in model.metadata_props if p.key == "architecture_record"]
    assert json.loads(item.value)["data"]["mean"] == [0.25]


def test_nothing_of_this_machine_is_in_the_file(exported: dict[str, Any]) -> None:
    for path in {str(Path(torch.__file__).parents[1]), str(Path.cwd()), str(Path.home())}:
        assert path == "/" or path.encode() not in exported["data"]
    assert b"stack_trace" not in exported["data"]
    assert b"File \\" not in exported["data"]


def test_export_is_quiet_and_leaves_no_trace(exported: dict[str, Any]) -> None:
    assert exported["warned"] == []
    assert exported["stream"], "the random stream moved"
    assert exported["level"], "the level of a logger was left changed"
    assert not exported["net"].policy.use_moving


def test_terminal_stays_empty(
    exported: dict[str, Any],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    # A cell without operations, exported a second time, so that lazy imports are done.
    record = record_of(CELLS["all none"], "very small")
    net, path = scrambled(record), tmp_path / "folder" / "model.onnx"
    assert save_onnx(path, net, record) == path
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
    assert [item for item in caplog.records if item.levelno >= logging.WARNING] == []
    images = images_for(record)
    with net.probing():
        wanted = net(images, Route.of(record.architecture)).numpy()
    np.testing.assert_allclose(run(path.read_bytes(), images), wanted, rtol=1e-4, atol=1e-5)
    assert [item.name for item in path.parent.iterdir()] == ["model.onnx"]


def test_other_logits_are_not_handed_out(exported: dict[str, Any]) -> None:
    other = scrambled(exported["record"], seed=1)
    with pytest.raises(ExportError, match="gives other logits than the network"):
        check_onnx(exported["data"], other, exported["record"])


def test_a_small_difference_is_found(exported: dict[str, Any]) -> None:
    near = scrambled(exported["record"])
    with torch.no_grad():
        near.head.classifier.bias += 10 * TOLERANCE
    with pytest.raises(ExportError, match="allowed 1e-04"):
        check_onnx(exported["data"], near, exported["record"])


def test_logits_that_are_not_finite_are_not_handed_out(exported: dict[str, Any]) -> None:
    broken = scrambled(exported["record"])
    with torch.no_grad():
        broken.head.classifier.bias[0] = float("nan")
    with pytest.raises(ExportError, match="not finite"):
        check_onnx(exported["data"], broken, exported["record"])


def test_a_failed_check_writes_nothing(
    exported: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(onnx_file, "_convert", lambda model, record: exported["data"])
    other = scrambled(exported["record"], seed=1)
    with pytest.raises(ExportError, match="so it was not written"):
        save_onnx(tmp_path / "model.onnx", other, exported["record"])
    assert not list(tmp_path.iterdir())


def test_a_network_too_large_for_onnx_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file, "MAX_BYTES", 1000)
    with pytest.raises(ExportError, match="an ONNX file holds 2 GB"):
        onnx_bytes(scrambled(full_record()), full_record())
