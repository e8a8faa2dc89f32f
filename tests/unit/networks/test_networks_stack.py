"""Blocks of many routes in one tensor, against loops over lists."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from engine.networks.stack import Stack, sum_blocks, take_blocks

torch.set_num_threads(1)
formats = st.sampled_from([torch.contiguous_format, torch.channels_last])


def blocks_of(count: int, seed: int, layout: torch.memory_format) -> Tensor:
    """Return `count` blocks of two images (3, 4, 2)."""
    source = torch.Generator().manual_seed(seed)
    values = torch.randn(count * 2, 3, 4, 2, generator=source, dtype=torch.float64)
    return values.contiguous(memory_format=layout)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), formats)
@settings(deadline=None, max_examples=50)
def test_taking(wanted: list[int], layout: torch.memory_format) -> None:
    values = blocks_of(4, 0, layout)
    found = take_blocks(values, 4, wanted)
    assert torch.equal(found, torch.cat([values[2 * k : 2 * k + 2] for k in wanted]))
    assert found.is_contiguous(memory_format=layout)


def test_taking_all_in_order_copies_nothing() -> None:
    values = blocks_of(3, 0, torch.channels_last)
    assert take_blocks(values, 3, [0, 1, 2]) is values


parts = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=5),
        formats,
    ),
    min_size=1,
    max_size=3,
)


@given(parts)
@settings(deadline=None, max_examples=100)
def test_adding(chosen: list[tuple[int, list[tuple[int, int]], torch.memory_format]]) -> None:
    given_parts, wanted = [], torch.zeros(5, 2, 3, 4, 2, dtype=torch.float64)
    for seed, (held, pairs, layout) in enumerate(chosen):
        values = blocks_of(held, seed, layout).requires_grad_()
        sources, targets = [source % held for source, _ in pairs], [target for _, target in pairs]
        given_parts.append((values, held, sources, targets))
        for source, target in zip(sources, targets, strict=True):
            wanted[target] += values.detach()[2 * source : 2 * source + 2]
    found = sum_blocks(given_parts, 5)
    torch.testing.assert_close(found, wanted.flatten(0, 1), rtol=1e-12, atol=1e-13)
    found.sum().backward()
    for values, held, sources, _ in given_parts:
        uses = torch.bincount(torch.tensor(sources), minlength=held).double()
        each = uses.repeat_interleave(2).view(-1, 1, 1, 1).expand_as(values)
        torch.testing.assert_close(values.grad, each)


def test_routes_get_their_blocks_back() -> None:
    values = torch.arange(12.0).reshape(6, 2)
    stack = Stack(values, (2, 0, 2, 1), 3)
    assert torch.equal(stack.unstack(), values.reshape(3, 2, 2)[[2, 0, 2, 1]])
    shared = Stack.shared(values, 3)
    assert (shared.blocks, shared.slots) == (1, (0, 0, 0))
    assert torch.equal(shared.unstack(), torch.stack([values] * 3))
    assert stack.with_values(values + 1).slots == stack.slots


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_blocks_without_a_term_are_zero(layout: torch.memory_format) -> None:
    values = blocks_of(1, 0, layout)
    found = sum_blocks([(values, 1, [0], [2])], 4).reshape(4, 2, 3, 4, 2)
    assert torch.equal(found[2], values)
    assert not found[[0, 1, 3]].any()
