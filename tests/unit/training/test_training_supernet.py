"""One update of the super-net, recomputed by hand; the position in the data; the report."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from training_cases import MIXED, OTHER, SPACE, copied, images, nothing, supernet, trainer

from engine.addons.landmark import Landmark, LandmarkRegulariser
from engine.core.architecture import Architecture
from engine.core.streams import Streams
from engine.datasets.batches import BatchStream
from engine.networks import Route
from engine.spec.addons import LandmarkSpec
from engine.spec.errors import TrainingError
from engine.training.supernet_trainer import SuperNetTrainer

PLAIN_SGD = {"momentum": 0, "weight_decay": 0, "schedule": "constant", "learning_rate": 0.1}
ONE_STEP = {"epochs": 1, "batch_size": 12, "optimiser": {**PLAIN_SGD, "gradient_clip": None}}


class Stop(Exception):
    """Ends an epoch early."""


def landmarks(weight: float = 2.0, warm_up: float = 0.0, pairs: int = 1) -> LandmarkRegulariser:
    """Return a regulariser with two landmarks and a constant weight."""
    spec = LandmarkSpec(
        weight=weight, warm_up=warm_up, schedule="const", pairs=pairs, loss="softplus"
    )
    regulariser = LandmarkRegulariser(spec, 1)
    regulariser.add([Landmark(OTHER, 90.0, 90.0, 1), Landmark(MIXED, 80.0, 80.0, 1)])
    return regulariser


def first_batch(batch: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what the trainer of these tests sees first."""
    return next(images(12, 1).epoch(batch, Streams(5).data))


def by_hand(
    routes: Sequence[Architecture], term_weight: float = 0.0
) -> tuple[float, dict[str, torch.Tensor]]:
    """Return the mean loss of the routes and the gradient of the whole objective."""
    net = supernet()
    x, y = first_batch()
    losses = [F.cross_entropy(net(x, Route.of(route)), y) for route in routes]
    loss = sum(losses) / len(losses)
    objective = loss
    if term_weight:
        held = BatchStream(images(10, 2), 12, Streams(5).held_out)
        xh, yh = held.next()
        better, worse = (F.cross_entropy(net(xh, Route.of(a)), yh) for a in (OTHER, MIXED))
        objective = loss + term_weight * F.softplus(better - worse, beta=3.0)
    objective.backward()
    gradients = {n: p.grad for n, p in net.named_parameters() if p.grad is not None}
    return loss.item(), gradients


def one_epoch(made: SuperNetTrainer) -> dict[str, torch.Tensor]:
    """Train an epoch of one step; return by how much every weight went down, over its rate."""
    before = copied(made.net)
    made.run_epoch(nothing)
    return {name: (before[name] - value) / 0.1 for name, value in copied(made.net).items()}


@pytest.mark.parametrize("routes", [(MIXED,), (MIXED, OTHER), (MIXED, MIXED, OTHER)])
def test_one_update_follows_the_mean_gradient_of_its_routes(
    routes: tuple[Architecture, ...],
) -> None:
    """Averaged, so that the learning rate means the same for any number of paths."""
    made = trainer(routes, **ONE_STEP)
    moved = one_epoch(made)
    _, gradients = by_hand(routes)
    for name, change in moved.items():
        expected = gradients.get(name, torch.zeros_like(change))
        torch.testing.assert_close(change, expected, rtol=1e-3, atol=1e-5, msg=name)
    assert any(value.abs().max() > 0.01 for value in gradients.values())


def test_the_report_is_the_mean_over_routes_and_images() -> None:
    report = trainer((MIXED, OTHER), **ONE_STEP).run_epoch(nothing)
    loss, _ = by_hand((MIXED, OTHER))
    x, y = first_batch()
    with torch.no_grad():
        hits = [supernet()(x, Route.of(a)).argmax(1) == y for a in (MIXED, OTHER)]
    assert report.loss == pytest.approx(loss, rel=1e-5)
    assert report.accuracy == pytest.approx(100 * torch.cat(hits).float().mean().item(), rel=1e-5)
    assert (report.landmark_loss, report.landmark_weight, report.images) == (None, 0.0, 12)
    assert report.learning_rate == 0.1


