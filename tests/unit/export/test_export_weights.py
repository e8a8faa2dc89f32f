"""Weights survive the way out and back, and never end up in another network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from export_cases import (
    CELLS,
    SKELETONS,
    exported_network,
    full_record,
    images_for,
    random_cells,
    record_of,
    scrambled,
)

from engine.export.record import ArchitectureRecord, architecture_json
from engine.export.weights import load_weights, save_weights, weights_bytes
from engine.export.weights_file import RECORD_KEY, exported_weights
from engine.networks import Route, SuperNet
from engine.spaces import get_space
from engine.spec.errors import ExportError
from engine.training.stand_alone import pack_weights


def logits(net: SuperNet, record: ArchitectureRecord, images: torch.Tensor) -> torch.Tensor:
    with net.probing():
        return net(images, Route.of(record.architecture))


@pytest.mark.parametrize("cell", CELLS)
def test_round_trip_is_exact(cell: str, tmp_path: Path) -> None:
    record = record_of(CELLS[cell], "colour, no affine")
    net, images = scrambled(record), images_for(record)
    path = save_weights(tmp_path / "deep" / "weights.safetensors", net, record)
    back, found = load_weights(path)
    assert found == record
    assert not back.training
    assert torch.equal(logits(back, record, images), logits(net, record, images))


def test_record_travels_along(tmp_path: Path) -> None:
    record = full_record()
    _, found = load_weights(save_weights(tmp_path / "w", scrambled(record), record))
    assert found == record
    assert found.data is not None
    assert (found.data.mean, found.data.std) == ((0.25,), (0.5,))
    assert found.data.classes[3] == "three"


def test_memory_format_and_gradients_do_not_matter() -> None:
    record = full_record()
    net = scrambled(record)
    wanted = weights_bytes(net, record)
    net = net.to(memory_format=torch.channels_last)
    net(images_for(record), Route.of(record.architecture)).sum().backward()
    assert weights_bytes(net, record) == wanted


def test_exporting_leaves_the_random_stream_alone() -> None:
    record = full_record()
    net = scrambled(record)
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    weights_bytes(net, record)
    assert torch.equal(torch.rand(3), wanted)


def test_another_architecture_is_refused() -> None:
    record = full_record()
    with pytest.raises(ExportError, match="These weights are not of the architecture"):
        weights_bytes(scrambled(record_of(CELLS["all conv 3x3"], "grey, odd")), record)


def test_another_skeleton_is_refused() -> None:
    wide = full_record().network.model_copy(update={"channels": 4})
    record = full_record()
    with pytest.raises(ExportError, match="These weights are not of the architecture"):
        weights_bytes(scrambled(record.model_copy(update={"network": wide})), record)


def stored(tmp_path: Path, record: ArchitectureRecord) -> dict[str, torch.Tensor]:
    path = save_weights(tmp_path / "first.safetensors", scrambled(record), record)
    return safetensors.torch.load(path.read_bytes())


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    record = full_record()
    whole = weights_bytes(scrambled(record), record)
    path = tmp_path / "damaged.safetensors"
    for data in (b"", b"PK\3\4 no weights", whole[:-1], whole[:100], whole + b"\0"):
        path.write_bytes(data)
        with pytest.raises(ExportError, match="is not a whole safetensors file"):
            load_weights(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="does not exist"):
        load_weights(tmp_path / "none.safetensors")
    with pytest.raises(ExportError, match="is not a whole safetensors file"):
        load_weights(tmp_path)


def test_weights_without_record_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    path.write_bytes(safetensors.torch.save(stored(tmp_path, full_record()), {"format": "pt"}))
    with pytest.raises(ExportError, match="does not say of which architecture"):
        load_weights(path)


def test_missing_unknown_and_wrong_tensors_are_named(tmp_path: Path) -> None:
    record = full_record()
    tensors = stored(tmp_path, record)
    name = "stem.conv.weight"
    less = {key: value for key, value in tensors.items() if key != name}
    cases = {
        f"lacks the tensor `{name}`": less,
        "has the unknown tensor `extra`": {**tensors, "extra": torch.zeros(1)},
        f"the tensor `{name}` is torch.float32 \\(1,\\)": {**tensors, name: torch.zeros(1)},
        f"the tensor `{name}` is torch.float64": {**tensors, name: tensors[name].double()},
    }
    path = tmp_path / "changed.safetensors"
    for message, changed in cases.items():
        path.write_bytes(safetensors.torch.save(changed, {RECORD_KEY: architecture_json(record)}))
        with pytest.raises(ExportError, match=message):
            load_weights(path)


# -- from the results bank -------------------------------------------------------------------
def banked(tmp_path: Path, net: SuperNet) -> Path:
    path = tmp_path / "bank.safetensors"
    path.write_bytes(pack_weights(net))
    return path


def test_bank_file_becomes_the_same_file(tmp_path: Path) -> None:
    record = full_record()
    net = scrambled(record)
    assert exported_weights(banked(tmp_path, net), record) == weights_bytes(net, record)


def twins(count: int) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return pairs of cells with other indices and equal canonical form."""
    space, seen = get_space("nb201"), {}
    pairs = []
    for indices in random_cells(2500, seed=1):
        key = space.canonical(record_of(indices, "very small").architecture)
        first = seen.setdefault(key, indices)
        if first != indices:
            pairs.append((first, indices))
    return pairs[:count]


