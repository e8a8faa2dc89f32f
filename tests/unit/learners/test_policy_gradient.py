"""REINFORCE: unbiased, with the baseline and entropy of its formulas; TuNAS's reward."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from policy_cases import ALL, TINY, chances, learner, policy

from engine.core.architecture import Architecture
from engine.learners.policy_gradient import accuracies
from engine.networks import Route, build_supernet
from engine.paths import PATHS, PathContext
from engine.recipes import RECIPES
from engine.spaces import get_space
from engine.spec.errors import SpecError
from engine.spec.network import NetworkSpec, NormSpec
from engine.spec.settings import validate_settings


def preference(architecture: Architecture) -> float:
    """Return a reward between 0 and 1 that depends on all choices together."""
    a, b, c = architecture.indices
    return 0.2 + 0.3 * (a == 1) + 0.3 * (a == b) + 0.1 * c


@pytest.mark.parametrize("name", ["controller", "factored"])
@pytest.mark.parametrize("baseline", [0.0, 0.6, -3.0])
def test_the_estimate_is_unbiased_for_every_baseline(
    name: str, baseline: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = policy(name, scale=0.7)
    found = learner("reinforce", made, preference, monkeypatch, entropy_weight=0.3)
    found.baseline = baseline
    parameters = list(made.parameters())
    log_p = made.log_probs(ALL)[0]
    rewards = torch.tensor([preference(one) for one in ALL], dtype=torch.float64)
    objective = (log_p.exp() * rewards).sum() - 0.3 * (log_p.exp() * log_p).sum()
    exact = torch.autograd.grad(objective, parameters, allow_unused=True)
    expected = [torch.zeros_like(p) for p in parameters]
    for one, chance, reward in zip(ALL, chances(made), rewards, strict=True):
        loss, _ = found.loss([one], reward[None])
        for total, part in zip(
            expected, torch.autograd.grad(loss, parameters, allow_unused=True), strict=True
        ):
            total -= 0 if part is None else chance * part
    for mean, gradient in zip(expected, exact, strict=True):
        wanted = torch.zeros_like(mean) if gradient is None else gradient
        torch.testing.assert_close(mean, wanted, rtol=1e-9, atol=1e-12)


def test_loss_and_baseline_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    made = policy("factored", scale=0.0)
    settings = {"entropy_weight": 0.5, "baseline_momentum": 0.8, "policy_samples": 2}
    found = learner("reinforce", made, preference, monkeypatch, **settings)
    # All logits are 0: log p = -log 18, and the entropy of every sequence is log 18.
    bonus = 0.5 * math.log(18)
    drawn, rewards = [ALL[5], ALL[9]], torch.tensor([0.25, 0.75], dtype=torch.float64)
    loss, gain = found.loss(drawn, rewards)
    assert math.isclose(gain, 0.5 + bonus)
    assert math.isclose(loss.item(), -bonus), "advantages -0.25 and 0.25 cancel"
    found.baseline = 0.1
    advantage = 0.5 + bonus - 0.1
    assert math.isclose(found.loss(drawn, rewards)[0].item(), advantage * math.log(18) - bonus)


def test_the_baseline_is_a_moving_average_from_the_first_reward_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = iter([0.5, 0.5, 1.0, 0.0])
    found = learner(
        "reinforce",
        policy("factored"),
        lambda one: next(values),
        monkeypatch,
        entropy_weight=0.0,
        baseline_momentum=0.9,
        policy_samples=1,
    )
    seen = []
    for _ in range(4):
        found.improve()
        seen.append(found.baseline)
    assert seen == pytest.approx([0.5, 0.5, 0.55, 0.495])
    assert found.report()["reward"] == 0.0
    assert found.state() == {"baseline": found.baseline, "reward": 0.0}


@pytest.mark.parametrize(("name", "rate"), [("controller", 0.02), ("factored", 0.03)])
def test_the_expected_reward_rises(
    name: str, rate: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = policy(name, scale=0.1)
    found = learner(
        "reinforce",
        made,
        preference,
        monkeypatch,
        policy_learning_rate=rate,
        policy_steps=50,
        policy_samples=4,
        baseline_momentum=0.9,
    )
    rewards = torch.tensor([preference(one) for one in ALL], dtype=torch.float64)
    expected = [float(chances(made) @ rewards)]
    for epoch in range(1, 5):
        found.end_epoch(epoch)
        expected.append(float(chances(made) @ rewards))
    assert expected[-1] > 0.85 > expected[0] + 0.25, expected
    assert found.proposals(1) == [max(filter(TINY.is_valid, ALL), key=preference)]
    assert found.report()["entropy"] < 0.7


def test_a_strong_entropy_bonus_keeps_the_policy_open(monkeypatch: pytest.MonkeyPatch) -> None:
    entropies = []
    for weight in (0.0, 5.0):
        made = policy("factored", scale=1.0)
        found = learner(
            "reinforce",
            made,
            preference,
            monkeypatch,
            policy_learning_rate=0.05,
            policy_steps=150,
            policy_samples=4,
            entropy_weight=weight,
        )
        found.end_epoch(1)
        logs = made.log_probs(ALL)[0].detach()
        entropies.append(float(-(logs.exp() * logs).sum()))
    assert entropies[0] < 1 and entropies[1] > 0.9 * math.log(18)


# -- TuNAS ---------------------------------------------------------------------------------
@pytest.mark.parametrize(("cost", "target"), [("params", 16.0), ("flops", 2.0)])
def test_the_absolute_reward(cost: str, target: float, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"cost": cost, "cost_target": target, "cost_weight": -0.7}
    found = learner("absolute_reward", policy("factored"), preference, monkeypatch, **given)
    drawn = [Architecture.of("tiny", (0, 0, 1)), Architecture.of("tiny", (1, 2, 0))]
    for one, reward in zip(drawn, found.rewards(drawn).tolist(), strict=True):
        # Parameters are 10, 20 or 30 by the third choice; FLOPs 1 more than the indices' sum.
        spent = {"params": 10 * (1 + one.indices[2]), "flops": 1 + sum(one.indices)}[cost]
        assert math.isclose(reward, preference(one) - 0.7 * abs(spent / target - 1))
    plain = learner("absolute_reward", policy("factored"), preference, monkeypatch)
    assert plain.rewards(drawn).tolist() == [preference(one) for one in drawn]


@pytest.mark.parametrize("target", [150_000.0, 300_000.0])
@pytest.mark.parametrize("start", [-1.5, 1.5])
def test_draws_approach_the_cost_target_from_both_sides(
    target: float, start: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    space, network = get_space("nats_size"), NetworkSpec()
    made = policy("factored", space, scale=0.0)
    with torch.no_grad():
        for one in made.parameters():
            one.copy_(start * torch.linspace(-1, 1, 8))

    def quality(architecture: Architecture) -> float:
        return 0.5 + 0.01 * sum(architecture.indices)  # wider is a little better

    found = learner(
        "absolute_reward",
        made,
        quality,
        monkeypatch,
        policy_learning_rate=0.05,
        policy_samples=8,
        cost="params",
        cost_target=target,
        cost_weight=-2.0,
    )

    def spent() -> float:
        drawn = made.draws(np.random.default_rng(0), 300)
        return float(np.mean([space.cost(one, network).params for one in drawn]))

    before = spent()
    for _ in range(250):
        found.improve()
    assert abs(before / target - 1) > 0.25
    assert abs(spent() / target - 1) < 0.1


def test_a_cost_needs_a_target() -> None:
    model = RECIPES["tunas"].settings
    with pytest.raises(SpecError) as caught:
        validate_settings(model, {"cost": "params"}, "settings", "tunas")
    assert "give `cost_target`, the params to aim at" in str(caught.value)
    for wrong in ({"cost": "params", "cost_target": 5, "cost_weight": 0.1}, {"cost_target": 0}):
        with pytest.raises(SpecError):
            validate_settings(model, wrong, "settings", "tunas")


def test_nothing_is_learned_during_the_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.learners import Step

    given = {"policy_warm_up": 0.3}
    made = policy("factored", scale=0.0)
    found = learner("absolute_reward", made, preference, monkeypatch, **given)
    images = torch.zeros(0)
    for share, moved in ((0.0, False), (0.29, False), (0.3, True)):
        found.step(Step(images, images, None, share))  # type: ignore[arg-type]
        assert (found.baseline is not None) == moved


# -- rewards and paths ---------------------------------------------------------------------
def test_accuracies_are_those_of_each_network_by_itself() -> None:
    space = get_space("nb201")
    network = NetworkSpec(
        channels=2,
        cells=1,
        classes=3,
        input_channels=1,
        resolution=8,
        norm=NormSpec(statistics="moving"),
    )
    net = build_supernet("nb201", network, 0)
    rng = np.random.default_rng(0)
    drawn = [space.sample(rng) for _ in range(18)]
    images = torch.randn(20, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(20) % 3

    class Context:
        arithmetic, device = "float32", torch.device("cpu")

    context = Context()
    context.net = net  # type: ignore[attr-defined]
    before = {name: value.clone() for name, value in net.state_dict().items()}
    found = accuracies(context, drawn, images, labels)  # type: ignore[arg-type]
    with torch.no_grad():
        alone = [net(images, Route.of(one)).argmax(1) for one in drawn]
    assert found.tolist() == [float((one == labels).double().mean()) for one in alone]
    assert len(set(found.tolist())) > 3
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())


def test_sampled_paths_are_draws_of_what_is_learned() -> None:
    made = policy("controller", scale=1.0)
    paths = PATHS["sampled"](PathContext(TINY, None, made))
    routes = [paths.routes(np.random.default_rng(s), 0.0)[0].active for s in range(9)]
    drawn = [made.draw(np.random.default_rng(s)) for s in range(9)]
    assert routes == [Route.of(one).active for one in drawn]
    assert paths.per_update == 1


def test_tunas_starts_wide_and_uniform_and_then_follows_the_policy() -> None:
    made = policy("factored", scale=0.0)
    with torch.no_grad():
        made.logits[2].copy_(torch.tensor([0.0, 50.0, 0.0]))  # type: ignore[index]
    settings = RECIPES["tunas"].settings(policy_warm_up=0.5)
    paths, rng = PATHS["warmed"](PathContext(TINY, settings, made)), np.random.default_rng(0)

    def drawn(share: float) -> np.ndarray:
        routes = [paths.routes(rng, share)[0] for _ in range(1_500)]
        return np.array([[option for (option,) in route.active] for route in routes])

    # (1, 2, 2) is left out, so that (1, 2, 0) and (1, 2, 1) stay as narrow as they are.
    for share, wide in ((0.0, 1.0), (0.25, 0.5), (0.4999, 0.0)):
        found = drawn(share)
        expected = wide * 14 / 16 + (1 - wide) * 5 / 16
        assert abs(np.mean(found[:, 2] == 2) - expected) < 0.05, share
        assert abs(np.mean(found[:, 0] == 0) - 0.5) < 0.08
    assert set(drawn(0.5)[:, 2]) == {1}
