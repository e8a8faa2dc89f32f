"""Distributions that decide choice after choice: sums, gradients, draws, beams."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch
from policy_cases import ALL, TINY, chances, policy
from scipy.stats import chisquare
from torch import nn

from engine.core.architecture import Architecture
from engine.learners import LEARNED, sequence_policy
from engine.learners.controller import Controller
from engine.recipes import RECIPES
from engine.spaces import get_space

BOTH = pytest.mark.parametrize("name", ["controller", "factored"])
NB201 = get_space("nb201")


def test_the_controllers_probabilities_of_all_nb201_architectures_sum_to_one() -> None:
    made = policy("controller", NB201, scale=0.5)
    everything = list(NB201.enumerate())
    with torch.no_grad():
        logs, entropies = made.log_probs(everything)
    assert len(logs) == 15_625
    assert math.isclose(float(logs.exp().sum()), 1, abs_tol=1e-12)
    # The mean of the entropies along sequences is the entropy of the whole distribution.
    whole = -float((logs.exp() * logs).sum())
    assert math.isclose(float((logs.exp() * entropies).sum()), whole, rel_tol=1e-10)
    assert 1 < whole < 6 * math.log(5) - 0.1, "neither certain nor uniform"


@BOTH
def test_the_gradient_of_log_p_is_that_of_finite_differences(name: str) -> None:
    made, chosen = policy(name, scale=0.7), [ALL[11], ALL[4]]
    parameters = list(made.parameters())
    log_p = made.log_probs(chosen)[0].sum()
    gradients = torch.autograd.grad(log_p, parameters, allow_unused=True)
    generator, size = torch.Generator().manual_seed(9), 1e-6
    for _ in range(4):
        ways = [torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in parameters]
        values = []
        for sign in (1, -2):
            with torch.no_grad():
                for parameter, way in zip(parameters, ways, strict=True):
                    parameter += sign * size * way
                values.append(float(made.log_probs(chosen)[0].sum()))
        with torch.no_grad():
            for parameter, way in zip(parameters, ways, strict=True):
                parameter += size * way
        pairs = zip(gradients, ways, strict=True)
        expected = sum(float((g * w).sum()) for g, w in pairs if g is not None)
        assert math.isclose((values[0] - values[1]) / (2 * size), expected, rel_tol=1e-6)


def test_the_controller_is_an_lstm_whose_logits_go_through_a_tanh() -> None:
    made = policy("controller", scale=2.0)
    assert isinstance(made, Controller) and made.vocabulary == [0, 1, 2]
    lstm = nn.LSTM(4, 4, num_layers=2, batch_first=True).double()
    with torch.no_grad():
        for layer, cell in enumerate(made.cells):
            for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                getattr(lstm, f"{part}_l{layer}").copy_(getattr(cell, part))
        taken = (1, 2, 0)
        words = [made.first.weight[0], made.embeddings[0].weight[1], made.embeddings[1].weight[2]]
        hidden = lstm(torch.stack(words)[None])[0][0]
        expected = 0.0
        for head, state, option in zip(made.heads, hidden, taken, strict=True):
            logits = 2.5 * torch.tanh((head.weight @ state + head.bias) / 5)
            assert logits.abs().max() < 2.5
            expected += float(logits[option] - torch.logsumexp(logits, 0))
        log_p = float(made.log_probs([Architecture.of("tiny", taken)])[0])
    assert math.isclose(log_p, expected, rel_tol=1e-12)


def test_choices_with_the_same_options_share_their_vocabulary() -> None:
    assert policy("controller", NB201).vocabulary == [0] * 6
    sizes = policy("controller", get_space("nats_size"))
    assert len(sizes.embeddings) == len(sizes.heads) == 1


@BOTH
def test_draws_follow_the_probabilities_of_valid_architectures(name: str) -> None:
    made, rng = policy(name, scale=0.8), np.random.default_rng(1)
    counts = Counter(made.draws(rng, 6_000))
    valid = [one for one in ALL if TINY.is_valid(one)]
    assert set(counts) <= set(valid)
    weights = chances(made)[[ALL.index(one) for one in valid]].numpy()
    expected = 6_000 * weights / weights.sum()
    seen = np.array([counts[one] for one in valid])
    often = expected > 5
    assert often.sum() > 5 and seen[~often].sum() < 60
    total = seen[often].sum() / expected[often].sum()
    assert chisquare(seen[often], expected[often] * total).pvalue > 1e-3


def test_a_policy_that_draws_only_invalid_ones_still_gives_valid_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sequence_policy, "ATTEMPTS", 3)
    made, rng = policy("factored"), np.random.default_rng(0)
    with torch.no_grad():
        for one in made.parameters():
            one.copy_(torch.tensor([50.0, *[0.0] * (len(one) - 1)]))
    assert float(chances(made)[0]) > 0.999, "(0, 0, 0), which the constraint forbids"
    drawn = made.draws(rng, 40)
    assert len(drawn) == 40 and all(TINY.is_valid(one) for one in drawn)
    assert len(set(drawn)) > 8


@BOTH
def test_the_likeliest_are_those_of_brute_force(name: str) -> None:
    made = policy(name, scale=1.0)
    order = chances(made).argsort(descending=True).tolist()
    expected = [ALL[i] for i in order if TINY.is_valid(ALL[i])]
    assert made.likeliest(5) == expected[:5]
    assert made.likeliest(100) == expected


def test_the_likeliest_of_independent_choices_are_different_networks() -> None:
    made = policy("factored", NB201, scale=1.0)
    everything = list(NB201.enumerate())
    with torch.no_grad():
        order = made.log_probs(everything)[0].argsort(descending=True).tolist()
    networks: dict[str, Architecture] = {}
    for i in order:
        networks.setdefault(NB201.canonical(everything[i]), everything[i])
    assert made.likeliest(7) == list(networks.values())[:7]


@BOTH
def test_a_constraint_that_forbids_most_of_the_beam_leaves_enough(name: str) -> None:
    """Almost uniform over NAS-Bench-101, the beam holds graphs of no edges, and few others."""
    space = get_space("nb101")
    made = policy(name, space, scale=0.01)
    found = made.likeliest(6)
    assert len({space.canonical(space.check(one)) for one in found}) == 6
    with torch.no_grad():
        logs = made.log_probs(found)[0].tolist()
    assert logs == sorted(logs, reverse=True)
    assert made.likeliest(6) == found


@BOTH
def test_reported_probabilities_are_marginals(name: str) -> None:
    made = policy(name, scale=1.0)
    exact = [torch.zeros(len(choice.options), dtype=torch.float64) for choice in TINY.choices]
    for one, chance in zip(ALL, chances(made), strict=True):
        for counts, option in zip(exact, one.indices, strict=True):
            counts[option] += chance
    tolerance = 0.05 if name == "controller" else 1e-12
    for found, expected in zip(made.probabilities(), exact, strict=True):
        assert float((found - expected).abs().max()) < tolerance
    first, again = made.probabilities(), made.probabilities()
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_reports_are_about_the_mixture_where_a_space_mixes_other_choices() -> None:
    space = get_space("darts")
    made = policy("factored", space, scale=1.0)
    found = made.probabilities()
    assert [len(one) for one in found] == [len(choice.options) for choice in space.mixture]
    assert all(math.isclose(float(one.sum()), 1, abs_tol=1e-9) for one in found)
    # Two of the edges into a node are kept, and a kept edge has no operation by chance only.
    kept = sum(float(1 - one[0]) for one in found[:14])
    assert 4 < kept <= 8 + 1e-9


def test_a_policy_is_made_from_its_generator_alone() -> None:
    settings, before = RECIPES["enas"].settings(), torch.get_rng_state()
    texts = set()
    for _ in range(2):
        made = LEARNED["controller"](NB201, settings, torch.Generator().manual_seed(4))
        texts.add(str([p.sum().item() for p in made.parameters()]))
        torch.rand(3)
        largest = max(float(p.detach().abs().max()) for p in made.parameters())
        assert 0.09 < largest <= 0.1
    assert len(texts) == 1
    torch.set_rng_state(before)
    LEARNED["controller"](NB201, settings, torch.Generator().manual_seed(4))
    assert torch.equal(torch.get_rng_state(), before)