def test_the_landmark_term_joins_the_same_update() -> None:
    made = trainer((MIXED,), regulariser=landmarks(weight=2.0), **ONE_STEP)
    moved = one_epoch(made)
    _, gradients = by_hand((MIXED,), term_weight=2.0)
    for name, change in moved.items():
        expected = gradients.get(name, torch.zeros_like(change))
        torch.testing.assert_close(change, expected, rtol=1e-3, atol=1e-5, msg=name)
    _, without = by_hand((MIXED,))
    assert set(gradients) > set(without), "the other landmark's weights get gradients too"


def test_the_whole_gradient_is_clipped_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = torch.nn.utils.clip_grad_norm_

    def counted(parameters: list[torch.Tensor], norm: float) -> torch.Tensor:
        calls.append(norm)
        return real(parameters, norm)

    monkeypatch.setattr("torch.nn.utils.clip_grad_norm_", counted)
    optimiser = {**PLAIN_SGD, "gradient_clip": 0.05}
    spec = {**ONE_STEP, "optimiser": optimiser}
    made = trainer((MIXED, OTHER), regulariser=landmarks(), **spec)
    moved = one_epoch(made)
    assert calls == [0.05]
    _, gradients = by_hand((MIXED, OTHER), term_weight=2.0)
    whole = math.sqrt(sum(float(g.square().sum()) for g in gradients.values()))
    assert whole > 0.1
    for name, gradient in gradients.items():
        torch.testing.assert_close(moved[name], gradient * 0.05 / whole, rtol=2e-3, atol=1e-6)


def test_landmarks_leave_their_streams_alone_until_they_act() -> None:
    made = trainer((MIXED,), regulariser=landmarks(warm_up=0.5), **ONE_STEP)
    made.regulariser.epochs = 2  # type: ignore[union-attr]
    report = made.run_epoch(nothing)
    untouched = Streams(5)
    for name in ("held_out", "landmarks"):
        state = getattr(made.streams, name).bit_generator.state
        assert state == getattr(untouched, name).bit_generator.state
    assert (report.landmark_loss, report.landmark_weight) == (None, 0.0)
    report = made.run_epoch(nothing)
    assert report.landmark_loss is not None
    assert report.landmark_weight == 2.0
    for name in ("held_out", "landmarks"):
        state = getattr(made.streams, name).bit_generator.state
        assert state != getattr(untouched, name).bit_generator.state


def test_landmarks_move_nothing_but_the_weights_and_their_own_streams() -> None:
    """The weight is so small that the term's gradient is lost in rounding."""
    plain = trainer((MIXED,), statistics="moving", **ONE_STEP)
    tiny = landmarks(weight=1e-30)
    with_landmarks = trainer((MIXED,), regulariser=tiny, statistics="moving", **ONE_STEP)
    plain.run_epoch(nothing)
    assert with_landmarks.run_epoch(nothing).landmark_loss
    assert [name for name in copied(plain.net) if "running" in name]
    for name, value in copied(plain.net).items():
        torch.testing.assert_close(copied(with_landmarks.net)[name], value, rtol=0, atol=1e-20)
    for name in ("data", "paths"):
        one, two = (getattr(made.streams, name) for made in (plain, with_landmarks))
        assert one.bit_generator.state == two.bit_generator.state


@pytest.mark.parametrize("unsampled", ["frozen", "decayed"])
def test_weights_that_no_step_used(unsampled: str) -> None:
    optimiser = {"learning_rate": 0.1, "weight_decay": 0.1, "momentum": 0.9}
    made = trainer((MIXED, OTHER), unsampled=unsampled, optimiser=optimiser)
    made.run_epoch(nothing)
    made.paths.chosen = made.paths.chosen[:1]  # type: ignore[attr-defined]
    before = copied(made.net)
    made.run_epoch(nothing)
    alone = supernet()
    alone(images(4).images.float(), Route.of(MIXED)).sum().backward()
    used = {name for name, weight in alone.named_parameters() if weight.grad is not None}
    other = supernet()
    other(images(4).images.float(), Route.of(OTHER)).sum().backward()
    only_other = {n for n, w in other.named_parameters() if w.grad is not None} - used
    assert only_other
    for name in only_other:
        moved = not torch.equal(before[name], made.net.state_dict()[name])
        assert moved == (unsampled == "decayed"), name


