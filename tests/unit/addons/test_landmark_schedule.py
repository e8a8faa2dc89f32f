"""The weight of the landmark term over the epochs, and the forms of its penalty."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.addons.landmark import penalty, weight_at
from engine.spec.addons import LandmarkSpec, LossForm, Schedule

torch.set_num_threads(1)
SCHEDULES = get_args(Schedule)
FORMS = get_args(LossForm)


def at(schedule: str, epoch: int, epochs: int = 100, warm_up: float = 0.2) -> float:
    spec = LandmarkSpec(schedule=schedule, weight=10.0, warm_up=warm_up)
    return weight_at(spec, epoch, epochs)


HALF_ROOT = math.sqrt(0.5)
# 100 epochs of which 20 warm up, largest weight 10; worked out by hand.
BY_HAND = {
    "cos_up": {
        1: 0,
        20: 0,
        40: 5 - 5 * math.sqrt(0.5),
        60: 5,
        80: 5 + 5 * math.sqrt(0.5),
        100: 10,
    },
    "cos_down": {20: 0, 30: 9.755282581475769, 70: 5, 100: 0.954915028125263},
    "const": {20: 0, 21: 1, 25: 5, 30: 10, 31: 10, 100: 10},
    "step_up": {20: 0, 21: 10 / 3, 46: 10 / 3, 47: 20 / 3, 73: 20 / 3, 74: 10, 100: 10},
    "step_down": {20: 0, 21: 1, 25: 5, 30: 10, 46: 10, 47: 20 / 3, 73: 20 / 3, 74: 10 / 3},
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_by_hand(schedule: str) -> None:
    for epoch, wanted in BY_HAND[schedule].items():
        assert at(schedule, epoch) == pytest.approx(wanted, abs=1e-12), epoch


def test_cos_up_is_zero_at_the_end_of_the_warm_up_and_largest_at_the_end() -> None:
    for epochs, warm_up in ((240, 0.2), (400, 0.5), (7, 0.0), (10, 0.9)):
        spec = LandmarkSpec(schedule="cos_up", weight=3.0, warm_up=warm_up)
        start = math.floor(epochs * warm_up)
        assert weight_at(spec, start, epochs) == 0.0
        rest = [weight_at(spec, epoch, epochs) for epoch in range(start + 1, epochs + 1)]
        assert rest == sorted(rest) and rest[0] > 0
        assert rest[-1] == pytest.approx(3.0, rel=1e-12)


def test_cos_down_is_equation_7_as_printed_after_ten_epochs() -> None:
    """1[t > t_w] * (1 + cos(pi (t - t_w) / t_total)) / 2 * lambda_max."""
    for epoch in range(30, 101):
        printed = 0.5 * (1 + math.cos(math.pi * (epoch - 20) / 100)) * 10.0
        assert at("cos_down", epoch) == pytest.approx(printed, rel=1e-12)
    assert at("cos_down", 25) == pytest.approx(0.5 * 5 * (1 + math.cos(math.pi * 0.05)))


def test_a_warm_up_that_is_no_exact_binary_number_ends_where_it_says() -> None:
    """0.29 * 100 is 28.999999999999996 in floats, and epoch 29 is still warm-up."""
    for schedule in SCHEDULES:
        assert at(schedule, 29, 100, 0.29) == 0.0, schedule
        assert at(schedule, 30, 100, 0.29) > 0.0, schedule


@given(
    st.sampled_from(SCHEDULES),
    st.integers(1, 500),
    st.floats(0, 1, exclude_max=True),
    st.floats(0, 1e6),
)
@settings(deadline=None)
def test_always_between_nothing_and_the_largest(
    schedule: str, epochs: int, warm_up: float, weight: float
) -> None:
    spec = LandmarkSpec(schedule=schedule, weight=weight, warm_up=warm_up)
    values = [weight_at(spec, epoch, epochs) for epoch in range(1, epochs + 1)]
    assert all(0 <= value <= weight * (1 + 1e-12) for value in values)
    for epoch, value in enumerate(values, start=1):
        if epoch <= warm_up * epochs:
            assert value == 0
    if schedule in ("cos_up", "step_up", "const"):
        assert values == sorted(values)


def numpy_penalty(form: str, better: np.ndarray, worse: np.ndarray, largest: float) -> float:
    difference = better - worse
    match form:
        case "relu":
            each = np.maximum(0, difference)
        case "softplus":
            each = np.log1p(np.exp(3 * difference)) / 3
        case "relu_norm":
            each = np.maximum(0, difference / largest)
        case "sign":
            each = np.maximum(0, np.sign(difference))
        case "tanh":
            each = np.maximum(0, np.tanh(difference))
    return float(each.sum())


def pairs(seed: int, count: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(0.1, 3.0, count), rng.uniform(0.1, 3.0, count)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(4))
def test_penalties_and_their_slopes(form: str, seed: int) -> None:
    """The largest loss is a constant of relu_norm: it scales, and is not itself learned."""
    better, worse = pairs(seed)
    largest = max(better.max(), worse.max())
    tensors = [torch.tensor(part, requires_grad=True) for part in (better, worse)]
    found = penalty(form, *tensors)
    assert found.item() == pytest.approx(numpy_penalty(form, better, worse, largest), rel=1e-12)
    found.backward()
    step = 1e-6
    for part, tensor in enumerate(tensors):
        slopes = []
        for place in range(len(better)):
            values = []
            for sign in (1, -1):
                moved = [better.copy(), worse.copy()]
                moved[part][place] += sign * step
                values.append(numpy_penalty(form, *moved, largest))
            slopes.append((values[0] - values[1]) / (2 * step))
        np.testing.assert_allclose(tensor.grad.numpy(), slopes, atol=1e-7)
    assert tensors[0].grad.any() == (form != "sign")


@pytest.mark.parametrize("form", FORMS)
def test_a_right_order_costs_nothing_and_a_wrong_one_something(form: str) -> None:
    low, high = torch.tensor([0.5, 1.0]), torch.tensor([2.5, 4.0])
    right, wrong = penalty(form, low, high).item(), penalty(form, high, low).item()
    assert wrong > 0.5
    if form == "softplus":
        assert 0 < right < 0.01, "which never becomes zero"
    else:
        assert right == 0


def test_losses_of_zero_divide_nothing_by_zero() -> None:
    nothing = torch.zeros(3, requires_grad=True)
    found = penalty("relu_norm", nothing, torch.zeros(3))
    found.backward()
    assert found.item() == 0 and torch.isfinite(nothing.grad).all()
