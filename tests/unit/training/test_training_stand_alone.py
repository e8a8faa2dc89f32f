"""One architecture trained by itself: seeds, schedule, evaluation, and that it learns."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load
from torch.nn import functional as F
from training_cases import MIXED, OTHER, PLAIN, SPACE, copied, images, network

from engine.datasets import prepare
from engine.datasets.batches import DeviceImages
from engine.networks import Route, SuperNet
from engine.spaces.nb201 import NB201_SPACE
from engine.spec.data import AugmentationSpec, DataSpec
from engine.spec.network import NetworkSpec
from engine.spec.training import StandAloneSpec
from engine.training import stand_alone
from engine.training.stand_alone import StandAloneTrainer, Trained, pack_weights, protocol_key

FORM = SPACE.canonical(MIXED)


def made(protocol: str = "p", **spec: Any) -> StandAloneTrainer:
    parts = {"train": images(10, 1), "held_out": images(11, 2), "test": images(13, 3)}
    given = StandAloneSpec.model_validate({"epochs": 2, "batch_size": 4, **spec})
    return StandAloneTrainer(NB201_SPACE, network(), given, PLAIN, parts, protocol)


def result(net: SuperNet, trained: Trained) -> tuple[float, float, float, float]:
    """Return what must repeat."""
    total = sum(value.double().abs().sum().item() for value in copied(net).values())
    return trained.held_out, trained.test, trained.loss, total


def test_a_training_repeats_whatever_happened_before() -> None:
    first = result(*made().train(MIXED, FORM, 0))
    torch.manual_seed(99)
    np.random.seed(99)
    random.seed(99)
    torch.rand(5)
    assert result(*made().train(MIXED, FORM, 0)) == first


def test_a_training_leaves_the_random_numbers_of_others_alone() -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    made().train(MIXED, FORM, 0)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()
    assert random.getstate() == before[2]


def test_protocol_form_and_replicate_are_the_seed() -> None:
    results = [
        result(*made().train(MIXED, FORM, 0)),
        result(*made().train(MIXED, FORM, 1)),
        result(*made().train(MIXED, "another form", 0)),
        result(*made("another protocol").train(MIXED, FORM, 0)),
    ]
    assert len({total for *_, total in results}) == 4


def test_the_learning_rate_follows_the_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []
    real = stand_alone.apply_update

    def update(optimiser: torch.optim.Optimizer, clip: float | None, unsampled: str) -> None:
        rates.append(optimiser.param_groups[0]["lr"])
        assert (clip, unsampled) == (3.0, "frozen")
        real(optimiser, clip, unsampled)

    monkeypatch.setattr(stand_alone, "apply_update", update)
    optimiser = {"learning_rate": 0.2, "schedule": "cosine", "gradient_clip": 3.0}
    made(epochs=3, optimiser=optimiser).train(MIXED, FORM, 0)
    expected = [0.2 * 0.5 * (1 + math.cos(math.pi * k / 6)) for k in range(6)]
    assert rates == pytest.approx(expected)


def test_it_polls_after_every_step_and_can_be_stopped() -> None:
    polls: list[int] = []

    def poll() -> None:
        polls.append(len(polls))
        if len(polls) == 7:
            raise KeyboardInterrupt

    made(epochs=3).train(MIXED, FORM, 0, poll)
    assert len(polls) == 6  # two batches of 4 out of 10 images, three times
    with pytest.raises(KeyboardInterrupt):
        made(epochs=3).train(MIXED, FORM, 0, poll)


def test_the_result_is_measured_with_moving_averages_on_whole_parts() -> None:
    trainer = made()
    net, trained = trainer.train(MIXED, FORM, 0)
    before = copied(net)
    for part, accuracy in (("held_out", trained.held_out), ("test", trained.test)):
        x, y = next(trainer.parts[part].batches(100))
        with net.probing():
            logits = net(x, Route.of(MIXED))
            apart = torch.cat([net(x[k : k + 1], Route.of(MIXED)) for k in range(len(x))])
        torch.testing.assert_close(apart, logits, rtol=1e-4, atol=1e-5)  # no batch statistics
        assert accuracy == pytest.approx(100 * (logits.argmax(1) == y).float().mean().item())
        if part == "held_out":
            assert trained.loss == pytest.approx(F.cross_entropy(logits, y).item(), rel=1e-5)
    assert all(torch.equal(value, before[name]) for name, value in copied(net).items())
    assert trained.seconds > 0


def test_only_the_architecture_itself_is_built() -> None:
    sizes = {
        architecture: sum(p.numel() for p in made().train(architecture, "", 0)[0].parameters())
        for architecture in (MIXED, OTHER)
    }
    assert sizes[MIXED] != sizes[OTHER]
    used = {n for n, p in made().train(MIXED, FORM, 0)[0].named_parameters() if p.grad is None}
    assert used == set(), "a weight was built that no training step reached"


def test_packed_weights_hold_everything() -> None:
    net, _ = made().train(MIXED, FORM, 0)
    stored = load(pack_weights(net))
    expected = net.state_dict()
    assert set(stored) == set(expected)
    assert any(name.endswith("running_var") for name in stored)
    for name, value in stored.items():
        assert value.is_contiguous()
        assert torch.equal(value, expected[name])


def key(
    fingerprint: str = "f",
    augmentation: AugmentationSpec = PLAIN,
    skeleton: NetworkSpec | None = None,
    **spec: Any,
) -> str:
    """Return a protocol's key."""
    given = StandAloneSpec.model_validate(spec)
    return protocol_key(fingerprint, augmentation, skeleton or network(), given)


def test_everything_that_a_result_depends_on_is_in_the_protocol(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = [
        key(),
        key("other data"),
        key(augmentation=AugmentationSpec(flip=True)),
        key(skeleton=network(momentum=0.2)),
        key(skeleton=network().model_copy(update={"channels": 3})),
        key(epochs=3),
        key(batch_size=8),
        key(optimiser={"learning_rate": 0.05}),
        key(optimiser={"gradient_clip": None}),
    ]
    monkeypatch.setattr(stand_alone, "PROTOCOL_VERSION", stand_alone.PROTOCOL_VERSION + 1)
    keys.append(key())
    assert len(set(keys)) == len(keys)
    assert all(len(one) == 16 for one in keys)


def test_what_a_result_does_not_depend_on_is_not() -> None:
    assert key(replicates=1) == key(replicates=5)
    for norm in ({"statistics": "moving"}, {"recalibration_batches": 3}):
        assert key(skeleton=network(**norm)) == key(), "the super-net's business only"


def test_a_network_learns_digits() -> None:
    data = prepare(DataSpec(train_images=600, held_out_images=400))
    parts = {
        part: DeviceImages.from_prepared(data, part, PLAIN, "cpu", torch.channels_last)
        for part in ("train", "held_out", "test")
    }
    skeleton = network().model_copy(update={"channels": 4, "classes": 10})
    spec = StandAloneSpec.model_validate({"epochs": 6, "batch_size": 32})
    trainer = StandAloneTrainer(NB201_SPACE, skeleton, spec, PLAIN, parts, "digits")
    _, trained = trainer.train(MIXED, FORM, 0)
    assert trained.held_out > 85  # chance is 10
    assert trained.test > 85
    assert trained.loss < 0.7
