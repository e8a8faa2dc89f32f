"""What every recipe's learner owes to the run around it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from learner_cases import QUICK, alphas, home, learner, step

from engine.core.capabilities import OP_MIXTURE
from engine.recipes import RECIPES

LEARNING = [name for name, recipe in RECIPES.items() if recipe.learner is not None]
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("recipe", LEARNING)
def test_it_leaves_the_super_net_and_foreign_streams_alone(recipe: str) -> None:
    made = learner(recipe, home(recipe), QUICK.get(recipe))
    net = made.context.net.train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    torch.manual_seed(3)
    np.random.seed(3)
    ambient = torch.get_rng_state(), np.random.get_state()[1].copy()
    made.step(step(net, share=0.9))
    made.end_epoch(4)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())
    assert torch.equal(torch.get_rng_state(), ambient[0])
    np.testing.assert_array_equal(np.random.get_state()[1], ambient[1])


@pytest.mark.parametrize("recipe", LEARNING)
def test_it_learns_and_goes_on_from_a_checkpoint(recipe: str) -> None:
    def work(made: object) -> None:
        made.step(step(made.context.net.train(), share=0.9))  # type: ignore[attr-defined]
        made.end_epoch(4)  # type: ignore[attr-defined]

    made = learner(recipe, home(recipe), QUICK.get(recipe))
    start = alphas(made)
    work(made)
    assert not torch.equal(alphas(made), start)
    saved = json.loads(json.dumps(made.saved()))
    tensors = {name: value.clone() for name, value in made.tensors().items()}
    stream = made.context.rng.bit_generator.state
    work(made)
    other = learner(recipe, home(recipe), QUICK.get(recipe))
    other.restore(saved)
    other.load_tensors(tensors)
    other.context.rng.bit_generator.state = stream
    work(other)
    assert torch.equal(alphas(other), alphas(made))
    assert other.saved() == made.saved()
    assert other.report() == made.report()


@pytest.mark.parametrize("recipe", LEARNING)
def test_it_reports_and_proposes(recipe: str) -> None:
    made = learner(recipe, home(recipe), QUICK.get(recipe))
    space = made.context.space
    report = json.loads(json.dumps(made.report(), allow_nan=False))
    shapes = [len(choice.options) for choice in space.mixture]
    assert [len(one) for one in report["probabilities"]] in (
        shapes,
        [len(choice.options) for choice in space.choices],
    )
    assert report["entropy"] > 0
    proposals = made.proposals(4)
    forms = {space.canonical(space.check(one)) for one in proposals}
    assert len(forms) == len(proposals) == 4
    rng = np.random.default_rng(0)
    assert all(space.is_valid(made.draw(rng)) for _ in range(5))


def test_the_recipes_that_mix_operations_say_so() -> None:
    for recipe in RECIPES.values():
        if recipe.paths == "soft":
            assert OP_MIXTURE in recipe.requires, recipe.name
