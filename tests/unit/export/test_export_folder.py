"""`architectures/<rank>/` and the command that takes things out of a run folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import onnxruntime
import pytest
import torch
from export_cases import CELLS, DATA, SKELETONS, images_for, module_of, nb201, scrambled

from engine.export import FoundArchitecture, write_architecture_folder
from engine.export.command import FORMATS, export
from engine.export.files import write_file
from engine.export.folder import open_architecture
from engine.export.record import ArchitectureRecord, load_architecture_json
from engine.networks import Route
from engine.spec.errors import ArchitectureError, ExportError
from engine.training.stand_alone import pack_weights

ROOT = Path(__file__).resolve().parents[3]


def found(**known: object) -> FoundArchitecture:
    given = {
        "architecture": nb201(CELLS["mixed"]),
        "network": SKELETONS["grey, odd"],
        "super_net_accuracy": 80.0,
        "stand_alone_accuracy": 97.0,
        "run_id": "some-run",
        "data": DATA,
    }
    return FoundArchitecture(**{**given, **known})  # type: ignore[arg-type]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Make a run folder with a trained architecture of rank 1 and an untrained one of rank 2."""
    run = tmp_path / "runs" / "some-run"
    weights = write_file(tmp_path / "bank.safetensors", pack_weights(scrambled(found().record())))
    write_architecture_folder(run / "architectures" / "1", found(weights=weights))
    untrained = found(architecture=nb201(CELLS["chain"]), stand_alone_accuracy=None)
    write_architecture_folder(run / "architectures" / "2", untrained)
    (run / "spec.yaml").write_text("seed: 1\n")
    return run


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def our_logits(record: ArchitectureRecord, images: torch.Tensor) -> torch.Tensor:
    net = scrambled(record)
    with net.probing():
        return net(images, Route.of(record.architecture))


def model_logits(path: Path, images: torch.Tensor) -> torch.Tensor:
    module = module_of(path.read_text(encoding="utf-8"))
    module.__file__ = str(path)
    with torch.no_grad():
        logits: torch.Tensor = module.build()(images)
    return logits


def test_files_of_the_folder(run: Path) -> None:
    usual = {"architecture.json", "model.py", "graph.svg"}
    assert names(run / "architectures" / "1") == usual | {"weights.safetensors"}
    assert names(run / "architectures" / "2") == usual


def test_files_agree(run: Path) -> None:
    folder = run / "architectures" / "1"
    record = load_architecture_json(folder / "architecture.json")
    assert record == found().record(rank=1)
    images = images_for(record)
    torch.testing.assert_close(
        model_logits(folder / "model.py", images), our_logits(record, images), rtol=1e-4, atol=1e-5
    )
    root = ElementTree.parse(folder / "graph.svg").getroot()
    assert root.findtext("{http://www.w3.org/2000/svg}title") == record.text


def test_writing_again_removes_what_no_longer_applies(run: Path) -> None:
    folder = run / "architectures" / "1"
    (folder / "model.onnx").write_bytes(b"old")
    write_architecture_folder(folder, found(architecture=nb201(CELLS["one conv"])))
    assert names(folder) == {"architecture.json", "model.py", "graph.svg"}
    assert load_architecture_json(folder / "architecture.json").indices == CELLS["one conv"]


def test_a_failure_leaves_no_complete_folder(run: Path, tmp_path: Path) -> None:
    folder = run / "architectures" / "1"
    wrong = found(architecture=nb201(CELLS["all none"]), weights=tmp_path / "bank.safetensors")
    with pytest.raises(ExportError, match="another architecture"):
        write_architecture_folder(folder, wrong)
    assert not (folder / "architecture.json").exists()


def test_an_architecture_of_no_space_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchitectureError):
        write_architecture_folder(tmp_path / "1", found(architecture=nb201((1, 2))))


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ExportError, match="Cannot write"):
        write_architecture_folder(tmp_path / "file" / "1", found())


# -- the command -----------------------------------------------------------------------------
@pytest.mark.parametrize("to", [to for to in FORMATS if to not in ("onnx", "bundle")])
def test_default_place_is_the_folder_itself(run: Path, to: str) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    path = export(run, 1, to)
    assert path.parent == run / "architectures" / "1"
    assert path.is_file()
    for old, data in before.items():
        assert old.read_bytes() == data