def test_weights_of_an_identical_network_with_other_indices(tmp_path: Path) -> None:
    pairs = twins(60)
    # Nodes 1 and 2 change places: all names fit as they are, and would be wrong.
    pairs.append(((3, 3, 0, 0, 1, 4), (3, 3, 0, 0, 4, 1)))
    moved = 0
    for trained, found in pairs:
        given, record = record_of(trained, "very small"), record_of(found, "very small")
        assert given.canonical == record.canonical
        net, images = scrambled(given), images_for(given)
        wanted = logits(net, given, images)
        content = exported_weights(banked(tmp_path, net), record, given.architecture)
        model = exported_network(record).eval()
        model.load_state_dict(safetensors.torch.load(content), strict=True)
        with torch.no_grad():
            torch.testing.assert_close(model(images), wanted, rtol=1e-4, atol=1e-5)
        path = tmp_path / "weights.safetensors"
        path.write_bytes(content)
        torch.testing.assert_close(
            logits(load_weights(path)[0], record, images), wanted, rtol=1e-4, atol=1e-5
        )
        live = get_space("nb201").live
        moved += live(given.architecture) != live(record.architecture)
    assert moved > 10
    assert len(pairs) > 30


def test_another_network_in_the_bank_is_refused(tmp_path: Path) -> None:
    record = full_record()
    other = record_of(CELLS["chain"], "grey, odd")
    path = banked(tmp_path, scrambled(other))
    with pytest.raises(ExportError, match="which is another network than"):
        exported_weights(path, record, other.architecture)
    conv = record_of(CELLS["all conv 3x3"], "grey, odd")
    with pytest.raises(ExportError, match="the file is of another architecture"):
        exported_weights(path, conv)
    none = record_of(CELLS["all none"], "grey, odd")
    with pytest.raises(ExportError, match="they are of another architecture"):
        exported_weights(path, none)


def test_another_skeleton_in_the_bank_is_refused(tmp_path: Path) -> None:
    record = full_record()
    path = banked(tmp_path, scrambled(record))
    for name, network in SKELETONS.items():
        if network != record.network:
            other = record_of(CELLS["mixed"], name)
            with pytest.raises(ExportError, match="the file is of another architecture"):
                exported_weights(path, other)


def test_a_damaged_bank_file_is_refused(tmp_path: Path) -> None:
    path = banked(tmp_path, scrambled(full_record()))
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ExportError, match="is not a whole safetensors file"):
        exported_weights(path, full_record())
    with pytest.raises(ExportError, match="does not exist"):
        exported_weights(tmp_path / "gone", full_record())


def test_arrays_keep_their_values(tmp_path: Path) -> None:
    record = full_record()
    net = scrambled(record)
    found = safetensors.torch.load(exported_weights(banked(tmp_path, net), record))
    np.testing.assert_array_equal(
        found["layers.0.edge_0_1.norm.running_var"].numpy(),
        net.state_dict()["trunk.layers.0.edges.0.3.norm.running_var"].numpy(),
    )