def test_the_learning_rate_changes_with_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    made = trainer(optimiser={"learning_rate": 0.2, "schedule": "cosine"})
    rates: list[float] = []
    real = made.optimiser.step

    def step() -> None:
        rates.append(made.optimiser.param_groups[0]["lr"])
        real()

    monkeypatch.setattr(made.optimiser, "step", step)
    reports = [made.run_epoch(nothing) for _ in range(3)]
    expected = [0.2 * 0.5 * (1 + math.cos(math.pi * k / 9)) for k in range(9)]
    assert rates == pytest.approx(expected)
    assert [report.learning_rate for report in reports] == pytest.approx(expected[2::3])


def test_every_image_is_seen_once_an_epoch_in_another_order() -> None:
    made = trainer(count=12)
    seen: list[torch.Tensor] = []
    real = made._update

    def update(x: torch.Tensor, y: torch.Tensor, weight: float) -> torch.Tensor:
        seen.append(x.clone())
        return real(x, y, weight)

    made._update = update  # type: ignore[method-assign]
    made.run_epoch(nothing)
    made.run_epoch(nothing)
    epochs = [torch.cat(seen[:3]).flatten(1), torch.cat(seen[3:]).flatten(1)]
    everything = next(images(12, 1).batches(12))[0].flatten(1)
    for epoch in epochs:
        order = torch.cdist(epoch, everything).argmin(1)
        assert sorted(order.tolist()) == list(range(12))
        torch.testing.assert_close(epoch, everything[order])
    assert not torch.equal(*epochs)


def test_polls_come_between_steps_and_the_counts_follow() -> None:
    made = trainer()
    polled: list[tuple[int, int]] = []
    for _ in range(2):
        made.run_epoch(lambda: polled.append((made.steps_done, made.images_done)))
    assert polled == [(1, 4), (2, 8), (4, 16), (5, 20)]
    assert (made.epoch, made.step, made.steps_done, made.images_done) == (2, 0, 6, 24)


def test_a_small_set_is_one_batch() -> None:
    made = trainer(count=5, batch_size=32)
    assert made.steps == 1
    assert made.run_epoch(nothing).images == 5
    assert made.images_done == 5


@pytest.mark.parametrize("stop_after", [1, 2])
def test_an_epoch_goes_on_in_another_trainer(stop_after: int) -> None:
    def made() -> SuperNetTrainer:
        return trainer((MIXED, OTHER), regulariser=landmarks(), optimiser=PLAIN_SGD)

    whole, first, second = made(), made(), made()
    expected = [whole.run_epoch(nothing) for _ in range(2)]

    def stop() -> None:
        if first.epoch == 1 and first.step == stop_after:
            raise Stop

    first.run_epoch(stop)
    with pytest.raises(Stop):
        first.run_epoch(stop)
    state = json.loads(json.dumps({"t": first.state(), "s": first.streams.state()}))
    second.streams.load_state(state["s"])
    second.load_state(state["t"])
    second.net.load_state_dict(copy.deepcopy(first.net.state_dict()))
    report = second.run_epoch(nothing)
    for field in ("loss", "accuracy", "landmark_loss", "learning_rate"):
        assert getattr(report, field) == getattr(expected[1], field), field
    for name, value in copied(whole.net).items():
        torch.testing.assert_close(copied(second.net)[name], value, rtol=0, atol=0)
    assert second.streams.state() == whole.streams.state()
    assert report.images == 4 * (3 - stop_after), "images of this process, for its speed"


def test_an_infinite_loss_is_an_error_and_no_checkpoint() -> None:
    made = trainer()
    with torch.no_grad():
        next(iter(made.net.parameters())).fill_(math.nan)

    def look() -> None:
        with pytest.raises(TrainingError, match="not finite in epoch 1"):
            made.state()

    with pytest.raises(TrainingError, match="not finite in epoch 1"):
        made.run_epoch(look)
    assert made.epoch == 0


def test_paths_come_from_their_own_stream() -> None:
    made = trainer()
    asked: list[np.random.Generator] = []
    chosen = made.paths.routes

    def routes(rng: np.random.Generator, share: float) -> list[Route]:
        asked.append(rng)
        SPACE.sample(rng)
        return chosen(rng, share)

    made.paths.routes = routes  # type: ignore[method-assign]
    made.run_epoch(nothing)
    assert {id(rng) for rng in asked} == {id(made.streams.paths)}
    other = trainer()
    other.run_epoch(nothing)
    assert made.streams.data.bit_generator.state == other.streams.data.bit_generator.state
