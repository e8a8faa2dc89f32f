"""Measuring what architectures of an epoch lose by its end."""

from __future__ import annotations

import numpy as np
import torch
from training_cases import SPACE, copied, images, nothing, some, supernet, trainer

from engine.datasets.batches import BatchStream
from engine.networks import Route
from engine.training.forgetting_meter import ForgettingMeter


def meter(count: int, seed: int = 0) -> ForgettingMeter:
    return ForgettingMeter(BatchStream(images(20, 3), 10, np.random.default_rng(seed)), count)


def error(net: torch.nn.Module, architecture: object, batch: tuple) -> float:
    with torch.no_grad():
        logits = net(batch[0], Route.of(architecture))  # type: ignore[arg-type]
    return 100 * (logits.argmax(1) != batch[1]).double().mean().item()


def test_differences_are_those_of_the_same_batch_before_and_after() -> None:
    first, second, made = supernet(0), supernet(9), meter(3)
    chosen = some(3)
    for step, one in enumerate(chosen):
        made.after_update(first, Route.of(one), step, 3)
    found = made.end_epoch(second)
    batch = BatchStream(images(20, 3), 10, np.random.default_rng(0)).next()
    lost = [error(second, one, batch) - error(first, one, batch) for one in chosen]
    np.testing.assert_allclose(found["mean"], np.mean(lost))
    np.testing.assert_allclose(found["max"], max(lost))
    assert found["n"] == 3
    assert meter(3).end_epoch(first)["mean"] is None


def test_evenly_spaced_updates_are_measured() -> None:
    net = supernet()
    for count, steps, wanted in ((3, 10, 3), (5, 5, 5), (7, 4, 4)):
        made = meter(count)
        for step in range(steps):
            made.after_update(
                net, Route.of(SPACE.sample(np.random.default_rng(step))), step, steps
            )
        assert made.end_epoch(net)["n"] == wanted


def test_measuring_moves_nothing() -> None:
    plain, measured = trainer(), trainer()
    measured.forgetting_meter = meter(2)
    reports = [one.run_epoch(nothing) for one in (plain, measured)]
    assert reports[0].loss == reports[1].loss
    assert reports[0].forgetting is None and reports[1].forgetting["n"] == 2
    for name, value in copied(plain.net).items():
        assert torch.equal(value, measured.net.state_dict()[name])
    assert plain.streams.state() == measured.streams.state()


def test_an_epoch_goes_on_with_the_same_batch() -> None:
    net, made = supernet(), meter(4)
    chosen = some(4)
    for step in range(2):
        made.after_update(net, Route.of(chosen[step]), step, 4)
    state = made.state()
    other = meter(4, seed=5)
    other.load_state(state)
    results = []
    for one in (made, other):
        for step in (2, 3):
            one.after_update(net, Route.of(chosen[step]), step, 4)
        results.append((one.end_epoch(supernet(3)), one.state()))
    assert results[0] == results[1]
