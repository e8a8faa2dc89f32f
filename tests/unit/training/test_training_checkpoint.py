"""Checkpoints: the newest whole one counts, and damage is told in a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from training_cases import copied, nothing, supernet, trainer

from engine.spec.errors import RunError
from engine.training import checkpoint
from engine.training.checkpoint import Checkpoints, pack, unpack


def save(kept: Checkpoints, number: int) -> None:
    kept.save(number, {"number": number}, {"x": torch.full((2,), float(number))})


def numbers_of(found: tuple[dict[str, Any], dict[str, torch.Tensor]] | None) -> tuple[int, float]:
    assert found is not None
    return found[0]["number"], found[1]["x"][0].item()


@pytest.fixture
def kept(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "checkpoints")


def test_the_newest_two_are_kept(kept: Checkpoints) -> None:
    assert kept.latest() is None
    for number in (0, 3, 9, 10):
        save(kept, number)
        assert numbers_of(kept.latest()) == (number, number)
    assert kept.numbers() == [9, 10]
    assert sorted(path.name for path in kept.folder.iterdir()) == [
        "00000009.json",
        "00000009.safetensors",
        "00000010.json",
        "00000010.safetensors",
    ]


def test_a_number_can_be_saved_again(kept: Checkpoints) -> None:
    save(kept, 4)
    kept.save(4, {"number": 5}, {"x": torch.tensor([5.0])})
    assert numbers_of(kept.latest()) == (5, 5.0)
    assert kept.numbers() == [4]


def test_a_crash_between_the_two_files_leaves_the_one_before(
    kept: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(kept, 1)

    def crash(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "write_json", crash)
    with pytest.raises(KeyboardInterrupt):
        save(kept, 2)
    assert (kept.folder / "00000002.safetensors").exists()
    assert numbers_of(kept.latest()) == (1, 1.0)


def test_a_damaged_checkpoint_is_a_sentence(kept: Checkpoints) -> None:
    save(kept, 1)
    save(kept, 2)
    (kept.folder / "00000002.safetensors").write_bytes(b"nonsense")
    with pytest.raises(RunError, match=r"00000002\.safetensors is damaged .*the one before"):
        kept.latest()
    (kept.folder / "00000002.safetensors").unlink()
    with pytest.raises(RunError, match=r"00000002\.safetensors is damaged"):
        kept.latest()
    (kept.folder / "00000002.json").unlink()
    assert numbers_of(kept.latest()) == (1, 1.0)
    (kept.folder / "00000001.json").write_text("{")
    with pytest.raises(RunError, match=r"00000001\.json cannot be read"):
        kept.latest()


def test_a_checkpoint_of_another_version_is_refused(kept: Checkpoints) -> None:
    save(kept, 1)
    path = kept.folder / "00000001.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"version": 0}))
    with pytest.raises(RunError, match="of version 0; this program reads"):
        kept.latest()


def test_everything_of_a_training_is_put_back(kept: Checkpoints) -> None:
    first, second = trainer(statistics="moving"), trainer(statistics="moving")
    first.run_epoch(nothing)
    torch.manual_seed(1)
    torch.rand(3)
    kept.save(1, {}, pack(first.net, first.optimiser))
    expected = torch.rand(4)
    torch.manual_seed(2)
    found = kept.latest()
    assert found is not None
    unpack(found[1], second.net, second.optimiser)
    assert torch.equal(torch.rand(4), expected)
    stored = copied(second.net)
    for name, value in copied(first.net).items():
        assert torch.equal(stored[name], value), name
    buffers = [pack(made.net, made.optimiser) for made in (first, second)]
    momentum = {name for name in buffers[0] if name.startswith("momentum/")}
    assert momentum
    assert momentum == {name for name in buffers[1] if name.startswith("momentum/")}
    assert all(torch.equal(buffers[0][name], buffers[1][name]) for name in momentum)


def test_a_checkpoint_of_another_network_is_refused() -> None:
    tensors = pack(supernet(affine=False), torch.optim.SGD(supernet().parameters(), lr=1))
    net = supernet()
    with pytest.raises(RunError, match="does not fit this experiment"):
        unpack(tensors, net, torch.optim.SGD(net.parameters(), lr=1))
