"""The ways of making a narrow layer from the widest one: what each of them promises."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch import Tensor, nn
from torch.nn import functional as F

from engine.networks.channels import (
    ChannelPolicy,
    FixedChunk,
    Interpolate,
    Shuffle,
    channel_policy,
)
from engine.networks.norm import NormPolicy
from engine.networks.touched import take_untouched
from engine.networks.widths import NormMean, NormSlice, WidthConvNorm
from engine.spec.network import NormSpec, SharingSpec
from engine.spec.training import OptimiserSpec
from engine.training.optim import apply_update, make_optimiser

NAMES = ("fixed", "shuffle", "interpolate")
torch.set_num_threads(1)


def policy_of(name: str, norm: NormPolicy | None = None) -> ChannelPolicy:
    sharing = SharingSpec.model_validate({"dynamic_channels": name})
    return channel_policy(sharing, norm or NormPolicy())


def numbers(*shape: int, seed: int = 0) -> nn.Parameter:
    source = torch.Generator().manual_seed(seed)
    return nn.Parameter(torch.randn(*shape, generator=source, dtype=torch.float64))


@pytest.mark.parametrize("name", NAMES)
@given(widths=st.tuples(st.integers(1, 9), st.integers(1, 6)))
@settings(max_examples=30, deadline=None)
def test_widths_and_kernels_have_the_shape_asked_for(name: str, widths: tuple[int, int]) -> None:
    policy, largest = policy_of(name), numbers(9, 6, 3, 3)
    assert policy.parameter(largest, *widths).shape == (*widths, 3, 3)
    assert policy.parameter(largest, widths[0]).shape == (widths[0], 6, 3, 3)
    middle = policy.parameter(largest, *widths, side=1)
    torch.testing.assert_close(middle, policy.parameter(largest, *widths)[:, :, 1:2, 1:2])
    assert policy.buffer(largest[:, 0, 0, 0].detach(), widths[0]).shape == (widths[0],)


@pytest.mark.parametrize("name", NAMES)
def test_the_largest_width_is_everything_in_order(name: str) -> None:
    norm = NormPolicy()
    policy, largest = policy_of(name, norm), numbers(5, 4, 3, 3)
    with norm.tracking():
        policy.renew()
        assert torch.equal(policy.parameter(largest, 5, 4), largest)
        assert torch.equal(policy.buffer(largest[:, 0, 0, 0], 5), largest[:, 0, 0, 0])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [0, 6])
def test_impossible_widths_are_an_error(name: str, width: int) -> None:
    policy = policy_of(name)
    with pytest.raises(ValueError, match="whose largest are"):
        policy.parameter(numbers(5, 4), width)
    with pytest.raises(ValueError, match="whose largest are"):
        policy.buffer(torch.zeros(5), width)


def test_fixed_is_the_prefix() -> None:
    largest = numbers(5, 4, 3, 3)
    assert torch.equal(FixedChunk().parameter(largest, 2, 3), largest[:2, :3])


# -- interpolation -----------------------------------------------------------------------------
def pooled(values: Tensor, width: int, dimension: int) -> Tensor:
    """Average with torch's own adaptive pooling."""
    last = values.movedim(dimension, -1)
    flat = F.adaptive_avg_pool1d(last.reshape(-1, 1, last.shape[-1]), width)
    return flat.view(*last.shape[:-1], width).movedim(-1, dimension)


@given(st.integers(1, 12), st.integers(1, 12), st.data())
@settings(max_examples=40, deadline=None)
def test_interpolation_is_adaptive_pooling_of_channels(
    rows: int, columns: int, data: st.DataObject
) -> None:
    widths = data.draw(st.tuples(st.integers(1, rows), st.integers(1, columns)))
    largest = numbers(rows, columns, 2)
    found = Interpolate().parameter(largest, *widths)
    torch.testing.assert_close(found, pooled(pooled(largest, widths[0], 0), widths[1], 1))


def test_interpolation_by_hand() -> None:
    """001 eq. 3.13: of five channels, three are the means of 0-1, 1-3 and 3-4."""
    largest = nn.Parameter(torch.tensor([1.0, 2, 4, 8, 16], dtype=torch.float64))
    found = Interpolate().parameter(largest, 3)
    wanted = torch.tensor([1.5, 14 / 3, 12], dtype=torch.float64)
    torch.testing.assert_close(found, wanted, check_dtype=False)


