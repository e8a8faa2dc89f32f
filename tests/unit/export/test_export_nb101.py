"""`model.py` of NAS-Bench-101 builds the network that we build, in any order of vertices."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch
from export_cases import exported_network, images_for, scrambled
from hypothesis import given, settings
from hypothesis import strategies as st
from test_export_source import compare, compare_evaluation

from engine.export.folder import FoundArchitecture, write_architecture_folder
from engine.export.onnx_file import onnx_bytes
from engine.export.python_source import python_source
from engine.export.record import ArchitectureRecord, describe, load_architecture_json
from engine.export.sources import Selects, Translates, get_source
from engine.export.weights import exported_state, load_weights
from engine.export.weights_file import exported_weights
from engine.networks import Route
from engine.spaces import get_space
from engine.spaces.nb101 import NB101_SPACE
from engine.spaces.nb101_cells import orders, reordered
from engine.spec.errors import ExportError
from engine.spec.network import NetworkSpec, NormSpec

ROOT = Path(__file__).resolve().parents[3]
SKELETONS = {
    "uneven": NetworkSpec(channels=7, cells=1, classes=3, input_channels=1, resolution=9),
    "even, no affine": NetworkSpec(
        channels=12, cells=2, classes=3, resolution=8, norm=NormSpec(affine=False, momentum=0.3)
    ),
}
TEXTS = [
    "output(0)",
    "conv3x3(0);output(1)",
    "maxpool3x3(0);output(0,1)",
    "conv1x1(0);conv3x3(1);maxpool3x3(0,2);output(0,1,2,3)",
    "conv3x3();conv1x1(0);conv3x3(2);maxpool3x3(1);conv1x1(0);output(3,5)",
    "conv1x1(0);conv1x1(0);conv3x3(0);maxpool3x3(0);output(1,2,3,4)",
]


def record_of(text: str, skeleton: str) -> ArchitectureRecord:
    return describe(NB101_SPACE.parse(text), SKELETONS[skeleton])


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("skeleton", SKELETONS)
def test_it_is_the_same_network(text: str, skeleton: str) -> None:
    compare(record_of(text, skeleton))


def test_random_cells_are_the_same_network() -> None:
    rng = np.random.default_rng(0)
    for _ in range(12):
        compare(describe(NB101_SPACE.sample(rng), SKELETONS["uneven"]))


def test_published_network_has_the_published_number_of_parameters() -> None:
    """The cell of one max pooling before the other, as EC-NAS lists it."""
    network = NetworkSpec(channels=128, cells=3)
    record = describe(NB101_SPACE.parse("0110001000010000 IPPO"), network)
    exported = exported_network(record)
    assert sum(parameter.numel() for parameter in exported.parameters()) == 1_756_298
    text = python_source(record)
    assert "# 1,756,298 parameters, " in text and " operations per image." in text
    assert "The space counts operations" not in text


def test_subspaces_write_the_same() -> None:
    small = get_space("nb101", {"nodes": 4})
    one = small.parse("conv1x1(0);conv3x3(0,1);output(0,2)")
    record = describe(one, SKELETONS["uneven"], {"nodes": 4})
    whole = record_of("conv1x1(0);conv3x3(0,1);output(0,2)", "uneven")
    assert python_source(record) == python_source(whole)


def test_the_file_passes_the_linter_and_the_formatter(tmp_path: Path) -> None:
    for number, text in enumerate(TEXTS):
        (tmp_path / f"model_{number}.py").write_text(
            python_source(record_of(text, "uneven")), encoding="utf-8"
        )
    common = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", str(tmp_path)]
    for command in (["check", *common], ["format", "--check", *common]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("text", TEXTS)
def test_only_what_is_used_is_defined(text: str) -> None:
    source = python_source(record_of(text, "uneven"))
    assert source.count("max_pool(") != 1
    assert (" F\n" in source) == ("F." in source)


def test_onnx_gives_the_same_logits() -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    record = record_of("conv1x1(0);conv3x3(1);maxpool3x3(0,2);output(0,1,2,3)", "uneven")
    ours = scrambled(record)
    session = onnxruntime.InferenceSession(onnx_bytes(ours, record))
    images = images_for(record)
    with ours.probing():
        wanted = ours(images, Route.of(record.architecture))
    (given,) = session.run(None, {session.get_inputs()[0].name: images.numpy()})
    torch.testing.assert_close(torch.from_numpy(given), wanted, rtol=1e-3, atol=1e-4)


# -- other orders of vertices --------------------------------------------------------------------
def isomorphic(seed: int, pick: int) -> tuple[ArchitectureRecord, ArchitectureRecord]:
    """Return records of a random cell and of the same one in another order of vertices."""
    one = NB101_SPACE.sample(np.random.default_rng(seed))
    cell = NB101_SPACE.live(one).cell
    found = list(orders(cell))
    other = NB101_SPACE.of_cell(reordered(cell, found[pick % len(found)]))
    network = SKELETONS["even, no affine" if pick % 2 else "uneven"]
    return describe(one, network), describe(other, network)


def file_of(record: ArchitectureRecord, folder: Path) -> tuple[Path, torch.nn.Module]:
    net = scrambled(record)
    arrays = {name: value.numpy() for name, value in net.state_dict().items()}
    path = folder / "state.safetensors"
    path.write_bytes(safetensors.numpy.save(arrays))
    return path, net


@given(st.integers(0, 2**32), st.integers(0, 200))
@settings(max_examples=25, deadline=None)
def test_weights_follow_the_order_of_vertices(
    tmp_path_factory: pytest.TempPathFactory, seed: int, pick: int
) -> None:
    wanted, trained = isomorphic(seed, pick)
    folder = tmp_path_factory.mktemp("weights")
    path, ours = file_of(trained, folder)
    source = get_source("nb101")
    assert isinstance(source, Translates) and isinstance(source, Selects)
    architectures = wanted.architecture, trained.architecture
    if not source.fits(*architectures, wanted.network):
        with pytest.raises(ExportError, match="a channel more or less than in"):
            exported_weights(path, wanted, trained.architecture)
        assert wanted.network.channels == 7
        return
    data = exported_weights(path, wanted, trained.architecture)
    theirs = exported_network(wanted)
    theirs.load_state_dict(
        {name: torch.from_numpy(array) for name, array in safetensors.numpy.load(data).items()},
        strict=True,
    )
    compare_evaluation(trained, ours, theirs.eval(), images_for(wanted))


def test_evenly_split_channels_always_fit() -> None:
    source = get_source("nb101")
    assert isinstance(source, Selects)
    for seed in range(60):
        wanted, trained = isomorphic(seed, 2 * seed + 1)
        assert source.fits(wanted.architecture, trained.architecture, wanted.network)


def test_the_trained_order_is_written_where_weights_fit_no_other(tmp_path: Path) -> None:
    """Seven channels for two vertices: the pooling has four in one order, three in the other."""
    wanted = record_of("conv3x3(0);maxpool3x3(0);output(1,2)", "uneven")
    trained = record_of("maxpool3x3(0);conv3x3(0);output(1,2)", "uneven")
    assert wanted.canonical == trained.canonical and wanted.params != trained.params
    path, ours = file_of(trained, tmp_path)
    found = FoundArchitecture(
        architecture=wanted.architecture,
        network=wanted.network,
        weights=path,
        trained_as=trained.architecture,
    )
    write_architecture_folder(tmp_path / "1", found)
    assert load_architecture_json(tmp_path / "1" / "architecture.json").text == trained.text
    net, record = load_weights(tmp_path / "1" / "weights.safetensors")
    assert record.text == trained.text
    images, route = images_for(record), Route.of(record.architecture)
    with ours.probing(), net.probing():
        assert torch.equal(ours(images, route), net(images, route))


def test_weights_of_another_network_are_refused() -> None:
    source = get_source("nb101")
    one, other = (NB101_SPACE.parse(text) for text in TEXTS[1:3])
    name = "trunk.layers.0.vertices.1.operations.0.conv.weight"
    assert source.renaming(one)(name) == "layers.0.vertex_1.conv.weight"
    with pytest.raises(ExportError, match=r"of maxpool3x3\(0\).*another network than conv3x3"):
        source.renaming(one, other)
    with pytest.raises(ExportError, match="another network"):
        source.translated({}, one, other, SKELETONS["uneven"])  # type: ignore[attr-defined]
    record = record_of(TEXTS[1], "uneven")
    with pytest.raises(ExportError, match="not of the architecture"):
        exported_state(scrambled(record_of(TEXTS[3], "uneven")), record)
