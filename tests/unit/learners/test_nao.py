"""NAO: what it encodes it decodes, its predictor ranks, its ascent climbs, its pool is a set."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from learner_cases import learner
from policy_cases import TINY
from scipy.stats import kendalltau
from torch import nn

from engine.core.architecture import Architecture
from engine.learners.nao import NaoLearner
from engine.learners.pool import Pool
from engine.learners.tokens import sequences
from engine.recipes import RECIPES
from engine.spaces import get_space
from engine.spec.errors import SpecError
from engine.spec.settings import validate_settings

pytestmark = pytest.mark.usefixtures("one_thread")
NB201 = get_space("nb201")
WORTH = {0: 0.0, 1: 1.0, 2: 2.0, 3: 4.0, 4: 0.5}
CPU = torch.device("cpu")


def score(architectures: list[Architecture]) -> list[float]:
    """Return a made-up accuracy: operations have a worth, later edges count more."""
    return [
        50 + sum((1 + edge / 5) * WORTH[option] for edge, option in enumerate(one.indices))
        for one in architectures
    ]


def nao(**settings: object) -> NaoLearner:
    given = {"pool": 80, "seeds": 20, "new": 15, "new_random": 5, "coder_width": 32}
    made = learner("nao", NB201, given | settings, nn.Linear(1, 1), score)  # type: ignore[arg-type]
    assert isinstance(made, NaoLearner)
    return made


@pytest.fixture(scope="module")
def trained() -> NaoLearner:
    """A model that has learned 80 architectures and nothing else."""
    torch.set_num_threads(1)
    made = nao(coder_epochs=250, coder_batch=40, coder_learning_rate=4e-3)
    members = made.model.pool.members
    made.model.pool.rate(members, score(members))
    made.learn()
    return made


def test_it_decodes_what_it_encodes(trained: NaoLearner) -> None:
    assert trained.reconstructed is not None and trained.reconstructed > 0.95
    members = trained.model.pool.members
    with torch.no_grad():
        decoded = trained.model.decoded(trained.model.encoder(sequences(members, CPU)))
    same = [tuple(row) == one.indices for row, one in zip(decoded.tolist(), members, strict=True)]
    assert np.mean(same) == trained.reconstructed


def test_the_predictor_ranks_architectures_it_has_not_seen(trained: NaoLearner) -> None:
    rng, seen = np.random.default_rng(8), set(trained.model.pool.members)
    unseen = [one for one in (NB201.sample(rng) for _ in range(150)) if one not in seen]
    with torch.no_grad():
        predicted = trained.model.predict(trained.model.encoder(sequences(unseen, CPU)))
    assert kendalltau(predicted.numpy(), score(unseen)).statistic > 0.5


def test_a_small_step_raises_the_prediction_by_the_squared_gradient(trained: NaoLearner) -> None:
    """The first-order change of f under x + eta grad f is eta |grad f|^2, before the scaling."""
    model = trained.model
    with torch.no_grad():
        states = model.encoder(sequences(model.pool.ranked()[-20:], CPU))
        before = model.predict(states)
        moved = [model.ascended(states, size) for size in (1e-3, 0.3)]
        assert (model.predict(moved[1]) > before).all()
        gain = (model.predict(moved[0]) - before).double()
    leaf = states.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model.predict(leaf).sum(), leaf)
    # Scaling to length 1 takes away the part along the state.
    across = gradient - (gradient * states).sum(-1, keepdim=True) * states
    expected = 1e-3 * (across * gradient).sum((1, 2)).double()
    assert kendalltau(gain, expected).statistic > 0.9
    np.testing.assert_allclose(gain.sum(), expected.sum(), rtol=0.05)
    for one in moved:
        torch.testing.assert_close(one.norm(dim=-1), torch.ones(one.shape[:2]))


def test_ascent_finds_better_networks_than_random_draws(trained: NaoLearner) -> None:
    model = trained.model
    saved, old = model.pool.state(), set(model.pool.members)
    new = trained.ascend(model.pool.ranked()[:20], 15)
    assert 0 < len(new) <= 15 and not old & set(new)
    rng = np.random.default_rng(2)
    random = score([NB201.sample(rng) for _ in range(300)])
    assert np.mean(score(new)) > np.mean(random) + np.std(random)
    model.pool.load_state(saved)


def test_rounds_come_when_they_are_due_and_the_last_epoch_ends_one() -> None:
    made = nao(round_epochs=3, coder_epochs=1)
    assert made.context.epochs == 4
    ran = []
    made.learn = lambda: ran.append(True)  # type: ignore[method-assign]
    counts = []
    for epoch in range(1, 5):
        made.end_epoch(epoch)
        counts.append(len(ran))
    assert counts == [0, 0, 1, 2]


def test_a_round_keeps_the_best_and_never_holds_a_network_twice() -> None:
    made = nao(round_epochs=1, coder_epochs=3)
    pool = made.model.pool
    means = []
    for epoch in range(1, 5):
        before = {**dict(zip(pool.members, score(pool.members), strict=True))}
        made.end_epoch(epoch)
        assert len(pool) == 80
        forms = {NB201.canonical(one) for one in pool.members}
        assert len(forms) == 80, "canonical forms differ"
        assert all(pool.scores[one] == score([one])[0] for one in pool.members)
        gone = [value for one, value in before.items() if one not in pool.scores]
        stayed = [value for one, value in before.items() if one in pool.scores]
        assert 5 <= len(gone) <= 20
        assert max(gone) <= min(stayed)
        means.append(made.report()["pool_mean"])
        assert made.proposals(3) == sorted(pool.members, key=lambda a: -score([a])[0])[:3]
    assert means[-1] > means[0]


def test_a_round_continues_exactly_from_its_state() -> None:
    made = nao(round_epochs=1, coder_epochs=2)
    made.end_epoch(1)
    saved = json.loads(json.dumps(made.saved()))
    tensors = {name: value.clone() for name, value in made.tensors().items()}
    stream = made.context.rng.bit_generator.state
    made.end_epoch(2)
    other = nao(round_epochs=1, coder_epochs=2)
    other.restore(saved)
    other.load_tensors(tensors)
    other.context.rng.bit_generator.state = stream
    other.end_epoch(2)
    assert other.state() == made.state()
    assert other.report() == made.report()
    drawn = [[one.draw(np.random.default_rng(s)) for s in range(20)] for one in (made, other)]
    assert drawn[0] == drawn[1] and set(drawn[0]) <= set(made.model.pool.members)


def test_targets_are_scaled_within_the_pool() -> None:
    made = nao()
    a, b, c = made.model.pool.members[:3]
    made.model.pool.rate([a, b, c], [60.0, 80.0, 65.0])
    assert made.targets([a, b, c]).tolist() == [0.0, 1.0, 0.25]
    assert made.targets([b, b]).tolist() == [0.5, 0.5]


def test_the_loss_weighs_error_and_reconstruction(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []
    for trade_off in (1.0, 0.0):
        made = nao(trade_off=trade_off, coder_epochs=1, coder_weight_decay=0.0)
        members = made.model.pool.members
        made.model.pool.rate(members, score(members))
        before = {n: p.detach().clone() for n, p in made.model.named_parameters()}
        made.learn()
        steps.append(
            {
                name.partition(".")[0]
                for name, parameter in made.model.named_parameters()
                if not torch.equal(parameter, before[name])
            }
        )
    assert steps == [{"encoder", "predictor"}, {"encoder", "decoder"}]


def test_sequences_that_a_constraint_forbids_are_dropped() -> None:
    settings = {"pool": 4, "seeds": 4, "new": 3, "new_random": 0, "coder_width": 4}
    made = learner("nao", TINY, settings, nn.Linear(1, 1), lambda some: [1.0] * len(some))
    assert isinstance(made, NaoLearner)
    offered = torch.tensor([[0, 0, 0], [1, 2, 2], [1, 1, 1], [1, 1, 1]])
    made.model.decoded = lambda states: offered  # type: ignore[method-assign,assignment]
    held = Architecture.of("tiny", (1, 1, 1)) in made.model.pool.scores
    new = made.ascend(made.model.pool.members, 3)
    assert new == ([] if held else [Architecture.of("tiny", (1, 1, 1))])


def test_a_pool_of_a_space_that_is_used_up_is_smaller() -> None:
    pool = Pool(TINY)
    rng = np.random.default_rng(0)
    assert len(pool.add_random(10, rng)) == 10
    assert len(pool.add_random(100, rng)) == 6, "16 valid networks in all"
    assert not pool.add(pool.members[0])
    best = pool.members[7]
    pool.rate([best], [3.0])
    assert pool.ranked()[0] == best
    pool.drop([best])
    assert len(pool) == 15 and pool.add(best)


def test_impossible_settings_are_refused_with_numbers() -> None:
    model = RECIPES["nao"].settings
    for wrong, said in (
        ({"pool": 20, "seeds": 30, "new": 5}, "30 `seeds` cannot be taken from a pool of 20"),
        ({"pool": 60, "new": 55, "new_random": 5}, "would replace the whole pool of 60"),
    ):
        with pytest.raises(SpecError) as caught:
            validate_settings(model, wrong, "settings", "nao")
        assert said in str(caught.value)
