"""The exported file by itself: in a bare interpreter, and its reader of safetensors."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from export_cases import CELLS, full_record, images_for, module_of, record_of, scrambled
from safetensors.torch import load, save

from engine.export.python_source import python_source
from engine.export.weights import save_weights
from engine.networks import Route

OURS = ("engine", "gpu_kernels", "app", "workers", "safetensors", "pydantic")
CHILD = """
import importlib.abc, importlib.util, sys

class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {ours}:
            raise ImportError("the exported file imports " + name)

sys.meta_path.insert(0, Refuse())
spec = importlib.util.spec_from_file_location("model", {model!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
import torch
torch.set_num_threads(1)
images = torch.load({images!r}, weights_only=True)
with torch.no_grad():
    torch.save(module.build()(images), {logits!r})
bad = sorted(name for name in sys.modules if name.split(".")[0] in {ours})
assert not bad, bad
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    record = full_record()
    save_weights(tmp_path / "weights.safetensors", scrambled(record), record)
    (tmp_path / "model.py").write_text(
        python_source(record, "weights.safetensors"), encoding="utf-8"
    )
    return tmp_path


def isolated(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python without our folder on its path, without site hooks of the environment."""
    return subprocess.run(
        [sys.executable, "-I", *arguments], cwd=folder, capture_output=True, text=True, timeout=120
    )


def test_trained_file_gives_our_logits_with_nothing_of_ours(folder: Path) -> None:
    record = full_record()
    images, net = images_for(record, count=5), scrambled(record)
    torch.save(images, folder / "images.pt")
    code = CHILD.format(
        ours=OURS,
        model=str(folder / "model.py"),
        images=str(folder / "images.pt"),
        logits=str(folder / "logits.pt"),
    )
    done = isolated("-c", code, folder=folder)
    assert done.returncode == 0, done.stderr
    with net.probing():
        wanted = net(images, Route.of(record.architecture))
    given = torch.load(folder / "logits.pt", weights_only=True)
    torch.testing.assert_close(given, wanted, rtol=1e-4, atol=1e-5)


def test_smoke_run(folder: Path) -> None:
    done = isolated("-W", "error", "model.py", folder=folder)
    assert done.returncode == 0, done.stderr
    count = sum(p.numel() for p in scrambled(full_record()).parameters())
    assert done.stdout == f"{count:,} parameters, (2, 1, 9, 9) -> (2, 7)\n"


def build(folder: Path, *arguments: str) -> Any:
    module = module_of((folder / "model.py").read_text(encoding="utf-8"))
    module.__file__ = str(folder / "model.py")
    return module.build(*arguments)


def test_missing_weights_are_named(folder: Path) -> None:
    (folder / "weights.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="weights.safetensors is missing"):
        build(folder)


def test_weights_from_elsewhere(folder: Path) -> None:
    other = folder / "other.safetensors"
    save_weights(other, scrambled(full_record(), seed=1), full_record())
    first, second = build(folder), build(folder, str(other))
    assert not first.training and not second.training
    assert not torch.equal(first.stem.conv.weight, second.stem.conv.weight)


def test_weights_of_another_architecture_are_refused(folder: Path) -> None:
    record = record_of(CELLS["all conv 3x3"], "grey, odd")
    other = folder / "other.safetensors"
    save_weights(other, scrambled(record), record)
    with pytest.raises(RuntimeError, match="Unexpected key"):
        build(folder, str(other))


def test_reader_agrees_with_the_library(folder: Path) -> None:
    tensors = {
        "double": torch.rand(2, 3, dtype=torch.float64),
        "half": torch.rand(5).half(),
        "brain": torch.rand(3, 1).bfloat16(),
        "whole": torch.tensor(7),
        "odd": torch.rand(3),
    }
    path = folder / "some.safetensors"
    path.write_bytes(save(tensors, {"note": "text"}))
    module = module_of((folder / "model.py").read_text(encoding="utf-8"))
    found = module.read_safetensors(path)
    assert found.keys() == tensors.keys()
    for name, value in load(path.read_bytes()).items():
        assert found[name].dtype == value.dtype
        assert torch.equal(found[name], value)


def raw(header: Any, values: bytes = b"\0" * 8) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + values


def entry(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"x": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


DAMAGED = {
    "empty": b"",
    "shorter than its length": b"\1\2",
    "header cut short": raw(entry())[:30],
    "values cut short": raw(entry())[:-1],
    "length beyond the file": struct.pack("<Q", 2**63) + b"{}",
    "header is no JSON": raw(b"{'x': 1}"),
    "header is no text": raw(b"\xff\xfe"),
    "header is a list": raw([1, 2]),
    "entry is a number": raw({"x": 1}),
    "no shape": raw({"x": {"dtype": "F32", "data_offsets": [0, 8]}}),
    "unknown type": raw(entry(dtype="PICKLE")),
    "type is a list": raw(entry(dtype=["F32"])),
    "size and shape differ": raw(entry(shape=[3])),
    "negative sizes": raw(entry(shape=[-1, -2])),
    "fraction in the shape": raw(entry(shape=[2.0])),
    "text in the shape": raw(entry(shape=["2"])),
    "offset before the values": raw(entry(offsets=[-8, 0])),
    "offset beyond the values": raw(entry(offsets=[8, 16])),
    "three offsets": raw(entry(offsets=[0, 8, 8])),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_reader_refuses_damaged_files(folder: Path, case: str) -> None:
    path = folder / "damaged.safetensors"
    path.write_bytes(DAMAGED[case])
    with pytest.raises(ValueError, match=r"damaged.safetensors is not a whole safetensors file"):
        build(folder, str(path))


def test_the_undamaged_form_of_these_is_read(folder: Path) -> None:
    path = folder / "whole.safetensors"
    path.write_bytes(raw(entry()))
    module = module_of((folder / "model.py").read_text(encoding="utf-8"))
    assert torch.equal(module.read_safetensors(path)["x"], torch.zeros(2))