def test_interpolation_keeps_the_precision_of_parameters() -> None:
    largest = numbers(5, 4).detach().float()
    with torch.autocast("cpu", torch.bfloat16):
        found = Interpolate().parameter(largest, 2, 3)
    assert found.dtype == torch.float32
    assert torch.equal(found, Interpolate().parameter(largest, 2, 3))


@pytest.mark.parametrize("widths", [(2, 3), (3, 5), (4, 1)])
def test_gradients_of_interpolation_against_finite_differences(widths: tuple[int, int]) -> None:
    largest = numbers(4, 5, 1, 1)
    assert torch.autograd.gradcheck(lambda w: Interpolate().parameter(w, *widths), (largest,))

    # A function that is not linear in them, one number at a time.
    def loss(values: Tensor) -> Tensor:
        return (Interpolate().parameter(values, *widths) ** 3).sum()

    loss(largest).backward()
    step = 1e-5
    for place in range(largest.numel()):
        change = torch.zeros(largest.numel(), dtype=torch.float64)
        change[place] = step
        change = change.view_as(largest)
        with torch.no_grad():
            slope = (loss(largest + change) - loss(largest - change)) / (2 * step)
        assert abs(slope - largest.grad.flatten()[place]) < 1e-7


# -- shuffling ---------------------------------------------------------------------------------
def test_in_the_long_run_shuffling_uses_all_channels_equally() -> None:
    torch.manual_seed(3)
    norm = NormPolicy()
    policy, largest = Shuffle(norm), torch.arange(7.0)
    counts, places = Counter(), Counter()
    with norm.tracking():
        for _ in range(3_000):
            policy.renew()
            taken = policy.buffer(largest, 3).tolist()
            assert len(set(taken)) == 3
            counts.update(taken)
            places[taken[0]] += 1
    assert chisquare([counts[c] for c in range(7)]).pvalue > 0.001
    assert chisquare([places[c] for c in range(7)]).pvalue > 0.001


def test_an_order_holds_for_one_pass_and_all_its_layers() -> None:
    torch.manual_seed(0)
    norm = NormPolicy()
    policy, largest = Shuffle(norm), torch.arange(50.0)
    square = torch.arange(2500.0).view(50, 50)
    orders = set()
    with norm.tracking():
        for _ in range(5):
            policy.renew()
            wide, narrow = policy.buffer(largest, 20), policy.buffer(largest, 12)
            assert torch.equal(wide[:12], narrow), "a narrower reader takes the first of these"
            rows = policy.parameter(square, 20, 12)
            assert torch.equal(rows, 50 * wide[:, None] + narrow)
            orders.add(tuple(wide.tolist()))
    assert len(orders) == 5


def test_only_training_passes_draw() -> None:
    norm = NormPolicy()
    policy, largest = Shuffle(norm), torch.arange(50.0)
    before = torch.get_rng_state()
    for _ in range(3):
        policy.renew()
        assert torch.equal(policy.buffer(largest, 20), largest[:20])
        with norm.measuring():
            assert torch.equal(policy.buffer(largest, 20), largest[:20])
    assert torch.equal(torch.get_rng_state(), before)
    with norm.tracking():
        drawn = policy.buffer(largest, 20)
        assert not torch.equal(drawn, largest[:20])
        torch.set_rng_state(before)
        policy.renew()
        assert torch.equal(policy.buffer(largest, 20), drawn), "the state repeats the draws"


