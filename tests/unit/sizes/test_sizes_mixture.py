"""Mixtures of widths: one option is its network, soft ones are what FBNetV2's masks say."""

from __future__ import annotations

import math

import pytest
import torch
from sizes_cases import MOVING, SMALL, drawn, gradients, images, size, supernet
from torch import Tensor
from torch.nn import functional as F

from engine.networks import Route, build_stand_alone
from engine.networks.norm import normalised_sum
from engine.networks.width_mixture import Masking, masked, maskings, with_channels
from engine.spaces.nats_size import NATS_SIZE_SPACE, widths_of

OPTIONS = tuple(range(8))
ALL = (OPTIONS,) * 5
CHANNELS = [widths_of((i,), SMALL)[0] for i in OPTIONS]


def one_hot(indices: tuple[int, ...]) -> Route:
    return Route(ALL, tuple(F.one_hot(torch.tensor(i), 8).float() for i in indices))


def soft(seed: int, scale: float = 1.0) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.softmax(scale * torch.randn(8, generator=generator), 0) for _ in range(5))


@pytest.mark.parametrize("text", ["8:8:8:8:8", "64:64:64:64:64", "16:16:64:8:8", "40:8:24:56:16"])
def test_a_mixture_of_one_option_is_the_network_of_this_option(text: str) -> None:
    net, chosen, x = supernet(), size(text), images()
    hard = net(x, Route.of(chosen))
    torch.testing.assert_close(net(x, one_hot(chosen.indices)), hard, rtol=1e-4, atol=1e-5)


def test_shared_weights_get_the_gradients_of_the_network() -> None:
    net, x = supernet(), images()
    for chosen in drawn(4):
        found = []
        for route in (Route.of(chosen), one_hot(chosen.indices)):
            net(x, route).square().mean().backward()
            found.append(gradients(net))
        for name, expected in found[0].items():
            if expected is not None:
                torch.testing.assert_close(found[1][name], expected, rtol=1e-3, atol=1e-5)
            elif found[1][name] is not None:
                assert found[1][name].abs().max() < 1e-6, name


def test_a_masked_layer_is_the_sum_of_its_padded_options() -> None:
    """FBNetV2, §3.1: K convolutions, padded with zeros and added, are one with a mask."""
    net, x, weights = supernet(), images(), soft(3)[0]
    padded = [with_channels(net.stem(x, width), CHANNELS[-1]) for width in CHANNELS]
    expected = sum(w * one for w, one in zip(weights, padded, strict=True))
    ((width, masking),) = maskings(Route(ALL[:1], (weights,)), [CHANNELS])
    assert width == CHANNELS[-1]
    torch.testing.assert_close(masked(net.stem(x, width), masking), expected, rtol=1e-4, atol=1e-5)


def test_masks_and_agreement_by_hand() -> None:
    route = Route(((0, 1), (1, 3)), (torch.tensor([0.25, 0.75]), torch.tensor([0.4, 0.6])))
    (first, one), (second, two) = maskings(route, [[2, 4], [4, 5]])
    assert (first, second) == (4, 5)
    assert one.mask[:, 0, 0].tolist() == [1.0, 1.0, 0.75, 0.75]
    torch.testing.assert_close(two.mask[:, 0, 0], torch.tensor([1.0, 1.0, 1.0, 1.0, 0.6]))
    assert one.same == 1.0
    assert math.isclose(float(two.same), 0.75 * 0.4, rel_tol=1e-6)


def test_a_layer_is_as_wide_as_its_largest_active_option() -> None:
    net, x = supernet(), images()
    chosen = (1, 0, 2, 3, 1)
    active = tuple(tuple(sorted({option, 0, 3})) for option in chosen)
    weights = tuple(
        torch.tensor([1.0 if o == option else 0.0 for o in options])
        for options, option in zip(active, chosen, strict=True)
    )
    seen: list[int] = []
    net.trunk.layers[4].register_forward_hook(lambda *call: seen.append(call[2].shape[1]))
    expected = net(x, Route(tuple((i,) for i in chosen)))
    found = net(x, Route(active, weights))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert seen == [CHANNELS[1], CHANNELS[3]]


def test_the_skip_connection_mixes_input_and_projection() -> None:
    net = supernet()
    cell, width, same = net.trunk.layers[2], CHANNELS[-1], torch.tensor(0.3)
    x = torch.randn(4, width, 5, 5, generator=torch.Generator().manual_seed(1))
    plain = Masking(torch.ones(width, 1, 1), same)
    values = {s: cell(x, width, masking=Masking(plain.mask, torch.tensor(s))) for s in (0.0, 1.0)}
    mixed = 0.3 * values[1.0] + 0.7 * values[0.0]
    torch.testing.assert_close(cell(x, width, masking=plain), mixed, rtol=1e-4, atol=1e-5)
    projected, norm = cell.get_submodule("edge_0_3")(x, width)
    difference = values[1.0] - values[0.0]
    expected = x - normalised_sum([projected], [norm])
    torch.testing.assert_close(difference, expected, rtol=1e-4, atol=1e-5)


def test_gradients_reach_the_weights() -> None:
    net, x = supernet().double(), images().double()
    weights = [one.double().requires_grad_() for one in soft(5)]
    labels = torch.arange(len(x)) % SMALL.classes

    def loss(*given: Tensor) -> Tensor:
        return F.cross_entropy(net(x, Route(ALL, given)), labels)

    found = torch.autograd.grad(loss(*weights), weights)
    size_ = 1e-6
    for layer in range(5):
        for option in (0, 3, 7):
            values = []
            for sign in (1, -1):
                moved = [one.detach().clone() for one in weights]
                moved[layer][option] += sign * size_
                with torch.no_grad():
                    values.append(float(loss(*moved)))
            expected = (values[0] - values[1]) / (2 * size_)
            assert math.isclose(float(found[layer][option]), expected, rel_tol=1e-3, abs_tol=1e-7)
        assert found[layer].abs().max() > 1e-6


def test_buffers_move_while_tracking_only() -> None:
    net, x, route = supernet(MOVING), images(), Route(ALL, soft(2))
    before = {name: value.clone() for name, value in net.named_buffers()}
    net(x, route)
    assert all(torch.equal(value, before[name]) for name, value in net.named_buffers())
    with net.policy.tracking():
        net(x, route)
    assert any(not torch.equal(value, before[name]) for name, value in net.named_buffers())


def test_what_cannot_be_mixed_is_said() -> None:
    alone = build_stand_alone(size("8:8:8:8:8"), SMALL, 0)
    with pytest.raises(ValueError, match="built for one architecture"):
        alone(images(), one_hot((0,) * 5))
    with pytest.raises(ValueError, match="needs weights in every layer"):
        supernet()(images(), Route(ALL, (*soft(1)[:4], None)))
    with pytest.raises(ValueError, match="one width per layer"):
        supernet()(images(), Route(ALL))
    assert "width_mixture" in NATS_SIZE_SPACE.provides
