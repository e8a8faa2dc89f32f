"""Putting waiting runs into another order."""

from __future__ import annotations

import random
import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis import Redis

from engine.runs import create_run
from engine.spec.errors import RunError, StoreError
from engine.spec.experiment import ExperimentSpec
from workers.client import Client
from workers.keys import Keys, new_measurement_id
from workers.queueing import RunQueue, _pivot
from workers.server import EmbeddedStore
from workers.settings import Settings


@pytest.mark.parametrize(
    ("run_id", "where", "order"),
    [
        ("c", "first", "cabd"),
        ("c", "up", "acbd"),
        ("c", "down", "abdc"),
        ("b", "last", "acdb"),
        ("a", "first", "abcd"),
        ("a", "up", "abcd"),
        ("d", "down", "abcd"),
        ("d", "last", "abcd"),
        ("d", "up", "abdc"),
        ("a", "down", "bacd"),
    ],
)
def test_a_waiting_run_is_moved(redis: Redis, run_id: str, where: str, order: str) -> None:
    queue = RunQueue(redis, Keys("t"))
    queue.add("abcd")
    assert queue.move(run_id, where)
    assert "".join(queue.order()) == order
    assert set(queue.jobs().waiting) == set("abcd"), "nothing is lost or doubled"
    assert redis.llen(queue.queue.key) == 4


def moved(order: list[str], run_id: str, where: str) -> list[str]:
    """The same by hand: take it out, put it in."""
    place = order.index(run_id)
    rest = [one for one in order if one != run_id]
    target = {"first": 0, "up": max(place - 1, 0), "down": place + 1, "last": len(rest)}[where]
    return [*rest[:target], run_id, *rest[target:]]


@given(st.permutations("abcdef"), st.sampled_from("abcdef"),
       st.sampled_from(["first", "up", "down", "last"]))  # fmt: skip
@hypothesis_settings(deadline=None)
def test_the_neighbour_is_the_right_one(order: list[str], run_id: str, where: str) -> None:
    pivot = _pivot(order, run_id, where)
    rest = [one for one in order if one != run_id]
    if pivot is None:
        found = order
    else:
        place = rest.index(pivot) + (where in ("down", "last"))
        found = [*rest[:place], run_id, *rest[place:]]
    assert found == moved(order, run_id, where)


def test_measurements_keep_their_place_before_all_runs(redis: Redis) -> None:
    queue = RunQueue(redis, Keys("t"))
    queue.add("ab")
    measurement = new_measurement_id()
    queue.add([measurement], at_front=True)
    queue.move("b", "first")
    assert queue.order() == ["b", "a"]
    entries = [entry.decode() for entry in redis.lrange(queue.queue.key, 0, -1)]
    assert entries[0].startswith("-measure-")


def test_a_run_that_a_worker_has_taken_is_not_moved(redis: Redis) -> None:
    queue = RunQueue(redis, Keys("t"))
    queue.add("ab")
    redis.lmove(queue.queue.key, f"{queue.queue.key}:intermediate")
    assert not queue.move("a", "last")
    assert queue.order() == ["b"]


def test_moving_while_workers_take_and_others_move_loses_nothing(
    redis: Redis, server: EmbeddedStore
) -> None:
    names = [f"r{number}" for number in range(30)]
    RunQueue(redis, Keys("t")).add(names)
    taken: list[bytes] = []
    done = threading.Event()

    def take() -> None:
        queue = RunQueue(Redis.from_url(server.address.url), Keys("t"))
        while not done.is_set() and len(taken) < 15:
            if (job := queue.connection.lpop(queue.queue.key)) is not None:
                taken.append(job)

    def shuffle(seed: int) -> None:
        queue, chance = (
            RunQueue(Redis.from_url(server.address.url), Keys("t")),
            random.Random(seed),
        )
        for _ in range(40):
            try:
                queue.move(chance.choice(names), chance.choice(["first", "up", "down", "last"]))
            except StoreError:
                continue

    threads = [threading.Thread(target=shuffle, args=(seed,)) for seed in range(2)]
    threads.append(threading.Thread(target=take))
    for thread in threads:
        thread.start()
    for thread in threads[:2]:
        thread.join(30)
    done.set()
    threads[2].join(30)
    left = RunQueue(redis, Keys("t")).order()
    gone = {job.decode().rpartition("_x")[0] for job in taken}
    assert sorted([*left, *gone]) == sorted(names)


def test_the_client_tells_the_order_and_what_cannot_be_moved(
    settings: Settings, server: EmbeddedStore, redis: Redis
) -> None:
    client = Client(replace(settings, redis_url=server.address.url))
    first, second = client.submit(ExperimentSpec(), seeds=[1, 2])
    client.prioritise(second, "first")
    status = client.status()
    assert status.queue == (second, first)
    assert (status.place(second), status.place(first), status.place("x")) == (1, 2, None)
    folder = create_run(client.settings.runs, ExperimentSpec(), "r")
    with pytest.raises(RunError, match="does not wait in the queue"):
        client.prioritise(folder.run_id, "up")
    with pytest.raises(RunError, match="There is no run"):
        client.prioritise("gone", "up")
