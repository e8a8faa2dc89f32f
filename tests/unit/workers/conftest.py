"""Settings in a temporary folder, and one embedded store for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from workers.server import EmbeddedStore
from workers.settings import Settings
from workers.store import connect


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", runs=tmp_path / "runs")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    store = EmbeddedStore(Settings(data=tmp_path_factory.mktemp("store")))
    store.start()
    yield store
    store.stop()


@pytest.fixture
def redis(server: EmbeddedStore) -> Iterator[Redis]:
    connection = connect(server.address.url)
    connection.flushall()
    yield connection
    connection.close()


@pytest.fixture
def nobody() -> Redis:
    """A connection to a store that is not there."""
    return connect("redis://127.0.0.1:9/0")
