"""Super-net scores: which images, how many at once, and that nothing else changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from training_cases import copied, images, network, some, supernet

from engine.evaluators import supernet as evaluator
from engine.evaluators.supernet import LARGEST_CHUNK, LIVE_TENSORS, SuperNetScorer
from engine.networks import Route, SuperNet
from engine.spec.errors import TrainingError

SOME = some(7)


def scorer(
    held_out: int = 70,
    batch: int = 32,
    limit: int | None = None,
    statistics: str = "batch",
    on_halved: Callable[[int], None] = lambda chunk: None,
    net: SuperNet | None = None,
) -> SuperNetScorer:
    skeleton = network(statistics=statistics, recalibration_batches=2)
    return SuperNetScorer(
        net or supernet(3, statistics=statistics),
        skeleton.norm,
        images(held_out, 2),
        images(80, 1),
        batch,
        limit,
        on_halved=on_halved,
    )


@pytest.mark.parametrize(
    ("held_out", "limit", "sizes"),
    [
        (70, None, [32, 32]),  # the partial batch is left out
        (64, None, [32, 32]),
        (10, None, [10]),  # fewer than a batch: all of them form one
        (70, 64, [32, 32]),
        (70, 63, [32]),  # never more than asked for
        (70, 20, [20]),
        (70, 500, [32, 32]),
    ],
)
def test_the_images_that_count(held_out: int, limit: int | None, sizes: list[int]) -> None:
    made = scorer(held_out, limit=limit)
    assert [len(y) for _, y in made.batches] == sizes
    assert made.count == sum(sizes)
    first = next(images(held_out, 2).batches(sizes[0]))
    assert torch.equal(made.batches[0][0], first[0])


def by_hand(made: SuperNetScorer) -> list[float]:
    """Score one architecture after another with plain forward passes."""
    accuracies = []
    for architecture in SOME:
        with torch.no_grad():
            hits = [
                (made.net(x, Route.of(architecture)).argmax(1) == y).sum().item()
                for x, y in made.batches
            ]
        accuracies.append(100 * sum(hits) / sum(len(y) for _, y in made.batches))
    return accuracies


@pytest.mark.parametrize("chunk", [None, 1, 2, 3, 7, 64])
def test_scores_do_not_depend_on_how_many_run_at_once(chunk: int | None) -> None:
    made = scorer()
    made._chunk = chunk
    scores = made.scores(SOME)
    assert scores == by_hand(made)
    assert len(set(scores)) > 2
    assert made.scores(SOME[2:3]) == scores[2:3]
    assert made.scores([]) == []


def test_the_chunk_is_a_quarter_of_the_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    one = 32 * 2 * 8 * 8 * 4 * LIVE_TENSORS  # a batch behind the stem, float32
    for free, expected in ((40 * one, 10), (4 * one, 1), (0, 1), (10**15, LARGEST_CHUNK)):
        monkeypatch.setattr(evaluator, "free_bytes", lambda device, free=free: free)
        assert scorer().chunk_size() == expected
    made = scorer()
    made.chunk_size()
    monkeypatch.setattr(evaluator, "free_bytes", lambda device: 0)
    assert made.chunk_size() == LARGEST_CHUNK, "measured once, or runs would not repeat"


class SmallMemory:
    """Lets `forward_many` run out of memory above a number of routes."""

    def __init__(self, patch: pytest.MonkeyPatch, most: int) -> None:
        real = SuperNet.forward_many
        self.tried: list[int] = []

        def forward_many(net: SuperNet, x: torch.Tensor, routes: Sequence[Route]) -> Any:
            self.tried.append(len(routes))
            if len(routes) > most:
                raise torch.cuda.OutOfMemoryError("no memory")
            return real(net, x, routes)

        patch.setattr(SuperNet, "forward_many", forward_many)


def test_when_memory_runs_out_the_chunk_is_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    expected, told = scorer().scores(SOME), []
    memory = SmallMemory(monkeypatch, most=2)
    made = scorer(on_halved=told.append)
    made._chunk = 8
    polls: list[int] = []
    assert made.scores(SOME, polls.append) == expected
    assert told == [4, 2]
    assert memory.tried == [7, 4, 2, 2, 2, 2, 2, 2, 1, 1]
    assert polls == sorted(polls)
    memory.tried.clear()
    assert made.scores(SOME) == expected
    assert max(memory.tried) == 2, "it was not remembered"


def test_one_architecture_must_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    SmallMemory(monkeypatch, most=0)
    told: list[int] = []
    with pytest.raises(
        TrainingError, match=r"a single architecture; lower `super_net.batch_size`"
    ):
        scorer(on_halved=told.append).scores(SOME)
    assert told[-1] == 1


@pytest.mark.parametrize("statistics", ["batch", "moving", "recalibrated"])
def test_scoring_changes_nothing(statistics: str) -> None:
    made = scorer(statistics=statistics)
    before, state, momentum = copied(made.net), torch.get_rng_state(), made.net.policy.momentum
    made.scores(SOME)
    assert torch.equal(torch.get_rng_state(), state)
    assert made.net.policy.momentum == momentum
    for name, value in copied(made.net).items():
        assert torch.equal(value, before[name]), name
    assert all(weight.grad is None for weight in made.net.parameters())


def test_scoring_can_be_stopped_without_a_trace() -> None:
    made = scorer(statistics="recalibrated")
    before, momentum = copied(made.net), made.net.policy.momentum

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made.scores(SOME, stop)
    assert made.net.policy.momentum == momentum
    assert not made.net.policy.use_moving
    assert not made.net.policy.update
    for name, value in copied(made.net).items():
        assert torch.equal(value, before[name]), name


def test_polls_count_what_was_scored() -> None:
    made = scorer()
    made._chunk = 3
    polls: list[int] = []
    made.scores(SOME, polls.append)
    assert polls == [1, 3, 4, 6, 6, 7]


def test_recalibrated_statistics_are_those_of_training_batches() -> None:
    """Means of the batches' own statistics, measured along the path that is scored."""
    made = scorer(statistics="recalibrated")
    scores = made.scores(SOME)
    batches = [x for x, _ in images(80, 1).batches(32)][:2]
    for architecture, score in zip(SOME, scores, strict=True):
        net, route = supernet(3, statistics="recalibrated"), Route.of(architecture)
        seen: dict[str, list[torch.Tensor]] = {}
        net.policy.momentum = 1.0
        with torch.no_grad(), net.policy.tracking():
            for x in batches:
                net(x, route)
                for name, value in net.named_buffers():
                    seen.setdefault(name, []).append(value.clone())
        for name, value in net.named_buffers():
            value.copy_(torch.stack(seen[name]).mean(0))
        with torch.no_grad(), net.policy.moving():
            hits = [(net(x, route).argmax(1) == y).sum().item() for x, y in made.batches]
        assert score == pytest.approx(100 * sum(hits) / 64, abs=1.6)  # a picture may tip over
    assert len(set(scores)) > 2
