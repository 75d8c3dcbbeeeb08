"""What goes wrong with a server: each gives a clear error, loses nothing that was acknowledged, and mends when it is back."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from ai_memory.clock import SystemClock
from ai_memory.errors import StoreBusyError, StoreCorruptError, StoreError, StoreUnavailableError, StoreVersionError
from ai_memory.store.base import Stored
from ai_memory.store.neo4j.database import schema
from ai_memory.store.neo4j.database.address import parse_address
from ai_memory.store.neo4j.store import Neo4jStore, open_neo4j_store
from ai_memory.types import Selection
from neo4j_server import LINES, Server, free_port
from tests.support import neo4j_backend
from tests.support.store_samples import kept, remember

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
]  # a server starts within 10 s, or within 60 s on a busy machine


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of this file's own, which its tests may kill; it keeps its folder."""
    server = neo4j_backend.start(LINES["newest"], tmp_path_factory.mktemp("neo4j"))
    yield server
    server.kill()


@pytest.fixture
def server(own: Server) -> Server:
    """The server, running and empty."""
    if not own.pid:
        own.start()
    neo4j_backend.open_on(own, SystemClock(), half_filled=True).close()
    neo4j_backend.clean(own)
    return own


def _open(server: Server, seconds: float = 30.0, **options: object) -> Neo4jStore:
    return neo4j_backend.open_on(server, SystemClock(), retry_seconds=seconds, **options)


def test_an_absent_server_is_said_at_once() -> None:
    address = parse_address(f"neo4j://127.0.0.1:{free_port()}")
    with pytest.raises(StoreUnavailableError) as absent:
        open_neo4j_store(address, "x", clock=SystemClock(), retry_seconds=0.5)
    assert "start the server" in str(absent.value.hint)


def test_a_database_that_is_not_there_is_said(server: Server) -> None:
    address = parse_address(server.uri + "/elsewhere")
    with pytest.raises(StoreUnavailableError) as absent:
        open_neo4j_store(address, server.password, clock=SystemClock(), retry_seconds=0.5)
    assert "database" in str(absent.value.hint)


def test_what_was_acknowledged_outlives_a_kill(server: Server) -> None:
    acknowledged: list[str] = []
    failures: list[Exception] = []
    store = _open(server, 0.5)

    def write(name: int) -> None:
        try:
            for number in range(10_000):
                results = store.write([remember(f"{name} {number} {part}") for part in range(20)])
                acknowledged.extend(each.memory_id for each in results if isinstance(each, Stored) and each.memory_id)
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in range(3)]
    for thread in threads:
        thread.start()
    while len(acknowledged) < 200:
        time.sleep(0.01)
    server.kill()
    for thread in threads:
        thread.join()
    assert len(failures) == 3
    server.start()
    with _open(server) as again:
        assert None not in again.get("default", acknowledged)
        found = again.stats().memories
        assert found % 20 == 0  # a batch is there as a whole or not at all
        assert found >= len(acknowledged)
        assert again.check() == []
    store.close()


def test_a_restarted_server_is_found_again(server: Server) -> None:
    with _open(server, 200.0) as store:
        kept(store, "before")
        server.stop()
        back = threading.Thread(target=server.start)
        back.start()
        kept(store, "while it starts")  # waits and is written once
        back.join()
        assert store.stats().memories == 2
        assert store.check() == []


def test_a_server_that_is_slow_is_waited_for(server: Server) -> None:
    with _open(server) as store:
        kept(store, "before")
        os.kill(server.pid, signal.SIGSTOP)
        woken = threading.Timer(2, os.kill, (server.pid, signal.SIGCONT))
        woken.start()
        kept(store, "slow")
        woken.join()
        assert len(store.select(Selection(), limit=9).memories) == 2


def test_a_newer_schema_is_refused_and_left_alone(server: Server) -> None:
    newest = schema.shipped_migrations()
    later = (*newest, schema.Migration(newest[-1].version + 1, "MATCH (s:Store) SET s.of_the_future = true;\n"))
    with _open(server, migrations=later) as store:
        kept(store, "a")
    with pytest.raises(StoreVersionError) as newer:
        _open(server)
    assert newer.value.details["found"] == newest[-1].version + 1
    with _open(server, migrations=later) as store:
        assert store.stats().memories == 1
        store._connection.write(
            lambda each: each.run(
                "MATCH (s:Store) SET s.schema = $known REMOVE s.of_the_future", known=newest[-1].version
            ).consume()
        )


def test_another_programs_graph_is_left_alone(server: Server) -> None:
    with _open(server) as store:
        store._connection.write(
            lambda each: each.run("MATCH (s:Store) DELETE s CREATE (:Memory:Node {id: 'theirs'})").consume()
        )
    with pytest.raises(StoreCorruptError):
        _open(server)
    address = parse_address(server.uri)
    connection = neo4j_backend.connect(address, server.password)
    assert connection.read("MATCH (n:Node) RETURN n.id") == [["theirs"]]
    connection.write(lambda each: each.run("MATCH (n) DETACH DELETE n").consume())
    connection.close()
    _open(server).close()


def test_two_services_on_one_database_write_one_log(server: Server) -> None:
    with _open(server) as first, _open(server) as second:

        def write(store: Neo4jStore, name: str) -> None:
            for number in range(30):
                kept(store, f"{name} {number}")
                kept_by_one = store.write([remember("the same for both")])
                assert kept_by_one

        threads = [threading.Thread(target=write, args=each) for each in ((first, "a"), (second, "b"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        log = first.log()
        assert [entry.sequence for entry in log] == list(range(1, 62))
        assert second.log() == log
        assert second.check() == []


def test_a_pool_that_is_used_up_says_so_and_recovers(server: Server) -> None:
    with _open(server, 1.0, pool_size=1) as store:
        kept(store, "a")
        with store._connection.holding() as read:
            assert read("RETURN 1") == [[1]]
            with pytest.raises(StoreBusyError) as busy:
                store.sequence()
        assert "connections" in str(busy.value.hint)
        assert store.sequence() == 1
