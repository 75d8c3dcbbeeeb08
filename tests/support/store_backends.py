"""Fixtures that open a store on every backend; test files of stores load them with `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ai_memory.clock import ManualClock
from ai_memory.store.base import Store
from ai_memory.store.sqlite.store import open_sqlite_store
from neo4j_server import LINES
from tests.support import neo4j_backend
from tests.support.store_samples import START, Reopen


def _sqlite(folder: Path, clock: ManualClock) -> Store:
    return open_sqlite_store(folder / "store.db", clock=clock)


def _neo4j(line: str) -> Callable[[Path, ManualClock], Store]:
    return lambda folder, clock: neo4j_backend.open_on(neo4j_backend.server(line), clock)


BACKENDS: dict[str, Callable[[Path, ManualClock], Store]] = {
    "sqlite": _sqlite,
    **{f"neo4j-{line}": _neo4j(line) for line in LINES},
}


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def reopen(backend: str, tmp_path: Path, clock: ManualClock) -> Iterator[Reopen]:
    """Opens the same store once more; all are closed at the end."""
    opened: list[Store] = []
    if backend.startswith("neo4j-"):
        neo4j_backend.clean(neo4j_backend.server(backend.removeprefix("neo4j-")))

    def another() -> Store:
        opened.append(BACKENDS[backend](tmp_path, clock))
        return opened[-1]

    yield another
    for store in opened:
        store.close()


@pytest.fixture
def store(reopen: Reopen) -> Iterator[Store]:
    """An empty store; whatever a test did to it, it agrees with itself afterwards."""
    opened = reopen()
    yield opened
    assert opened.check() == []