def test_python_elsewhere_brings_its_weights(run: Path, tmp_path: Path) -> None:
    record = found().record()
    images = images_for(record)
    wanted = our_logits(record, images)
    path = export(run, 1, "python", tmp_path / "out" / "best.py")
    assert names(path.parent) == {"best.py", "best.safetensors"}
    torch.testing.assert_close(model_logits(path, images), wanted, rtol=1e-4, atol=1e-5)
    folder = tmp_path / "existing"
    folder.mkdir()
    path = export(run, 1, "python", folder)
    assert names(folder) == {"model.py", "weights.safetensors"}
    torch.testing.assert_close(model_logits(path, images), wanted, rtol=1e-4, atol=1e-5)


def test_untrained_python(run: Path, tmp_path: Path) -> None:
    path = export(run, 2, "python", tmp_path / "out" / "second.py")
    assert names(path.parent) == {"second.py"}
    assert model_logits(path, torch.zeros(2, 1, 9, 9)).shape == (2, 7)


def test_onnx_in_a_process_of_its_own_is_quiet(run: Path) -> None:
    """As a page has it done: nothing is said, the file lies beside the others."""
    code = (
        "from pathlib import Path; from engine.export.command import export; "
        f"print(export(Path({str(run)!r}), 1, 'onnx'))"
    )
    path = run / "architectures" / "1" / "model.onnx"
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", code],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{path}\n", "")
    record = found().record()
    images = images_for(record)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"images": images.numpy()})
    torch.testing.assert_close(
        torch.from_numpy(logits), our_logits(record, images), rtol=1e-4, atol=1e-5
    )


def test_json_and_drawings(run: Path, tmp_path: Path) -> None:
    value = json.loads(export(run, 1, "json", tmp_path / "a.json").read_text())
    assert value["indices"] == list(CELLS["mixed"])
    assert "n0_0 -> n0_1" in export(run, 1, "dot", tmp_path / "a.dot").read_text()
    folder = run / "architectures" / "1"
    assert export(run, 1, "svg", tmp_path / "a.svg").read_bytes() == (
        (folder / "graph.svg").read_bytes()
    )
    stored = (folder / "weights.safetensors").read_bytes()
    assert export(run, 1, "safetensors", tmp_path / "a.safetensors").read_bytes() == stored


def test_bundle(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert export(run, None, "bundle") == Path("some-run.zip")
    with zipfile.ZipFile(tmp_path / "some-run.zip") as bundle:
        assert "some-run/architectures/1/model.py" in bundle.namelist()
    assert export(Path("runs/some-run"), 1, "bundle", tmp_path / "b.zip").read_bytes() == (
        (tmp_path / "some-run.zip").read_bytes()
    )


@pytest.mark.parametrize("to", ["onnx", "safetensors"])
def test_untrained_architectures_have_no_weights(run: Path, to: str) -> None:
    with pytest.raises(ExportError, match="rank 2 was not trained by itself"):
        export(run, 2, to)


def test_requests_that_make_no_sense(run: Path, tmp_path: Path) -> None:
    cases = [
        ((run, 1, "tensorflow"), "no export format `tensorflow`; use one of python, onnx"),
        ((run, None, "json"), "say which with --rank"),
        ((run, 3, "json"), "has no architecture of rank 3; it has 1, 2"),
        ((tmp_path, 1, "json"), "has no architecture of rank 1; it has none yet"),
        ((tmp_path / "none", 1, "json"), "There is no run folder"),
        ((tmp_path / "none", 1, "bundle"), "There is no run folder"),
    ]
    for arguments, message in cases:
        with pytest.raises(ExportError, match=message):
            export(*arguments)


def test_weights_of_another_architecture_are_noticed(run: Path) -> None:
    first, second = (run / "architectures" / rank for rank in "12")
    (second / "weights.safetensors").write_bytes((first / "weights.safetensors").read_bytes())
    with pytest.raises(ExportError, match="are of different architectures"):
        export(run, 2, "onnx")


def test_damaged_records_are_named(run: Path) -> None:
    path = run / "architectures" / "1" / "architecture.json"
    path.write_text("{}")
    with pytest.raises(ExportError, match=r"architecture.json is not an architecture record"):
        open_architecture(run, 1)
    with pytest.raises(ExportError, match="is not an architecture record"):
        export(run, 1, "python")