# -- weights, normalisation and averages together (joint 10) -----------------------------------
def layer(policy: ChannelPolicy, norm: NormPolicy) -> WidthConvNorm:
    """Return a 1x1 layer whose output channel c is c+1 everywhere, with scale c+1, shift -c-1."""
    made = WidthConvNorm(1, 9, 1, 1, policy, norm)
    marks = torch.arange(1.0, 10)
    with torch.no_grad():
        made.conv.weight.copy_(marks.view(9, 1, 1, 1))
        made.norm.weight.copy_(marks)
        made.norm.bias.copy_(-marks)
        made.norm.running_mean.copy_(marks)
        made.norm.running_var.copy_(marks)
    return made


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [3, 4, 9])
def test_one_policy_decides_all(name: str, width: int) -> None:
    torch.manual_seed(1)
    norm = NormPolicy(keeps_buffers=True, momentum=0.25)
    policy = policy_of(name, norm)
    made = layer(policy, norm)
    with norm.tracking():
        policy.renew()
        out, part = made(torch.ones(2, 1, 2, 2), width)
        marks = out[0, :, 0, 0]
        assert torch.equal(part.weight, marks) and torch.equal(part.bias, -marks)
        if name != "interpolate" or 9 % width == 0:  # else only its windows overlap
            torch.testing.assert_close(part.averages(), (marks, marks))
        before = part.averages()[0].clone()
        seen = torch.linspace(20, 30, width)
        part.observe(seen[None], torch.zeros(1, width), 8)
        torch.testing.assert_close(part.averages()[0], before.lerp(seen, 0.25))
        moved = made.norm.running_mean != torch.arange(1.0, 10)
        assert int(moved.sum()) == (9 if name == "interpolate" else width)


@given(st.integers(1, 20), st.data())
@settings(max_examples=40, deadline=None)
def test_what_interpolation_measures_is_read_back_exactly(size: int, data: st.DataObject) -> None:
    width = data.draw(st.integers(1, size))
    policy, source = Interpolate(), torch.Generator().manual_seed(size)
    largest = torch.rand(size, generator=source, dtype=torch.float64)
    first, second = torch.rand(2, width, generator=source, dtype=torch.float64)
    policy.move(largest, first, 1.0)
    torch.testing.assert_close(policy.buffer(largest, width), first)
    policy.move(largest, second, 0.5)
    torch.testing.assert_close(policy.buffer(largest, width), (first + second) / 2)
    assert (largest > 0).all(), "variances stay positive"


def test_the_mean_of_normalisations_follows_a_batch_as_one_does() -> None:
    norm = NormPolicy(keeps_buffers=True, momentum=0.25, use_moving=True)
    parts = [NormSlice(layer(FixedChunk(), norm).norm, 4, FixedChunk()) for _ in range(3)]
    for number, part in enumerate(parts):
        part.norm.running_mean += number
    mean = NormMean(parts)
    assert torch.equal(mean.weight, torch.arange(1.0, 5))
    before, seen = mean.statistics()[0].clone(), torch.tensor([5.0, 7, 9, 11])
    assert torch.equal(before, torch.arange(2.0, 6))
    mean.observe(seen[None], torch.zeros(1, 4), 8)
    torch.testing.assert_close(mean.statistics()[0], before.lerp(seen, 0.25))
    plain = NormSpec(affine=False)
    bare = WidthConvNorm(1, 9, 1, 1, FixedChunk(), NormPolicy.of(plain))
    assert NormMean([NormSlice(bare.norm, 4, FixedChunk())]).weight is None


# -- unsampled weights (joint 3) ----------------------------------------------------------------
@pytest.mark.parametrize("name", NAMES)
def test_frozen_holds_for_what_was_not_taken(name: str) -> None:
    torch.manual_seed(5)
    norm = NormPolicy()
    policy, largest = policy_of(name, norm), numbers(6, 5, 3, 3)
    optimiser = make_optimiser([largest], OptimiserSpec(learning_rate=0.1, weight_decay=0.5))
    with norm.tracking():
        policy.renew()
        first = policy.parameter(largest, 2, 3)
        second = policy.parameter(largest, 4, 1, side=1)
    taken = {
        float(value) for value in torch.cat([first.detach().flatten(), second.detach().flatten()])
    }
    (first.sum() + second.sum()).backward()
    before = largest.detach().clone()
    apply_update(optimiser, None, "frozen")
    moved = largest != before
    if name == "interpolate":
        assert moved.all()
    else:
        wanted = torch.tensor(np.isin(before.numpy(), sorted(taken)))
        assert torch.equal(moved, wanted)
        assert int(moved.sum()) == len(taken) < 6 * 5 * 9


def test_the_middle_alone_is_used_by_a_smaller_kernel() -> None:
    for name in NAMES:
        largest = numbers(6, 5, 3, 3)
        policy_of(name).parameter(largest, 6, 5, side=1).sum().backward()
        untouched = take_untouched(largest)
        assert untouched is not None
        wanted = torch.ones(6, 5, 3, 3, dtype=torch.bool)
        wanted[:, :, 1, 1] = False
        assert torch.equal(untouched, wanted)
